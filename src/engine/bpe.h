#pragma once
// Byte-level byte-pair encoding: Sennrich et al. 2016, as GPT-2 and its successors use it.

#include <memory>
#include <unordered_map>

#include "engine/pretokenizer.h"
#include "engine/tokenizer.h"
#include "engine/vocabulary.h"
#include "engine/whole_tokens.h"

namespace ajar::engine {

struct BpeParts {
  Vocabulary vocabulary;  // raw bytes, not the printable stand-ins of vocabulary files
  // Rank of merging the tokens (left << 32 | right), lower first, and the id that they become. Empty: any two
  // neighbours whose bytes are a token merge, the lowest id first, which is how OpenAI's rank files are meant.
  struct Merge {
    int32_t rank, id;
  };
  std::unordered_map<uint64_t, Merge> merges;
  std::vector<WholeToken> whole;  // tokens that are cut out before anything else, wherever they stand
  std::vector<bool> control;       // by id: stands for no text
  bool whole_piece_first = false;  // a piece that is a token is not merged (Llama 3)
  std::shared_ptr<const Pretokenizer> pretokenizer;
};

// Every byte must be a token of its own; one that is not is left out of the ids.
std::shared_ptr<const Tokenizer> make_bpe(BpeParts parts);

}  // namespace ajar::engine
