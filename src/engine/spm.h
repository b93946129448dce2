#pragma once
// SentencePiece's BPE models (Kudo & Richardson 2018), as Llama 1 and 2, Mistral, Gemma and Phi-3 use them: two
// neighbours merge whose text is a token, the one with the highest score first.

#include <memory>

#include "engine/token_model.h"

namespace ajar::engine {

struct SpmParts {
  Vocabulary vocabulary;      // with "▁" for a space
  std::vector<float> scores;  // by id, higher merges first
  ByteIds byte_ids;
  int32_t unknown = 0;
};

std::unique_ptr<const TokenModel> make_spm(SpmParts parts);

}  // namespace ajar::engine
