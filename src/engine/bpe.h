#pragma once
// Byte-pair encoding with ranked merges: Sennrich et al. 2016. Over bytes, as GPT-2 and its successors use it, or over
// characters with a fall back to byte tokens, which is how Hugging Face writes SentencePiece's BPE models.

#include <memory>
#include <string_view>
#include <unordered_map>

#include "engine/token_model.h"

namespace ajar::engine {

struct BpeParts {
  Vocabulary vocabulary;  // over bytes: raw bytes, not the printable stand-ins of vocabulary files
  // Rank of merging the tokens (left << 32 | right), lower first, and the id that they become. Empty: any two
  // neighbours whose bytes are a token merge, the lowest id first, which is how OpenAI's rank files are meant.
  struct Merge {
    int32_t rank, id;
  };
  std::unordered_map<uint64_t, Merge> merges;
  bool whole_piece_first = false;  // a piece that is a token is not merged (Llama 3; "ignore_merges")
  // What follows means something over characters only.
  bool by_character = false;
  ByteIds byte_ids;         // for a character that is no token; empty: there is no fall back
  int32_t unknown = -1;     // for what has no byte tokens either; -1: it is left out
  bool fuse_unknown = false;
};

// Adds the merge of two tokens by their text, where they and what they become are tokens: files carry merges of tokens
// that were cut from the vocabulary. Of the same pair the first counts.
void add_merge(BpeParts& parts, int32_t rank, std::string_view left, std::string_view right);

// Over bytes every byte must be a token of its own; one that is not is left out of the ids.
std::unique_ptr<const TokenModel> make_bpe(BpeParts parts);

}  // namespace ajar::engine
