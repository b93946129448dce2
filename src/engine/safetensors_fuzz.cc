// The safetensors header and config.json against anything: tensors within the file, names of bounded length.
#include "engine/hf_config.h"
#include "engine/model_check.h"
#include "engine/safetensors.h"

using namespace ajar::engine;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto tensors = read_safetensors(bytes)) {
    for (const SafeTensor& tensor : *tensors) {
      if (tensor.bytes.empty()) continue;
      if (tensor.bytes.data() < bytes.data() || tensor.bytes.data() + tensor.bytes.size() > bytes.data() + size) __builtin_trap();
    }
  }
  const auto config = read_hf_config(bytes);
  if (config && check_config(*config)) {
    if (const auto name = gguf_tensor_name(*config, bytes.substr(0, 64)); name && name->size() > 128) __builtin_trap();
  }
  return 0;
}
