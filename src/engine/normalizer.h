#pragma once
// What is done to a text before it is cut into pieces. One object per step; the steps of Hugging Face's tokenizer.json
// and of SentencePiece. Immutable; any thread.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ajar::engine {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual std::string apply(std::string text) const = 0;
};
using NormalizerPtr = std::unique_ptr<const Normalizer>;

struct BertNormalizerOptions {
  bool clean_text = true, chinese_chars = true, strip_accents = true, lowercase = true;
};

NormalizerPtr make_sequence(std::vector<NormalizerPtr> steps);
// "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt"; null: none of them.
NormalizerPtr make_simple_normalizer(std::string_view kind);
NormalizerPtr make_bert_normalizer(BertNormalizerOptions options);
NormalizerPtr make_prepend(std::string text);             // to a text that is not empty
NormalizerPtr make_strip(bool left, bool right);
NormalizerPtr make_replace(std::string text, std::string by);
Result<NormalizerPtr> make_regex_replace(const std::string& expression, std::string by);
// SentencePiece's table of what becomes what: a double-array trie and the texts it points to.
Result<NormalizerPtr> make_charsmap(std::string bytes);
NormalizerPtr make_collapse_spaces();                     // SentencePiece's remove_extra_whitespaces

}  // namespace ajar::engine
