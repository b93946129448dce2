#pragma once
// A model's shape as the keys of GGUF metadata. Spec: ggml/docs/gguf.md of the ggml project.

#include "base/error.h"
#include "engine/gguf.h"
#include "engine/model_config.h"

namespace ajar::engine {

// `vocab` is the number of rows of the embedding. Not yet checked (check_config), and without the rotation's factors,
// which are tensors. kInvalid and kUnsupported name the key.
Result<ModelConfig> read_gguf_config(const GgufMetadata& metadata, int32_t vocab);

class GgufWriter;
// The same as keys. The rotation's factors stay with the caller: they are tensors.
void write_gguf_config(const ModelConfig& config, GgufWriter& writer);

}  // namespace ajar::engine
