// Pinecone's data plane over REST: an index that somebody has made, by its host; a collection is a namespace in it.
// https://docs.pinecone.io/reference/api
//
// Pinecone shows a write some seconds after it has answered. A row that is new is not found by meaning until then; one that is gone or
// closed to a reader is never handed out, because the collection looks at every row that comes back.

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "vectors/rest.h"

namespace ajar::vectors {
namespace {

using rag::Predicate;
using rag::VectorRow;

constexpr size_t kBatchRows = 1000, kBatchBytes = 1'900'000;  // the server's limits: 1,000 and 2 MB
constexpr size_t kFetched = 100;                              // ids in one URL

void write_filter(json::Writer& w, const Predicate& predicate) {
  using Kind = Predicate::Kind;
  w.begin_object();
  switch (predicate.kind) {
    case Kind::kAny:
    case Kind::kNone:
      w.key("tags");
      w.begin_object();
      w.key(predicate.kind == Kind::kAny ? json::Name("$in") : json::Name("$nin"));
      write_strings(w, predicate.tags);
      w.end_object();
      break;
    case Kind::kAnd:
    case Kind::kOr:
      w.key(predicate.kind == Kind::kAnd ? json::Name("$and") : json::Name("$or"));
      w.begin_array();
      for (const Predicate& part : predicate.parts) write_filter(w, part);
      w.end_array();
      break;
    case Kind::kEverything:
    case Kind::kNothing: break;  // they stand alone
    default:
      w.key(json::Name(predicate.number));
      w.begin_object();
      w.field(predicate.kind == Kind::kGt ? json::Name("$gt") : predicate.kind == Kind::kGe ? json::Name("$gte") : predicate.kind == Kind::kLt ? json::Name("$lt") : json::Name("$lte"), predicate.bound);
      w.end_object();
  }
  w.end_object();
}

class Pinecone final : public rag::VectorStore {
 public:
  Pinecone(const StoreOptions& options, const std::string& collection, const CallHttp& http)
      : rest_(options, "namespace " + collection, http, headers(options)), space_(collection) {}

  std::string where() const override { return rest_.where(); }

  Status health() override {
    AJAR_TRY(stats());
    return {};
  }

  // The index is there; what can be checked is whether it is one for these vectors. True: the namespace has no row.
  Result<bool> create(uint32_t width) override {
    AJAR_ASSIGN(const Reply reply, stats());
    const auto dimension = json::find(reply.object, "dimension");
    const std::string_view metric = json::string_or(reply.object, "metric", "cosine");
    if (!dimension || json::as_int(*dimension) != int64_t{width} || metric != "cosine") {
      return rest_.refused(Code::kConflict, "is an index for other vectors than those of " + std::to_string(width) + " numbers by cosine", reply.body);
    }
    return vectors_in(reply) == 0;
  }

  Status upsert(std::span<const VectorRow> rows) override {
    return in_batches(rows, kBatchRows, kBatchBytes, [&](std::span<const VectorRow> some) -> Status {
      AJAR_ASSIGN(const Reply reply, rest_.call("POST", "/vectors/upsert", json_object([&](json::Writer& w) {
                                                  w.key("vectors");
                                                  w.begin_array();
                                                  for (const VectorRow& row : some) write_row(w, row);
                                                  w.end_array();
                                                  w.field("namespace", space_);
                                                })));
      const auto count = json::find(reply.object, "upsertedCount");
      if (!count || json::as_int(*count) != int64_t(some.size())) return rest_.refused(Code::kUpstream, "took another number of rows than " + std::to_string(some.size()), reply.body);
      return {};
    });
  }

  Status erase(std::span<const uint32_t> rows) override {
    return in_batches(rows, 1000, [&](std::span<const uint32_t> some) -> Status {
      AJAR_TRY(rest_.call("POST", "/vectors/delete", json_object([&](json::Writer& w) {
                            w.key("ids");
                            w.begin_array();
                            for (const uint32_t row : some) w.string(std::to_string(row));
                            w.end_array();
                            w.field("namespace", space_);
                          }), {404}));  // the namespace is not there: nor are the rows
      return {};
    });
  }

  Result<std::vector<index::Scored>> search(std::span<const float> query, const Predicate& predicate, size_t limit) override {
    std::vector<index::Scored> out;
    if (predicate.kind == Predicate::Kind::kNothing) return out;
    AJAR_ASSIGN(const Reply reply, rest_.call("POST", "/query", json_object([&](json::Writer& w) {
                                                w.field("namespace", space_);
                                                w.key("vector");
                                                write_vector(w, query);
                                                w.field("topK", int64_t(limit));
                                                if (predicate.kind != Predicate::Kind::kEverything) {
                                                  w.key("filter");
                                                  write_filter(w, predicate);
                                                }
                                                w.field("includeValues", false);
                                                w.field("includeMetadata", false);
                                              })));
    const auto matches = json::find(reply.object, "matches");
    const auto list = matches ? json::as_array(*matches) : std::nullopt;
    if (!list) return rest_.refused(Code::kUpstream, "answered a search without matches", reply.body);
    for (const auto& one : *list) {
      const auto match = json::as_object(one);
      const auto id = match ? json::find(*match, "id") : std::nullopt;
      const auto score = match ? json::find(*match, "score") : std::nullopt;
      const auto row = id ? row_of(*id) : std::nullopt;
      const auto cosine = score ? json::as_double(*score) : std::nullopt;
      if (!row || !cosine || !std::isfinite(*cosine)) return rest_.refused(Code::kUpstream, "answered a search with a match without id or score", json::raw(one));
      out.push_back({*row, float(*cosine)});
    }
    return out;
  }

  Result<uint64_t> count() override {
    AJAR_ASSIGN(const Reply reply, stats());
    return vectors_in(reply);
  }

  Result<std::vector<uint32_t>> rows(uint32_t first, uint32_t count) override {
    std::vector<uint32_t> out;
    const uint64_t end = uint64_t{first} + count;
    for (uint64_t from = first; from < end; from += kFetched) {
      std::string path = "/vectors/fetch?namespace=" + percent_encode(space_);
      for (uint64_t row = from; row < std::min(end, from + kFetched); ++row) path += "&ids=" + std::to_string(row);
      AJAR_ASSIGN(const Reply reply, rest_.call("GET", path));
      const auto vectors = json::find(reply.object, "vectors");
      const auto object = vectors ? json::as_object(*vectors) : std::nullopt;
      if (!object) return rest_.refused(Code::kUpstream, "answered a fetch without vectors", reply.body);
      for (const auto& [id, vector] : *object)
        if (const auto row = parse_int(id); row && *row >= int64_t{first} && *row < int64_t(end)) out.push_back(static_cast<uint32_t>(*row));
    }
    std::ranges::sort(out);
    return out;
  }

  Status drop() override {
    AJAR_TRY(rest_.call("POST", "/vectors/delete", json_object([&](json::Writer& w) {
                          w.field("deleteAll", true);
                          w.field("namespace", space_);
                        }), {404}));
    return {};
  }

 private:
  static std::vector<std::pair<std::string, std::string>> headers(const StoreOptions& options) {
    return {{"api-key", options.api_key}, {"x-pinecone-api-version", options.api_version.empty() ? "2026-04" : options.api_version}};
  }

  Result<Reply> stats() const { return rest_.call("POST", "/describe_index_stats", "{}"); }

  uint64_t vectors_in(const Reply& stats) const {
    const auto count = find_at(stats.object, {"namespaces", space_, "vectorCount"});
    return count ? uint64_t(std::max<int64_t>(0, json::as_int(*count).value_or(0))) : 0;
  }

  static void write_row(json::Writer& w, const VectorRow& row) {
    w.begin_object();
    w.field("id", std::to_string(row.row));
    w.key("values");
    write_vector(w, row.vector);
    w.key("metadata");
    w.begin_object();
    w.field("document", row.fields->document);
    w.key("tags");
    write_strings(w, row.fields->tags);
    for (const auto& [name, number] : row.fields->numbers) w.field(json::Name(name), number);
    w.end_object();
    w.end_object();
  }

  const Rest rest_;
  const std::string space_;
};

}  // namespace

std::unique_ptr<rag::VectorStore> open_pinecone(const StoreOptions& options, const std::string& collection, const CallHttp& http) {
  return std::make_unique<Pinecone>(options, collection, http);
}

}  // namespace ajar::vectors
