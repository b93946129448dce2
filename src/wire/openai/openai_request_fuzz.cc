// Requests: reading never crashes, and what was written reads back as itself.
#include <cstdlib>

#include "json/read.h"
#include "wire/openai/chat.h"
#include "wire/openai/embeddings.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ajar;
  using namespace ajar::wire;
  if (size == 0) return 0;
  static constexpr const char* kPresets[] = {"openai_compatible", "openai",   "azure", "mistral",
                                             "openrouter",        "deepseek", "vllm"};
  TargetInfo target{.model = "m", .preset = kPresets[data[0] % 7], .base_path = "/v1"};
  target.keep_unknown = (data[0] & 64) == 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  static json::Document document;
  if (const auto request = openai::read_request(text)) {
    const auto first = openai::write_request(*request, target);
    if (!first || !document.parse(first->body)) std::abort();
    const auto again = openai::read_request(first->body);
    if (!again) std::abort();  // what we write must satisfy our own reader
    const auto second = openai::write_request(*again, target);
    if (!second) std::abort();
    // Thoughts may move when a preset has another place for them; after one round nothing moves any
    // more.
    const auto third_read = openai::read_request(second->body);
    if (!third_read || openai::write_request(*third_read, target)->body != second->body)
      std::abort();
  }
  if (const auto request = openai::read_embedding_request(text)) {
    const auto first = openai::write_embedding_request(*request, target);
    const auto again = openai::read_embedding_request(first->body);
    if (!again || openai::write_embedding_request(*again, target)->body != first->body)
      std::abort();
  }
  return 0;
}
