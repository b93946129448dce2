// Milvus over REST v2 (2.4 and later). https://milvus.io/api-reference/restful/v2.4.x/About.md
//
// Every answer has status 200; `code` in its body says what came of it. Conditions are a text: what goes into it is quoted as JSON.

#include <algorithm>
#include <cmath>

#include "vectors/rest.h"

namespace ajar::vectors {
namespace {

using rag::Predicate;
using rag::VectorRow;

constexpr size_t kBatchRows = 1000, kBatchBytes = 8 << 20;
constexpr int64_t kNoSuchCollection = 100;

std::string list_of(std::span<const std::string> texts) {
  std::string out;
  json::Writer w(out);
  write_strings(w, texts);
  return out;
}

std::string condition(const Predicate& predicate) {
  using Kind = Predicate::Kind;
  switch (predicate.kind) {
    case Kind::kEverything:
    case Kind::kNothing: return {};  // they stand alone
    case Kind::kAny: return "array_contains_any(tags, " + list_of(predicate.tags) + ")";
    case Kind::kNone: return "not array_contains_any(tags, " + list_of(predicate.tags) + ")";
    case Kind::kAnd:
    case Kind::kOr: {
      std::string out;
      for (const Predicate& part : predicate.parts) out += (out.empty() ? "(" : predicate.kind == Kind::kAnd ? ") and (" : ") or (") + condition(part);
      return out + ")";
    }
    default: break;
  }
  std::string out = "numbers[\"" + predicate.number + "\"]";
  out += predicate.kind == Kind::kGt ? " > " : predicate.kind == Kind::kGe ? " >= " : predicate.kind == Kind::kLt ? " < " : " <= ";
  json::append_double(out, predicate.bound);
  return out;
}

class Milvus final : public rag::VectorStore {
 public:
  Milvus(const StoreOptions& options, const std::string& collection, const CallHttp& http)
      : rest_(options, "collection " + collection, http, headers(options)), collection_(collection), database_(options.database),
        consistency_(options.consistency.empty() ? "Strong" : options.consistency) {}

  std::string where() const override { return rest_.where(); }

  Status health() override {
    AJAR_TRY(call("collections/has", [](json::Writer&) {}));
    return {};
  }

  Result<bool> create(uint32_t width) override {
    AJAR_ASSIGN(const Reply has, call("collections/has", [](json::Writer&) {}));
    const auto there = find_at(has.object, {"data", "has"});
    if (!there || !json::as_bool(*there)) return rest_.refused(Code::kUpstream, "does not say whether it has the collection", has.body);
    if (*json::as_bool(*there)) {
      AJAR_TRY(check(width));
      return false;
    }
    AJAR_TRY(call("collections/create", [&](json::Writer& w) {
      w.key("schema");
      w.begin_object();
      w.field("autoId", false);
      w.field("enableDynamicField", false);
      w.key("fields");
      w.begin_array();
      w.raw(R"({"fieldName":"row","dataType":"Int64","isPrimary":true})");
      w.raw(R"({"fieldName":"document","dataType":"VarChar","elementTypeParams":{"max_length":"8192"}})");
      w.raw(R"({"fieldName":"tags","dataType":"Array","elementDataType":"VarChar","elementTypeParams":{"max_capacity":"1000","max_length":"512"}})");
      w.raw(R"({"fieldName":"numbers","dataType":"JSON"})");
      w.raw(R"({"fieldName":"vector","dataType":"FloatVector","elementTypeParams":{"dim":")" + std::to_string(width) + "\"}}");
      w.end_array();
      w.end_object();
      w.raw_field("indexParams", R"([{"fieldName":"vector","indexName":"vector","metricType":"COSINE","indexType":"AUTOINDEX","params":{"index_type":"AUTOINDEX"}},)"
                                 R"({"fieldName":"tags","indexName":"tags","indexType":"INVERTED","params":{"index_type":"INVERTED"}}])");
      w.raw_field("params", R"({"consistencyLevel":")" + consistency_ + "\"}");
    }));
    return true;
  }

  Status upsert(std::span<const VectorRow> rows) override {
    return in_batches(rows, kBatchRows, kBatchBytes, [&](std::span<const VectorRow> some) -> Status {
      AJAR_ASSIGN(const Reply reply, call("entities/upsert", [&](json::Writer& w) {
                    w.key("data");
                    w.begin_array();
                    for (const VectorRow& row : some) write_row(w, row);
                    w.end_array();
                  }));
      const auto count = find_at(reply.object, {"data", "upsertCount"});
      if (!count || json::as_int(*count) != int64_t(some.size())) return rest_.refused(Code::kUpstream, "took another number of rows than " + std::to_string(some.size()), reply.body);
      return {};
    });
  }

  Status erase(std::span<const uint32_t> rows) override {
    return in_batches(rows, 10'000, [&](std::span<const uint32_t> some) -> Status {
      std::string filter = "row in [";
      for (const uint32_t row : some) filter += (filter.back() == '[' ? "" : ",") + std::to_string(row);
      AJAR_TRY(call("entities/delete", [&](json::Writer& w) { w.field("filter", filter + "]"); }));
      return {};
    });
  }

  Result<std::vector<index::Scored>> search(std::span<const float> query, const Predicate& predicate, size_t limit) override {
    std::vector<index::Scored> out;
    if (predicate.kind == Predicate::Kind::kNothing) return out;
    AJAR_ASSIGN(const Reply reply, call("entities/search", [&](json::Writer& w) {
                  w.key("data");
                  w.begin_array();
                  write_vector(w, query);
                  w.end_array();
                  w.field("annsField", "vector");
                  w.field("limit", int64_t(limit));
                  if (const std::string filter = condition(predicate); !filter.empty()) w.field("filter", filter);
                  w.raw_field("outputFields", R"(["row"])");
                  w.field("consistencyLevel", consistency_);
                }));
    AJAR_TRY(each(reply, [&](const json::Object& one) -> bool {
      const auto row = json::find(one, "row");
      const auto score = json::find(one, "distance");  // of COSINE: the cosine
      const auto number = row ? row_of(*row) : std::nullopt;
      const auto cosine = score ? json::as_double(*score) : std::nullopt;
      if (!number || !cosine || !std::isfinite(*cosine)) return false;
      out.push_back({*number, float(*cosine)});
      return true;
    }));
    std::ranges::sort(out, index::better);
    return out;
  }

  Result<uint64_t> count() override {
    AJAR_ASSIGN(const Reply reply, call("entities/query", [&](json::Writer& w) {
                  w.field("filter", "");
                  w.raw_field("outputFields", R"x(["count(*)"])x");
                  w.field("consistencyLevel", consistency_);
                }));
    std::optional<uint32_t> count;
    AJAR_TRY(each(reply, [&](const json::Object& one) -> bool {
      const auto number = json::find(one, "count(*)");
      count = number ? row_of(*number) : std::nullopt;
      return count.has_value();
    }));
    if (!count) return rest_.refused(Code::kUpstream, "answered a count without a number", reply.body);
    return uint64_t{*count};
  }

  Result<std::vector<uint32_t>> rows(uint32_t first, uint32_t count) override {
    AJAR_ASSIGN(const Reply reply, call("entities/query", [&](json::Writer& w) {
                  w.field("filter", "row >= " + std::to_string(first) + " and row < " + std::to_string(uint64_t{first} + count));
                  w.raw_field("outputFields", R"(["row"])");
                  w.field("limit", int64_t{count});
                  w.field("consistencyLevel", consistency_);
                }));
    std::vector<uint32_t> out;
    AJAR_TRY(each(reply, [&](const json::Object& one) -> bool {
      const auto row = json::find(one, "row");
      const auto number = row ? row_of(*row) : std::nullopt;
      if (number && *number >= first && *number - first < count) out.push_back(*number);
      return number.has_value();
    }));
    std::ranges::sort(out);
    return out;
  }

  Status drop() override {
    auto dropped = call("collections/drop", [](json::Writer&) {});
    if (!dropped && dropped.error().code != Code::kNotFound) return std::unexpected(std::move(dropped).error());
    return {};
  }

 private:
  static std::vector<std::pair<std::string, std::string>> headers(const StoreOptions& options) {
    std::vector<std::pair<std::string, std::string>> out{{"accept-type-allow-int64", "true"}};  // or numbers come as strings
    if (!options.api_key.empty()) out.emplace_back("authorization", "Bearer " + options.api_key);
    return out;
  }

  template <class F>
  Result<Reply> call(const std::string& what, F fill) const {
    AJAR_ASSIGN(Reply reply, rest_.call("POST", "/v2/vectordb/" + what, json_object([&](json::Writer& w) {
                                          if (!database_.empty()) w.field("dbName", database_);
                                          w.field("collectionName", collection_);
                                          fill(w);
                                        })));
    const auto code = json::find(reply.object, "code");
    const auto number = code ? json::as_int(*code) : std::nullopt;
    if (number == 0) return reply;
    if (!number) return rest_.refused(Code::kUpstream, "answered without a code to " + what, reply.body);
    const std::string_view said = json::string_or(reply.object, "message");
    const Code kind = number == kNoSuchCollection ? Code::kNotFound : number == 8 || number == 1807 ? Code::kRateLimit : number == 1 || number == 2 ? Code::kUnavailable : Code::kUpstream;
    return rest_.refused(kind, (number == 1800 ? "does not take our key: answered code " : "answered code ") + std::to_string(*number) + " to " + what, said);
  }

  // f(object) of every element of `data`; false: it is not what it should be.
  template <class F>
  Status each(const Reply& reply, F f) const {
    const auto data = json::find(reply.object, "data");
    const auto list = data ? json::as_array(*data) : std::nullopt;
    if (!list) return rest_.refused(Code::kUpstream, "answered without a list in data", reply.body);
    for (const auto& one : *list) {
      const auto object = json::as_object(one);
      if (!object || !f(*object)) return rest_.refused(Code::kUpstream, "answered with something that is no row", json::raw(one));
    }
    return {};
  }

  Status check(uint32_t width) const {
    AJAR_ASSIGN(const Reply reply, call("collections/describe", [](json::Writer&) {}));
    bool fits = false, cosine = false;
    if (const auto fields = find_at(reply.object, {"data", "fields"}))
      if (const auto list = json::as_array(*fields))
        for (const auto& field : *list) {
          const auto object = json::as_object(field);
          const auto params = object && json::string_or(*object, "name") == "vector" ? json::find(*object, "params") : std::nullopt;
          const auto pairs = params ? json::as_array(*params) : std::nullopt;
          if (!pairs) continue;
          for (const auto& pair : *pairs)
            if (const auto one = json::as_object(pair); one && json::string_or(*one, "key") == "dim") {
              const auto dim = json::find(*one, "value");
              fits = dim && row_of(*dim) == width;
            }
        }
    if (const auto indexes = find_at(reply.object, {"data", "indexes"}))
      if (const auto list = json::as_array(*indexes))
        for (const auto& index : *list)
          if (const auto one = json::as_object(index); one && json::string_or(*one, "fieldName") == "vector") cosine = json::string_or(*one, "metricType") == "COSINE";
    if (!fits || !cosine) return rest_.refused(Code::kConflict, "has this collection already, not for vectors of " + std::to_string(width) + " numbers by cosine", {});
    return {};
  }

  static void write_row(json::Writer& w, const VectorRow& row) {
    w.begin_object();
    w.field("row", int64_t{row.row});
    w.field("document", row.fields->document);
    w.key("tags");
    write_strings(w, row.fields->tags);
    w.key("numbers");
    w.begin_object();
    for (const auto& [name, number] : row.fields->numbers) w.field(json::Name(name), number);
    w.end_object();
    w.key("vector");
    write_vector(w, row.vector);
    w.end_object();
  }

  const Rest rest_;
  const std::string collection_, database_, consistency_;
};

}  // namespace

std::unique_ptr<rag::VectorStore> open_milvus(const StoreOptions& options, const std::string& collection, const CallHttp& http) {
  return std::make_unique<Milvus>(options, collection, http);
}

}  // namespace ajar::vectors
