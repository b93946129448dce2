// Weaviate over REST and GraphQL, v1 (1.26 and later). https://docs.weaviate.io/weaviate/api/rest
//
// A class has a capital first; objects have UUIDs, so a row's number is the end of one (version 8 of RFC 9562). The width of
// vectors is nowhere in a schema: it stands in the class's description. Numbers become properties when they first occur; a row is one too,
// because GraphQL's integers have 32 bits and a sign.

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "vectors/rest.h"

namespace ajar::vectors {
namespace {

using rag::Predicate;
using rag::VectorRow;

constexpr size_t kBatchRows = 500, kBatchBytes = 8 << 20;
constexpr std::string_view kDescription = "ajar: width ";

std::string uuid_of(uint32_t row) {
  std::array<char, 37> out;
  std::snprintf(out.data(), out.size(), "616a6172-0000-8000-8000-0000%08x", row);
  return out.data();
}

std::string graphql_string(std::string_view text) {  // GraphQL's strings have JSON's escapes
  std::string out;
  json::append_string(out, text);
  return out;
}

class Weaviate final : public rag::VectorStore {
 public:
  Weaviate(const StoreOptions& options, const std::string& collection, const CallHttp& http)
      : rest_(options, "class " + class_of(collection), http, headers(options)), class_(class_of(collection)),
        consistency_(options.consistency.empty() ? "QUORUM" : options.consistency) {}

  std::string where() const override { return rest_.where(); }

  Status health() override {
    AJAR_TRY(rest_.call("GET", "/v1/meta"));
    return {};
  }

  Result<bool> create(uint32_t width) override {
    const std::string description = std::string(kDescription) + std::to_string(width);
    AJAR_ASSIGN(const Reply there, rest_.call("GET", "/v1/schema/" + class_, {}, {404}));
    if (there.status == 200) {
      const auto distance = find_at(there.object, {"vectorIndexConfig", "distance"});
      if (json::string_or(there.object, "description") != description || !distance || json::as_string(*distance) != "cosine") {
        return rest_.refused(Code::kConflict, "has this class already, not for vectors of " + std::to_string(width) + " numbers by cosine", {});
      }
      learn(there);
      return false;
    }
    AJAR_TRY(rest_.call("POST", "/v1/schema", json_object([&](json::Writer& w) {
                          w.field("class", class_);
                          w.field("description", description);
                          w.field("vectorizer", "none");
                          w.field("vectorIndexType", "hnsw");
                          w.raw_field("vectorIndexConfig", R"({"distance":"cosine"})");
                          w.raw_field("properties", R"([{"name":"row","dataType":["number"],"indexFilterable":true,"indexRangeFilters":true},)"
                                                    R"({"name":"document","dataType":["text"],"indexFilterable":false,"indexSearchable":false},)"
                                                    R"({"name":"tags","dataType":["text[]"],"tokenization":"field","indexFilterable":true,"indexSearchable":false}])");
                        })));
    numbers_.clear();
    return true;
  }

  Status upsert(std::span<const VectorRow> rows) override {
    AJAR_ASSIGN(const Reply schema, rest_.call("GET", "/v1/schema/" + class_));
    learn(schema);
    const std::string_view description = json::string_or(schema.object, "description");
    for (const VectorRow& row : rows) {
      if (description != std::string(kDescription) + std::to_string(row.vector.size())) return rest_.refused(Code::kUpstream, "is for vectors of another width", description);
      for (const auto& [name, number] : row.fields->numbers) AJAR_TRY(make_number(name));
    }
    return in_batches(rows, kBatchRows, kBatchBytes, [&](std::span<const VectorRow> some) -> Status {
      AJAR_ASSIGN(const HttpAnswer answer, rest_.call_raw("POST", "/v1/batch/objects?consistency_level=" + consistency_, json_object([&](json::Writer& w) {
                                                            w.key("objects");
                                                            w.begin_array();
                                                            for (const VectorRow& row : some) write_row(w, row);
                                                            w.end_array();
                                                          })));
      return taken(answer.body, some.size());
    });
  }

  Status erase(std::span<const uint32_t> rows) override {
    return in_batches(rows, 1000, [&](std::span<const uint32_t> some) -> Status {  // a call deletes 10,000 at the most
      AJAR_ASSIGN(const Reply reply, rest_.call("DELETE", "/v1/batch/objects?consistency_level=" + consistency_, json_object([&](json::Writer& w) {
                                                  w.key("match");
                                                  w.begin_object();
                                                  w.field("class", class_);
                                                  w.key("where");
                                                  w.begin_object();
                                                  w.raw_field("path", R"(["id"])");
                                                  w.field("operator", "ContainsAny");
                                                  w.key("valueTextArray");
                                                  w.begin_array();
                                                  for (const uint32_t row : some) w.string(uuid_of(row));
                                                  w.end_array();
                                                  w.end_object();
                                                  w.end_object();
                                                  w.field("output", "minimal");
                                                })));
      const auto failed = find_at(reply.object, {"results", "failed"});
      if (!failed || json::as_int(*failed) != 0) return rest_.refused(Code::kUpstream, "did not delete all", reply.body);
      return {};
    });
  }

  Result<std::vector<index::Scored>> search(std::span<const float> query, const Predicate& predicate, size_t limit) override {
    std::vector<index::Scored> out;
    if (predicate.kind == Predicate::Kind::kNothing) return out;
    std::string vector;
    json::Writer w(vector);
    write_vector(w, query);
    std::string where;
    if (predicate.kind != Predicate::Kind::kEverything) {
      AJAR_TRY(know_numbers());
      where = " where: " + condition(predicate);
    }
    AJAR_TRY(get("nearVector: {vector: " + vector + "} limit: " + std::to_string(limit) + where, "row _additional { distance }", [&](const json::Object& one) -> bool {
      const auto row = json::find(one, "row");
      const auto distance = find_at(one, {"_additional", "distance"});
      const auto number = row ? row_of(*row) : std::nullopt;
      const auto apart = distance ? json::as_double(*distance) : std::nullopt;
      if (!number || !apart || !std::isfinite(*apart)) return false;
      out.push_back({*number, float(1 - *apart)});
      return true;
    }));
    return out;
  }

  Result<uint64_t> count() override {
    AJAR_ASSIGN(const Reply reply, graphql("{ Aggregate { " + class_ + " { meta { count } } } }"));
    const auto list = find_at(reply.object, {"data", "Aggregate", class_});
    if (const auto array = list ? json::as_array(*list) : std::nullopt)
      for (const auto& one : *array)
        if (const auto object = json::as_object(one))
          if (const auto count = find_at(*object, {"meta", "count"}); count && json::as_int(*count).value_or(-1) >= 0) return uint64_t(*json::as_int(*count));
    return rest_.refused(Code::kUpstream, "answered a count without a number", reply.body);
  }

  Result<std::vector<uint32_t>> rows(uint32_t first, uint32_t count) override {
    std::vector<uint32_t> out;
    const std::string where = "{operator: And operands: [{path: [\"row\"] operator: GreaterThanEqual valueNumber: " + std::to_string(first) +
                              "} {path: [\"row\"] operator: LessThan valueNumber: " + std::to_string(uint64_t{first} + count) + "}]}";
    AJAR_TRY(get("where: " + where + " limit: " + std::to_string(count), "row", [&](const json::Object& one) -> bool {
      const auto row = json::find(one, "row");
      const auto number = row ? row_of(*row) : std::nullopt;
      if (number && *number >= first && *number - first < count) out.push_back(*number);
      return number.has_value();
    }));
    std::ranges::sort(out);
    return out;
  }

  Status drop() override {
    AJAR_TRY(rest_.call("DELETE", "/v1/schema/" + class_, {}, {404}));
    numbers_.clear();
    return {};
  }

 private:
  static std::vector<std::pair<std::string, std::string>> headers(const StoreOptions& options) {
    if (options.api_key.empty()) return {};
    return {{"authorization", "Bearer " + options.api_key}};
  }
  static std::string class_of(std::string collection) {
    if (collection[0] >= 'a' && collection[0] <= 'z') collection[0] = static_cast<char>(collection[0] - 32);
    return collection;
  }

  // A condition as GraphQL. A number that no object has is no property yet, and to ask for it would be an error.
  std::string condition(const Predicate& predicate) const {
    using Kind = Predicate::Kind;
    const auto joined = [](std::string_view how, const std::vector<std::string>& parts) {
      std::string out = "{operator: " + std::string(how) + " operands: [";
      for (const std::string& part : parts) out += part + " ";
      return out + "]}";
    };
    switch (predicate.kind) {
      case Kind::kEverything:
      case Kind::kNothing: return "{path: [\"row\"] operator: LessThan valueNumber: 0}";
      case Kind::kAny: {
        std::string list;
        json::Writer w(list);
        write_strings(w, predicate.tags);
        return "{path: [\"tags\"] operator: ContainsAny valueText: " + list + "}";
      }
      case Kind::kNone: {
        std::vector<std::string> parts;
        for (const std::string& tag : predicate.tags) parts.push_back("{path: [\"tags\"] operator: NotEqual valueText: " + graphql_string(tag) + "}");
        return parts.size() == 1 ? parts.front() : joined("And", parts);
      }
      case Kind::kAnd:
      case Kind::kOr: {
        std::vector<std::string> parts;
        for (const Predicate& part : predicate.parts) parts.push_back(condition(part));
        return joined(predicate.kind == Kind::kAnd ? "And" : "Or", parts);
      }
      default: break;
    }
    if (!numbers_.has(predicate.number)) return condition({.kind = Kind::kNothing});
    std::string out = "{path: [\"" + predicate.number + "\"] operator: ";
    out += predicate.kind == Kind::kGt ? "GreaterThan" : predicate.kind == Kind::kGe ? "GreaterThanEqual" : predicate.kind == Kind::kLt ? "LessThan" : "LessThanEqual";
    out += " valueNumber: ";
    json::append_double(out, predicate.bound);
    return out + "}";
  }

  Result<Reply> graphql(const std::string& query) const {
    AJAR_ASSIGN(Reply reply, rest_.call("POST", "/v1/graphql", json_object([&](json::Writer& w) { w.field("query", query); })));
    if (const auto errors = json::find(reply.object, "errors")) {
      const std::string said = json::raw(*errors);
      // Of a class that is not there GraphQL knows no name.
      const bool gone = said.find("Cannot query field \\\"" + class_ + "\\\"") != said.npos;
      return rest_.refused(gone ? Code::kNotFound : Code::kUpstream, "answered errors", said);
    }
    return reply;
  }

  // f(object) of every object that Get finds; false: it is not what it should be.
  template <class F>
  Status get(const std::string& arguments, const std::string& fields, F f) const {
    AJAR_ASSIGN(const Reply reply, graphql("{ Get { " + class_ + "(" + arguments + ") { " + fields + " } } }"));
    const auto list = find_at(reply.object, {"data", "Get", class_});
    const auto array = list ? json::as_array(*list) : std::nullopt;
    if (!array) return rest_.refused(Code::kUpstream, "answered without a list in data.Get", reply.body);
    for (const auto& one : *array) {
      const auto object = json::as_object(one);
      if (!object || !f(*object)) return rest_.refused(Code::kUpstream, "answered with something that is no row", json::raw(one));
    }
    return {};
  }

  // Which numbers the class has.
  void learn(const Reply& schema) {
    if (const auto properties = json::find(schema.object, "properties"))
      if (const auto list = json::as_array(*properties))
        for (const auto& one : *list)
          if (const auto property = json::as_object(one)) numbers_.add(std::string(json::string_or(*property, "name")));
    known_ = true;
  }
  Status know_numbers() {
    if (known_) return {};
    AJAR_ASSIGN(const Reply schema, rest_.call("GET", "/v1/schema/" + class_));
    learn(schema);
    return {};
  }
  Status make_number(const std::string& name) {
    if (numbers_.has(name)) return {};
    AJAR_TRY(rest_.call("POST", "/v1/schema/" + class_ + "/properties", json_object([&](json::Writer& w) {
                          w.field("name", name);
                          w.raw_field("dataType", R"(["number"])");
                          w.field("indexFilterable", true);
                          w.field("indexRangeFilters", true);
                        })));
    numbers_.add(name);
    return {};
  }

  // Every object of a batch has its own result, beside a status of 200.
  Status taken(const std::string& body, size_t count) const {
    json::Document document;
    const auto value = document.parse(body);
    const auto list = value ? json::as_array(*value) : std::nullopt;
    if (!list || list->size() != count) return rest_.refused(Code::kUpstream, "answered a batch with another number of results than " + std::to_string(count), body);
    for (const auto& one : *list) {
      const auto object = json::as_object(one);
      const auto result = object ? find_at(*object, {"result"}) : std::nullopt;
      const auto inner = result ? json::as_object(*result) : std::nullopt;
      if (!inner || json::find(*inner, "errors") || json::string_or(*inner, "status", "SUCCESS") != "SUCCESS") {
        return rest_.refused(Code::kUpstream, "did not take a row", result ? json::raw(*result) : json::raw(one));
      }
    }
    return {};
  }

  void write_row(json::Writer& w, const VectorRow& row) const {
    w.begin_object();
    w.field("class", class_);
    w.field("id", uuid_of(row.row));
    w.key("properties");
    w.begin_object();
    w.field("row", int64_t{row.row});
    w.field("document", row.fields->document);
    w.key("tags");
    write_strings(w, row.fields->tags);
    for (const auto& [name, number] : row.fields->numbers) w.field(json::Name(name), number);
    w.end_object();
    w.key("vector");
    write_vector(w, row.vector);
    w.end_object();
  }

  const Rest rest_;
  const std::string class_, consistency_;
  KnownNames numbers_;                // properties of the class
  std::atomic<bool> known_ = false;
};

}  // namespace

std::unique_ptr<rag::VectorStore> open_weaviate(const StoreOptions& options, const std::string& collection, const CallHttp& http) {
  return std::make_unique<Weaviate>(options, collection, http);
}

}  // namespace ajar::vectors
