#pragma once
// The tokenizer of a folder as Hugging Face lays it out, in GGUF's keys: byte-level BPE, SentencePiece-like BPE and
// WordPiece, as tokenizer.json has them.

#include <string>
#include <vector>

#include "base/error.h"

namespace ajar::engine {

class GgufWriter;

// Writes tokenizer.ggml.* for a vocabulary of `size` rows. The result says what could not be carried over; without
// tokenizer.json, or with one of another kind, that is everything. An error: the file is broken.
Result<std::vector<std::string>> write_hf_vocabulary(const std::string& folder, int32_t size, GgufWriter& writer);

}  // namespace ajar::engine
