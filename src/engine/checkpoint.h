#pragma once
// A model on disk: its shape, its tensors and its tokenizer's data, of a GGUF file (sharded ones by their first part)
// or of a folder as Hugging Face lays it out (config.json, *.safetensors, tokenizer.json). Nothing in the files is
// trusted: every count, offset and size is checked before it is used. Immutable; any thread.

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/dtype.h"
#include "engine/model_config.h"

namespace ajar::engine {

class GgufMetadata;

struct Tensor {
  std::string name;                 // GGUF's: "blk.0.attn_q.weight"
  Dtype dtype = Dtype::kF32;
  std::array<int64_t, 4> shape{};   // elements, the fastest dimension first: {columns, rows, experts, 1}; none is 0
  std::span<const std::byte> bytes; // mapped; lives as long as the checkpoint

  int64_t columns() const { return shape[0]; }
  int64_t rows() const { return shape[1] * shape[2] * shape[3]; }
};

class Checkpoint {
 public:
  // Opens a file or folder. kNotFound, kInvalid and kUnsupported name the file and the key, tensor or limit.
  static Result<std::shared_ptr<const Checkpoint>> open(const std::string& path);
  virtual ~Checkpoint() = default;

  const std::string& path() const { return path_; }
  const ModelConfig& config() const { return config_; }
  const std::vector<Tensor>& tensors() const { return tensors_; }
  const Tensor* find(std::string_view name) const;   // null: the model has none of that name
  // Of a GGUF file; null for a folder.
  virtual const GgufMetadata* gguf() const { return nullptr; }
  // The template of tokenizer_config.json / chat_template.jinja or tokenizer.chat_template. Empty: none.
  const std::string& chat_template() const { return chat_template_; }

 protected:
  std::string path_;
  ModelConfig config_;
  std::vector<Tensor> tensors_;
  std::string chat_template_;
};

}  // namespace ajar::engine
