#pragma once
// Which passage bears out which sentence. Lexical: the terms of a sentence, the rarer the heavier, must be found in one or two
// neighbouring sentences of a passage; numbers must be there exactly; a "not" on one side only counts against it. What is not
// borne out is marked, never left out in silence. Pure functions.

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rag/collection.h"

namespace ajar::rag {

// A quote: bytes [begin, end) of the document's text.
struct Evidence {
  std::string document, name, title;
  uint32_t page = 0, begin = 0, end = 0;
  std::string quote;
  float score = 0;          // 0..1: how much of the sentence it bears out
};

struct AnswerSentence {
  std::string text;
  std::vector<Evidence> evidence;  // the best first
  bool supported = false;
  bool claims = true;              // false: it says nothing that could be borne out ("Yes.", "In short:")
};

using TermWeights = std::unordered_map<std::string, float>;

struct CiteOptions {
  float threshold = 0.6f;   // of a sentence's weight
  size_t evidence = 2;      // at most, per sentence
};

// `weights`: idf of terms (Collection::term_weights of the answer); terms that are not in it count as rare.
std::vector<AnswerSentence> cite(std::string_view answer, std::span<const Hit> passages, const TermWeights& weights, const CiteOptions& options = {});

}  // namespace ajar::rag
