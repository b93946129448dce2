#pragma once
// OpenAI's vector stores in JSON, and our own questions to documents: what is read and written.
// https://platform.openai.com/docs/api-reference/vector-stores

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rag/ask.h"
#include "rag/library.h"

namespace ajar::api {

// Members that are absent are nothing. Unknown ones, and those that this server cannot honour, are kInvalid and named.
struct StoreSpec {
  std::optional<std::string> name, description, metadata;  // metadata: a JSON object
  std::vector<std::string> file_ids;
  std::optional<std::string> store;      // not OpenAI's: where its vectors are searched, [vector_stores.NAME] or "here"
  std::optional<std::string> rerank;     // not OpenAI's: the route of its cross-encoder, "none", or empty: the configuration's
};
Result<StoreSpec> read_store_spec(std::string_view body, bool create);

struct StoreFileSpec {
  std::string file_id;
  std::optional<rag::Metadata> attributes;
};
Result<StoreFileSpec> read_store_file(std::string_view body, bool add);

struct StoreSearch {
  std::vector<std::string> queries;
  rag::Filter filter;
  size_t limit = 10;
  std::string rerank;                    // ranking_options.ranker: a route, "none", or empty: the vector store's
};
Result<StoreSearch> read_store_search(std::string_view body);

// {"collection", "query", "limit", "filter", "rerank"} of /v1/rag/search and /v1/rag/ask.
struct RagQuestion {
  std::string collection;
  rag::Question question;
};
Result<RagQuestion> read_rag_question(std::string_view body);
// {"collection", "all"} of /v1/rag/repair.
struct RagRepair {
  std::string collection;
  bool all = false;
};
Result<RagRepair> read_rag_repair(std::string_view body);

std::string write_store(const rag::About& about, const rag::Usage& usage);
std::string write_store_file(const std::string& store, const rag::DocumentInfo& document);
// `content`: texts; of a whole file or of hits.
std::string write_store_content(std::string_view text);
struct StoreHit {
  rag::Hit hit;
  rag::Metadata attributes;
};
// `degraded`: what they lack, or empty.
std::string write_store_hits(const std::vector<std::string>& queries, const std::vector<StoreHit>& hits, std::string_view degraded);
std::string write_list(const std::vector<std::string>& items, const std::vector<std::string>& ids, bool has_more);
std::string write_deleted(std::string_view id, std::string_view object);

}  // namespace ajar::api
