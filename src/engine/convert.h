#pragma once
// Makes a GGUF file of a checkpoint, in the formats of a recipe: tensor by tensor, with little memory and all cores.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/checkpoint.h"
#include "engine/recipe.h"

namespace ajar::engine {

struct ConvertOptions {
  const Recipe* recipe = nullptr;
  bool replace = false;       // an existing file
  bool requantize = false;    // take tensors that are quantised already, which loses twice
  int threads = 0;            // 0: one per core
  std::function<void(int64_t done, int64_t total)> progress;  // in bytes of the result, on the caller's thread; may be empty
};

struct ConvertReport {
  struct Part {
    int64_t tensors = 0, bytes = 0;
  };
  std::map<std::string, Part> formats;  // by the format's name
  int64_t parameters = 0, bytes_before = 0, bytes = 0;
  std::vector<std::string> notes;       // what is not as it was asked or is not carried over
};

// From a GGUF file the metadata are taken over; from a Hugging Face folder the tensors are brought into GGUF's order
// (Llama's Q and K rows permuted for interleaved rotation, experts stacked, Gemma's norms plus one) and the tokenizer is
// written as keys where its kind is known. kInvalid names a tensor with a number that is not finite.
Result<ConvertReport> convert_checkpoint(const Checkpoint& from, const std::string& to, const ConvertOptions& options);

}  // namespace ajar::engine
