#pragma once
// A model on disk: its shape, its tensors and its tokenizer's data, of a GGUF file (sharded ones by their first part)
// or of a folder as Hugging Face lays it out (config.json, *.safetensors, tokenizer.json). Nothing in the files is
// trusted: every count, offset and size is checked before it is used, and the tensors are those that the configuration
// asks for (model_check.h lists them by family). Immutable; any thread.
//
// Two things may be laid out in either of two ways: Q, K and V apart (attn_q, attn_k, attn_v) or fused (attn_qkv: Q's
// rows, then K's, then V's), and experts together (ffn_gate_exps, ffn_up_exps, ffn_down_exps; GGUF) or one tensor each
// (blk.N.ffn_gate.E.weight and so on; Hugging Face, old GGUF). The output matrix is the embedding's where
// output.weight is missing. phi3's ffn_up holds the gate's rows, then the others.

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
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
  std::span<const std::byte> bytes; // aligned to its numbers; lives as long as the checkpoint

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
  // Checks the configuration and the tensors, and makes them findable. To be called once everything is in place.
  Status finish();

  std::string path_;
  ModelConfig config_;
  std::vector<Tensor> tensors_;
  std::string chat_template_;

 private:
  std::unordered_map<std::string_view, size_t> places_;  // of the tensors, by name
};

// For open() and for tests: the kinds by themselves.
Result<std::shared_ptr<const Checkpoint>> open_gguf(const std::string& path);
Result<std::shared_ptr<const Checkpoint>> open_hf(const std::string& folder);

}  // namespace ajar::engine
