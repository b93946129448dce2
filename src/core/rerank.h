#pragma once
// Documents to be ordered by how well they answer a query, and the order, in our words.

#include <optional>
#include <string>
#include <vector>

#include "core/event.h"
#include "core/request.h"

namespace ajar {

struct RerankRequest {
  std::string model;                    // the route's public name
  std::string query;
  std::vector<std::string> documents;   // their texts, at least one
  std::vector<RawJson> objects;         // as the client wrote them; empty, or an entry per document ("": a plain text)
  std::optional<int64_t> top_n;         // at least 1
  bool return_documents = false;
  std::optional<int64_t> max_tokens_per_doc;
  RawMembers extra;                     // unknown members
};

struct RerankReply {
  struct Result {
    size_t index = 0;                   // into the request's documents
    double score = 0;
  };
  std::string id;
  std::string model;
  std::vector<Result> results;          // best first; no index twice
  Usage usage;
};

}  // namespace ajar
