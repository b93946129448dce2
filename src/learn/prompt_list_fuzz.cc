// Files of prompts are somebody else's bytes: they are read or refused, and what is read has words.
#include <cstdlib>

#include "learn/prompt_list.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto prompts = ajar::learn::parse_prompts(text, "f")) {
    if (prompts->empty()) std::abort();
    for (const auto& prompt : *prompts) {
      if (prompt.text.empty()) std::abort();
    }
  }
  return 0;
}
