#pragma once
// What a folder as Hugging Face lays it out says of its model: config.json, and how its tensors' names read in GGUF's
// words. Source: the configuration classes of the transformers library.

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/model_config.h"

namespace ajar::engine {

// Of config.json's text. Not yet checked (check_config). kInvalid names the member, kUnsupported what is beyond the engine.
Result<ModelConfig> read_hf_config(std::string_view json);

// GGUF's name of a tensor. Empty: it is of no use to the engine (buffers, parts for images). Nothing: unknown.
std::optional<std::string> gguf_tensor_name(const ModelConfig& config, std::string_view hf_name);

// GGUF's name of a module in a layer of a decoder: "ffn_up.3" of "mlp.experts.3.up_proj". Nothing: unknown, or not the same
// in all families.
std::optional<std::string> gguf_module_name(std::string_view hf_module);

}  // namespace ajar::engine
