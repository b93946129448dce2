// Whatever request the OpenAI reader accepts, the foreign writers refuse or turn into valid JSON.
#include <cstdlib>
#include <string_view>

#include "json/read.h"
#include "wire/anthropic/anthropic.h"
#include "wire/gemini/gemini.h"
#include "wire/openai/chat.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static constexpr const char* kClaude[] = {"claude-3-haiku-20240307", "claude-3-7-sonnet-20250219",
                                            "claude-sonnet-4-5",       "claude-opus-4-6",
                                            "claude-fable-5",          "other"};
  static constexpr const char* kGemini[] = {"gemini-1.5-pro", "gemini-2.5-flash",
                                            "gemini-3-pro-preview", "gemma-3"};
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto request = ajar::wire::openai::read_request(text);
  if (!request) return 0;
  const auto check = [](const ajar::Result<ajar::wire::WireRequest>& out) {
    if (out ? !ajar::json::explain(out->body).empty() : out.error().field.empty()) std::abort();
  };
  check(ajar::wire::anthropic::write_request(*request,
                                             {.model = kClaude[data[0] % 6], .base_path = "/v1"}));
  check(ajar::wire::gemini::write_request(*request,
                                          {.model = kGemini[data[0] % 4], .base_path = "/v1beta"}));
  return 0;
}
