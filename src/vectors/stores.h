#pragma once
// The stores there are (rag/vector_store.h is what all of them do). HTTP comes as a callback, so that nothing here opens a socket;
// PostgreSQL is libpq's.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "rag/vector_store.h"

namespace ajar::vectors {

struct HttpAsk {
  std::string method, url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string ca_file;                // PEM; empty: the system's
  Millis timeout{10'000};             // for everything together
  size_t most = 64 << 20;             // bytes of an answer
};
struct HttpAnswer {
  int status = 0;
  std::string body;
};
// Blocks; any thread. Any status is a value; kUnavailable, kTimeout, kCut, kUpstream: no answer came.
using CallHttp = std::function<Result<HttpAnswer>(const HttpAsk&)>;

struct StoreOptions {
  std::string name;                   // [vector_stores.NAME]
  std::string kind;                   // qdrant, pgvector, weaviate, milvus, pinecone
  std::string url;                    // base; of pgvector a libpq URL without a password
  std::string api_key;                // of pgvector the password; empty: none
  std::string database;               // milvus: its database; pgvector: the schema; pinecone: what its namespaces begin with is the collection's name
  std::string consistency;            // weaviate: ONE, QUORUM, ALL; milvus: Strong, Bounded, Session, Eventually; qdrant: weak, medium, strong
  std::string api_version;            // pinecone
  std::string ca_file;                // of https
  Millis timeout{10'000};             // of one call
};

// Whether the options hold together; kInvalid with the field.
Status check_options(const StoreOptions& options);
// One collection of a store. `collection`: letters, digits and _, at most 60, beginning with a letter. Asks nothing yet.
Result<std::unique_ptr<rag::VectorStore>> open_store(const StoreOptions& options, const std::string& collection, const CallHttp& http);

std::unique_ptr<rag::VectorStore> open_qdrant(const StoreOptions& options, const std::string& collection, const CallHttp& http);
std::unique_ptr<rag::VectorStore> open_weaviate(const StoreOptions& options, const std::string& collection, const CallHttp& http);
std::unique_ptr<rag::VectorStore> open_milvus(const StoreOptions& options, const std::string& collection, const CallHttp& http);
std::unique_ptr<rag::VectorStore> open_pinecone(const StoreOptions& options, const std::string& collection, const CallHttp& http);
std::unique_ptr<rag::VectorStore> open_postgres(const StoreOptions& options, const std::string& collection);

}  // namespace ajar::vectors
