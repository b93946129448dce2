#pragma once
// SentencePiece's Unigram models (Kudo 2018), as T5, ALBERT and XLM-R use them: the split whose tokens are most likely
// together.

#include <memory>

#include "engine/token_model.h"

namespace ajar::engine {

struct UnigramParts {
  Vocabulary vocabulary;        // with "▁" for a space
  std::vector<double> scores;   // by id: log probabilities
  std::vector<bool> not_in_text;  // by id: control and unknown tokens, which no text becomes. Empty: none
  ByteIds byte_ids;             // for a character that is no token; empty: it is unknown
  int32_t unknown = 0;          // neighbours that are unknown become one
};

std::unique_ptr<const TokenModel> make_unigram(UnigramParts parts);

}  // namespace ajar::engine
