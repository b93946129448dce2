#pragma once
// The tokenizer that all kinds of files become: whole tokens are cut out, the rest is normalised, cut into pieces and
// handed to the model.

#include <memory>
#include <string>
#include <vector>

#include "engine/normalizer.h"
#include "engine/pretokenizer.h"
#include "engine/token_model.h"
#include "engine/tokenizer.h"
#include "engine/whole_tokens.h"

namespace ajar::engine {

// How the vocabulary writes what text becomes of.
enum class Spelling : uint8_t {
  kBytes,      // as it is
  kSpaces,     // "▁" is a space, byte tokens are bytes
  kHashes,     // "##" goes on a word, everything else starts one
};

struct PipelineParts {
  std::vector<WholeToken> whole;              // cut out wherever they stand
  std::vector<WholeToken> controls;           // cut out of rendered templates only; not in the model's vocabulary
  std::vector<WholeToken> normalized_whole;   // the same two, sought in the normalised text
  std::vector<WholeToken> normalized_controls;
  NormalizerPtr normalizer;                           // null: none
  std::shared_ptr<const Pretokenizer> pretokenizer;   // null: the text is one piece
  std::unique_ptr<const TokenModel> model;
  Spelling spelling = Spelling::kBytes;
  SpecialTokens special;
  bool adds_space = false;
};

// Completes special.end_of_generation by the names that are known to end a turn.
std::shared_ptr<const Tokenizer> make_tokenizer(PipelineParts parts);

}  // namespace ajar::engine
