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
};

inline constexpr size_t kMaxQuestion = 16 << 10;  // bytes
inline constexpr std::string_view kNotInDocuments = "not in the documents";

// Both block. kInvalid: the question; errors of the embedder as they are.
Result<std::vector<Hit>> find_passages(Collection& collection, const Question& question);
Result<Answer> ask(Collection& collection, const Question& question);

}  // namespace ajar::rag
