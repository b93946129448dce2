#pragma once
// The header of a safetensors file. Spec: https://github.com/huggingface/safetensors (README, Format).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ajar::engine {

struct SafeTensor {
  std::string name;
  std::string dtype;           // "F32", "BF16", "I64", …
  std::vector<int64_t> shape;  // the slowest dimension first; none for a scalar
  std::string_view bytes;
};

// Checks that each tensor lies within the file, has the size of its shape, and over no other. The bytes must outlive the
// result. kInvalid names the tensor.
Result<std::vector<SafeTensor>> read_safetensors(std::string_view file);

}  // namespace ajar::engine
