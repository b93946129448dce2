// Whatever request the OpenAI reader accepts, the foreign writers refuse or turn into valid JSON.
#include <cstdlib>
#include <string_view>

#include "json/read.h"
#include "wire/anthropic/anthropic.h"
#include "wire/bedrock/bedrock.h"
#include "wire/cohere/cohere.h"
#include "wire/gemini/gemini.h"
#include "wire/ollama/ollama.h"
#include "wire/openai/chat.h"
#include "wire/replicate/replicate.h"

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
  static constexpr const char* kBedrock[] = {"claude-3-haiku-20240307", "claude-haiku-4-5", "claude-opus-5",
                                             "amazon.nova-2-lite-v1:0", "openai.gpt-oss-120b-1:0", "other"};
  check(ajar::wire::bedrock::write_request(*request, {.model = kBedrock[data[0] % 6]}));
  check(ajar::wire::cohere::write_request(*request, {.model = "command-a"}));
  check(ajar::wire::ollama::write_request(*request, {.model = data[0] % 2 ? "qwen3" : "gpt-oss"}));
  check(ajar::wire::replicate::write_request(*request, {.model = data[0] % 2 ? "o/n" : "o/n:v", .base_path = "/v1"}));
  check(ajar::wire::openai::write_request(*request, {.model = "m", .preset = "mistral", .base_path = "/v1"}));
  return 0;
}
