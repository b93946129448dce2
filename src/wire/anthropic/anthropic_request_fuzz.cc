// Requests of Anthropic's clients: reading never crashes, what is written for the same API reads back and stays as it is,
// and every other dialect refuses the request or writes valid JSON.
#include <cstdlib>
#include <string_view>

#include "wire/anthropic/anthropic.h"
#include "wire/inbound_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static constexpr const char* kModels[] = {"claude-3-haiku-20240307", "claude-sonnet-4-5", "claude-opus-4-6",
                                            "claude-fable-5", "other"};
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  (void)ajar::wire::anthropic::read_count_request(text);
  ajar::wire::fuzz::request(text, ajar::wire::anthropic::read_request, ajar::wire::anthropic::write_request,
                            kModels[data[0] % 5]);
  return 0;
}
