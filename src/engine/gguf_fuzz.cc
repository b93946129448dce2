// The metadata reader against anything: no read outside the bytes, no memory beyond what the file holds; tensors that are
// within the file; a configuration that is checked asks for no more tensors than its caps allow.
#include "engine/gguf.h"
#include "engine/gguf_config.h"
#include "engine/model_check.h"

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
    metadata->booleans(key);
    metadata->real(key);
  }
  if (const auto tensors = metadata->tensors()) {
    const char* begin = reinterpret_cast<const char*>(data);
    for (const GgufTensor& tensor : *tensors) {
      if (tensor.bytes.data() < begin || tensor.bytes.data() + tensor.bytes.size() > begin + size) __builtin_trap();
      const int64_t rows = tensor.shape[1] * tensor.shape[2] * tensor.shape[3];
      if (int64_t(tensor.bytes.size()) != row_bytes(tensor.dtype, tensor.shape[0]) * rows) __builtin_trap();
    }
  }
  const auto config = read_gguf_config(*metadata, 32);
  if (config && check_config(*config)) {
    if (tensor_rules(*config, [](std::string_view) { return false; }).size() > 100'000) __builtin_trap();
  }
  return 0;
}
