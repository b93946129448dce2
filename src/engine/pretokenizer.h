#pragma once
// Cuts text into the pieces within which tokens are made. Each family of models has its own rules, which its authors
// wrote down as regular expressions, or as Hugging Face's pre-tokenizers.

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ajar::engine {

struct PretokenizerStep {
  enum class Kind : uint8_t {
    kSplit,        // expression, behaviour, invert
    kSpaceBefore,  // a space before each piece that has none
    kMetaspace,    // spaces become `replacement`, which `scheme` puts before pieces that have none
  };
  enum class Behaviour : uint8_t { kIsolated, kRemoved, kContiguous, kMergedWithPrevious, kMergedWithNext };
  enum class Scheme : uint8_t { kNever, kFirst, kAlways };
  Kind kind = Kind::kSplit;
  std::string expression;
  Behaviour behaviour = Behaviour::kIsolated;  // what becomes of a match
  bool invert = false;                         // what lies between counts as the match
  std::string replacement;
  Scheme scheme = Scheme::kNever;
};

struct Pieces {
  std::vector<std::string_view> views;  // into the text or into `owned`
  std::deque<std::string> owned;
};

class Pretokenizer {
 public:
  // Each step in turn works on the pieces that the ones before it left.
  static Result<std::shared_ptr<const Pretokenizer>> make(std::vector<PretokenizerStep> steps);
  // Each expression splits into matches and what lies between them.
  static Result<std::shared_ptr<const Pretokenizer>> make(const std::vector<std::string>& expressions);
  // The rules of a named family: OpenAI's "r50k", "cl100k", "o200k", or what GGUF calls tokenizer.ggml.pre ("llama-bpe",
  // "qwen2", ...). kUnsupported names one that is not known.
  static Result<std::shared_ptr<const Pretokenizer>> of_family(std::string_view family);
  ~Pretokenizer();

  // The pieces of `text` in order, which must outlive them. `first`: it is the beginning of the whole text.
  void split(std::string_view text, bool first, Pieces& pieces) const;

 private:
  struct Impl;
  explicit Pretokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// GPT-2's expression, which Hugging Face's ByteLevel has built in.
extern const char* const kGpt2Expression;
// Google's BasicTokenizer: white space goes, each punctuation mark is a piece.
std::vector<PretokenizerStep> bert_steps();

}  // namespace ajar::engine
