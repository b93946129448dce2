#pragma once
// WordPiece as BERT uses it: the longest token that starts the word, then the longest that goes on, or unknown.

#include <memory>
#include <string>

#include "engine/token_model.h"

namespace ajar::engine {

struct WordPieceParts {
  Vocabulary vocabulary;
  std::string first_prefix;          // GGUF writes "▁" before what starts a word
  std::string next_prefix = "##";    // and nothing before what goes on, where BERT's own files write this
  int32_t unknown = -1;              // for a whole word
  size_t max_characters = 100;       // a longer word is unknown
};

std::unique_ptr<const TokenModel> make_wordpiece(WordPieceParts parts);

}  // namespace ajar::engine
