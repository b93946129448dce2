// The metadata reader against anything: no read outside the bytes, no memory beyond what the file holds.
#include "engine/gguf.h"

using namespace ajar::engine;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto metadata = GgufMetadata::read({reinterpret_cast<const char*>(data), size});
  if (!metadata) return 0;
  for (const char* key : {"k", "tokenizer.ggml.tokens", "general.architecture"}) {
    metadata->string(key);
    metadata->integer(key);
    metadata->boolean(key);
    if (metadata->strings(key).size() * 8 > size) __builtin_trap();
    metadata->floats(key);
    metadata->integers(key);
  }
  return 0;
}
