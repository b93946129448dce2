#pragma once
// SentencePiece's BPE models (Kudo & Richardson 2018), as Llama 1 and 2, Mistral, Gemma and Phi-3 use them.

#include <memory>

#include "engine/tokenizer.h"
#include "engine/vocabulary.h"
#include "engine/whole_tokens.h"

namespace ajar::engine {

struct SpmParts {
  Vocabulary vocabulary;            // with "▁" for a space
  std::vector<float> scores;        // by id, higher merges first
  std::vector<WholeToken> whole;   // tokens that are cut out before anything else
  std::vector<int32_t> byte_ids;    // 256, -1: none
  std::vector<bool> control;        // by id: stands for no text
  bool add_space_prefix = true;
  int32_t unknown = 0;
};

std::shared_ptr<const Tokenizer> make_spm(SpmParts parts);

}  // namespace ajar::engine
