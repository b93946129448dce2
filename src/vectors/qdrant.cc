// Qdrant over REST, API 1.10 and later (points/query). https://api.qdrant.tech
//
// Without an index on the payload a filtered search reads every point (qdrant-client#408: 20 s at 20,000 points), so the index on
// tags is made with the collection, and one on every number when it first occurs. Equality is words, because `match` does not
// take numbers with a fraction and `range` takes no texts.

#include <cmath>

#include "vectors/rest.h"

namespace ajar::vectors {
namespace {

using rag::Predicate;
using rag::VectorRow;

constexpr size_t kBatchRows = 512, kBatchBytes = 8 << 20;  // of the 32 MB that a server takes as it comes

void write_condition(json::Writer& w, const Predicate& predicate) {
  using Kind = Predicate::Kind;
  w.begin_object();
  switch (predicate.kind) {
    case Kind::kAny:
    case Kind::kNone:
      if (predicate.kind == Kind::kNone) {
        w.key("must_not");
        w.begin_array();
        w.begin_object();
      }
      w.field("key", "tags");
      w.key("match");
      w.begin_object();
      w.key("any");
      write_strings(w, predicate.tags);
      w.end_object();
      if (predicate.kind == Kind::kNone) {
        w.end_object();
        w.end_array();
      }
      break;
    case Kind::kAnd:
    case Kind::kOr:
      w.key(predicate.kind == Kind::kAnd ? json::Name("must") : json::Name("should"));
      w.begin_array();
      for (const Predicate& part : predicate.parts) write_condition(w, part);
      w.end_array();
      break;
    case Kind::kEverything:
    case Kind::kNothing: break;  // they stand alone
    default:
      w.field("key", "numbers." + predicate.number);
      w.key("range");
      w.begin_object();
      w.field(predicate.kind == Kind::kGt ? json::Name("gt") : predicate.kind == Kind::kGe ? json::Name("gte") : predicate.kind == Kind::kLt ? json::Name("lt") : json::Name("lte"), predicate.bound);
      w.end_object();
  }
  w.end_object();
}

class Qdrant final : public rag::VectorStore {
 public:
  Qdrant(const StoreOptions& options, const std::string& collection, const CallHttp& http)
      : rest_(options, "collection " + collection, http, headers(options)), path_("/collections/" + collection),
        ordering_(options.consistency.empty() ? "" : "&ordering=" + options.consistency) {}

  std::string where() const override { return rest_.where(); }

  Status health() override {
    AJAR_TRY(rest_.call("GET", path_ + "/exists"));
    return {};
  }

  Result<bool> create(uint32_t width) override {
    AJAR_ASSIGN(const Reply there, rest_.call("GET", path_, {}, {404}));
    if (there.status == 200) {
      const auto size = find_at(there.object, {"result", "config", "params", "vectors", "size"});
      const auto distance = find_at(there.object, {"result", "config", "params", "vectors", "distance"});
      if (!size || json::as_int(*size) != int64_t{width} || !distance || json::as_string(*distance) != "Cosine") {
        return rest_.refused(Code::kConflict, "has this collection already, not for vectors of " + std::to_string(width) + " numbers by cosine", {});
      }
    } else {
      AJAR_TRY(rest_.call("PUT", path_, json_object([&](json::Writer& w) {
                            w.key("vectors");
                            w.begin_object();
                            w.field("size", int64_t{width});
                            w.field("distance", "Cosine");
                            w.end_object();
                          })));
      numbers_.clear();
    }
    AJAR_TRY(make_index("tags", "keyword"));
    return there.status != 200;
  }

  Status upsert(std::span<const VectorRow> rows) override {
    for (const VectorRow& row : rows)
      for (const auto& [name, number] : row.fields->numbers) AJAR_TRY(index_number(name));
    return in_batches(rows, kBatchRows, kBatchBytes, [&](std::span<const VectorRow> some) -> Status {
      AJAR_TRY(written(rest_.call("PUT", path_ + "/points?wait=true" + ordering_, json_object([&](json::Writer& w) {
                                    w.key("points");
                                    w.begin_array();
                                    for (const VectorRow& row : some) write_point(w, row);
                                    w.end_array();
                                  }))));
      return {};
    });
  }

  Status erase(std::span<const uint32_t> rows) override {
    return in_batches(rows, 10'000, [&](std::span<const uint32_t> some) -> Status {
      return written(rest_.call("POST", path_ + "/points/delete?wait=true" + ordering_, json_object([&](json::Writer& w) {
                                  w.key("points");
                                  w.begin_array();
                                  for (const uint32_t row : some) w.integer(row);
                                  w.end_array();
                                })));
    });
  }

  Result<std::vector<index::Scored>> search(std::span<const float> query, const Predicate& predicate, size_t limit) override {
    std::vector<index::Scored> out;
    if (predicate.kind == Predicate::Kind::kNothing) return out;
    AJAR_TRY(index_numbers(predicate));
    AJAR_ASSIGN(const Reply reply, rest_.call("POST", path_ + "/points/query", json_object([&](json::Writer& w) {
                                                w.key("query");
                                                write_vector(w, query);
                                                if (predicate.kind != Predicate::Kind::kEverything) {
                                                  w.key("filter");
                                                  w.begin_object();
                                                  w.key("must");
                                                  w.begin_array();
                                                  write_condition(w, predicate);
                                                  w.end_array();
                                                  w.end_object();
                                                }
                                                w.field("limit", int64_t(limit));
                                                w.field("with_payload", false);
                                                w.field("with_vector", false);
                                              })));
    const auto points = find_at(reply.object, {"result", "points"});
    const auto list = points ? json::as_array(*points) : std::nullopt;
    if (!list) return rest_.refused(Code::kUpstream, "answered a search without result.points", reply.body);
    for (const auto& one : *list) {
      const auto point = json::as_object(one);
      const auto id = point ? json::find(*point, "id") : std::nullopt;
      const auto score = point ? json::find(*point, "score") : std::nullopt;
      const auto row = id ? row_of(*id) : std::nullopt;
      const auto cosine = score ? json::as_double(*score) : std::nullopt;
      if (!row || !cosine || !std::isfinite(*cosine)) return rest_.refused(Code::kUpstream, "answered a search with a point without id or score", json::raw(one));
      out.push_back({*row, float(*cosine)});
    }
    return out;
  }

  Result<uint64_t> count() override {
    AJAR_ASSIGN(const Reply reply, rest_.call("POST", path_ + "/points/count", R"({"exact":true})"));
    const auto number = find_at(reply.object, {"result", "count"});
    const auto count = number ? json::as_int(*number) : std::nullopt;
    if (!count || *count < 0) return rest_.refused(Code::kUpstream, "answered a count without a number", reply.body);
    return uint64_t(*count);
  }

  Result<std::vector<uint32_t>> rows(uint32_t first, uint32_t count) override {
    AJAR_ASSIGN(const Reply reply, rest_.call("POST", path_ + "/points/scroll", json_object([&](json::Writer& w) {
                                                w.field("offset", int64_t{first});  // an id: those from it on, in order
                                                w.field("limit", int64_t{count});
                                                w.field("with_payload", false);
                                                w.field("with_vector", false);
                                              })));
    const auto points = find_at(reply.object, {"result", "points"});
    const auto list = points ? json::as_array(*points) : std::nullopt;
    if (!list) return rest_.refused(Code::kUpstream, "answered a scroll without result.points", reply.body);
    std::vector<uint32_t> out;
    for (const auto& one : *list) {
      const auto point = json::as_object(one);
      const auto id = point ? json::find(*point, "id") : std::nullopt;
      const auto row = id ? row_of(*id) : std::nullopt;
      if (row && *row >= first && *row - first < count) out.push_back(*row);
    }
    return out;
  }

  Status drop() override {
    AJAR_TRY(rest_.call("DELETE", path_, {}, {404}));
    numbers_.clear();
    return {};
  }

 private:
  static std::vector<std::pair<std::string, std::string>> headers(const StoreOptions& options) {
    if (options.api_key.empty()) return {};
    return {{"api-key", options.api_key}};
  }

  Status make_index(const std::string& field, std::string_view schema) {
    return written(rest_.call("PUT", path_ + "/index?wait=true", json_object([&](json::Writer& w) {
                                w.field("field_name", field);
                                w.field("field_schema", schema);
                              })));
  }

  Status index_number(const std::string& name) {
    if (numbers_.has(name)) return {};
    AJAR_TRY(make_index("numbers." + name, "float"));
    numbers_.add(name);
    return {};
  }
  // Also of a number that no row has yet: strict mode refuses to filter by it.
  Status index_numbers(const Predicate& predicate) {
    if (!predicate.number.empty()) AJAR_TRY(index_number(predicate.number));
    for (const Predicate& part : predicate.parts) AJAR_TRY(index_numbers(part));
    return {};
  }

  // With wait=true a write has been done; anything else ("acknowledged") would not be seen by the next search.
  Status written(Result<Reply> reply) const {
    if (!reply) return std::unexpected(std::move(reply).error());
    const auto status = find_at(reply->object, {"result", "status"});
    if (!status || json::as_string(*status) != "completed") return rest_.refused(Code::kUpstream, "did not complete a write", reply->body);
    return {};
  }

  static void write_point(json::Writer& w, const VectorRow& row) {
    w.begin_object();
    w.field("id", int64_t{row.row});
    w.key("vector");
    write_vector(w, row.vector);
    w.key("payload");
    w.begin_object();
    w.field("document", row.fields->document);
    w.key("tags");
    write_strings(w, row.fields->tags);
    w.key("numbers");
    w.begin_object();
    for (const auto& [name, number] : row.fields->numbers) w.field(json::Name(name), number);
    w.end_object();
    w.end_object();
    w.end_object();
  }

  const Rest rest_;
  const std::string path_, ordering_;
  KnownNames numbers_;  // that have an index
};

}  // namespace

std::unique_ptr<rag::VectorStore> open_qdrant(const StoreOptions& options, const std::string& collection, const CallHttp& http) {
  return std::make_unique<Qdrant>(options, collection, http);
}

}  // namespace ajar::vectors
