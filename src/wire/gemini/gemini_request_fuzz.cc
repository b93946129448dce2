// Requests of Gemini's clients: reading never crashes, what is written for the same API reads back and stays as it is, and
// every other dialect refuses the request or writes valid JSON.
#include <cstdlib>
#include <string_view>

#include "wire/gemini/gemini.h"
#include "wire/inbound_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static constexpr const char* kModels[] = {"gemini-1.5-pro", "gemini-2.5-flash", "gemini-3-pro-preview", "gemma-3"};
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  (void)ajar::wire::gemini::read_count_request(text);
  for (const bool batch : {false, true}) {
    const auto request = ajar::wire::gemini::read_embedding_request(text, batch);
    if (!request) continue;
    const auto out = ajar::wire::gemini::write_embedding_request(*request, {.model = "m", .base_path = "/v1beta"});
    if (out && !ajar::json::explain(out->body).empty()) std::abort();
  }
  ajar::wire::fuzz::request(text, ajar::wire::gemini::read_request, ajar::wire::gemini::write_request,
                            kModels[data[0] % 4]);
  return 0;
}
