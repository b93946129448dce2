#pragma once
// A question to a collection: passages, or an answer of quotes. By words and by meaning where the collection has vectors.

#include <string>
#include <vector>

#include "rag/answer.h"
#include "rag/collection.h"

namespace ajar::rag {

struct Question {
  std::string text;
  Filter filter;
  Reader reader;
  size_t limit = 10;
  SearchTimes* times = nullptr;  // the caller's, where it wants to know
  // The route of a cross-encoder that puts what was found in order: the collection's own, "none", or empty: the options'. Where it fails, or
  // is late, the search's order stands and Passages::degraded says why.
  std::string rerank = {};
  bool rerank_asked = false;     // the question itself names it: a route that is not there, or cannot, is an error
  std::string payer = {};        // whose call that is: "key:ID", or empty
  TimePoint rerank_until = kNever;  // sooner than the options say, where several questions are one search
};

inline constexpr size_t kMaxQuestion = 16 << 10;  // bytes
inline constexpr std::string_view kNotInDocuments = "not in the documents";

// These block. kInvalid: the question; errors of the embedder as they are.
struct Passages {
  std::vector<Hit> hits;
  std::string degraded;   // what they lack, where the store of the vectors did not give all it should, or the cross-encoder no scores; otherwise empty
};
Result<Passages> find_passages(Collection& collection, const Question& question);
Result<Answer> ask(Collection& collection, const Question& question);

struct AnswerWithPassages {
  Answer answer;
  std::vector<Hit> passages;
};
Result<AnswerWithPassages> ask_with_passages(Collection& collection, const Question& question);

}  // namespace ajar::rag
