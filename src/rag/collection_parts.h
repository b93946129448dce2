#pragma once
// What collection_*.cc share. For them alone.

#include "rag/collection.h"

namespace ajar::rag {

// A reader's connection with its statements.
struct Collection::Connection {
  store::Database database;
  store::Statement chunk, parent, vector;
  int64_t generation = -1;  // of `vector`
};

// Borrowed from the pool, given back at the end.
struct Collection::Lease {
  Collection* owner;
  std::unique_ptr<Connection> connection;
  Lease(Collection* o, std::unique_ptr<Connection> c) : owner(o), connection(std::move(c)) {}
  Lease(Lease&&) = default;
  Lease& operator=(Lease&&) = default;
  ~Lease() {
    if (!connection) return;
    std::lock_guard lock(owner->pool_lock_);
    if (owner->pool_.size() < 8) owner->pool_.push_back(std::move(connection));
  }
  Connection* operator->() const { return connection.get(); }
};

struct Collection::Prepared {
  DocumentInput input;
  std::string hash, language;
  Result<Extracted> extracted = fail(Code::kInvalid, "not read");
  std::vector<Chunk> chunks;
  std::vector<std::string> contexts;  // a line for each chunk; empty: of none
  std::vector<float> vectors;     // chunks x width, normalised
  Outcome outcome = Outcome::kAdded;
  bool same = false;              // as what is there: only access and metadata are written
  uint32_t first_row = 0;

  std::string_view chunk_text(const Chunk& chunk) const {
    return std::string_view(extracted->text).substr(chunk.begin, chunk.end - chunk.begin);
  }
  std::string_view context(size_t chunk) const { return contexts.empty() ? std::string_view() : contexts[chunk]; }
  std::string indexed(size_t chunk) const { return indexed_text(extracted->title, chunks[chunk].headings, chunk_text(chunks[chunk]), context(chunk)); }
};

// Access lists in the database: "" for everyone, else a JSON array.
std::string write_allow(const std::optional<std::vector<std::string>>& allow);
std::optional<std::vector<std::string>> read_allow(std::string_view json);

inline std::string_view bytes_of(std::span<const float> numbers) { return {reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()}; }

}  // namespace ajar::rag
