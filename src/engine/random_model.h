#pragma once
// Models of random weights, N(0, 0.02) and norms of 1: for tests of every family, and of real shapes for measuring speed.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/dtype.h"
#include "engine/model_config.h"

namespace ajar::engine {

struct RandomModel {
  ModelConfig config;
  Dtype dtype = Dtype::kF16;    // of the matrices; vectors are F32
  uint64_t seed = 1;
  bool tied = true;             // no output.weight
  bool biases = false;          // of Q, K and V
  // A GGUF file whose tokenizer is taken, padded or cut to the vocabulary. Empty: a made one of bytes and numbers.
  std::string vocabulary;
  std::function<void(int64_t done, int64_t total)> progress;  // in bytes; may be empty
};

// "llama-3.2-1b", "qwen2.5-0.5b", "smollm2-135m", or "tiny-" and a family ("tiny-gemma3", "tiny-mixtral"). kInvalid lists them.
Result<RandomModel> random_shape(std::string_view name);
std::vector<std::string> random_shapes();

// Writes a GGUF file; kConflict where there is one already and `replace` is false.
Status write_random_model(const RandomModel& model, const std::string& path, bool replace = false);

}  // namespace ajar::engine
