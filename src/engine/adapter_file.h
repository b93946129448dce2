#pragma once
// What the two kinds of adapter files hold, in one set of words; not yet held against a model. See adapter.h.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/dtype.h"
#include "engine/mapped_file.h"

namespace ajar::engine {

struct AdapterTensor {
  std::string name;            // as the file says it
  int32_t layer = 0;
  std::string matrix;          // GGUF's word: "attn_q", "ffn_down"; of experts "ffn_down_exps" (all), "ffn_down.3", "ffn_down_shexp"
  bool b = false;              // else A
  Dtype dtype = Dtype::kF32;
  int64_t columns = 0, rows = 0;
  int64_t matrices = 1;        // of this shape, one behind the other
  std::span<const std::byte> bytes;  // of a whole number of rows; of any alignment
};

struct AdapterFile {
  std::shared_ptr<const MappedFile> file;  // what the tensors point into
  std::vector<AdapterTensor> tensors;
  std::string architecture;    // GGUF's word; empty: the file does not say
  double alpha = 0;            // 0: the scale is 1
  bool root_scale = false;     // alpha / sqrt(rank) instead of alpha / rank (rsLoRA)
  bool peft = false;           // rows of Q and K as Hugging Face orders them
  int64_t rank = 0;            // of all tensors; 0: each its own
};

// A folder is PEFT's, a file GGUF's.
Result<AdapterFile> read_adapter_file(const std::string& path);

// kUnsupported: names a tensor and what can be adapted.
std::unexpected<Error> not_adaptable(const std::string& name);

}  // namespace ajar::engine
