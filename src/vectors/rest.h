#pragma once
// What the stores that speak JSON over HTTP share: one call and what became of it, batches within the store's limits.

#include <mutex>
#include <optional>
#include <set>

#include "json/read.h"
#include "json/write.h"
#include "vectors/stores.h"

namespace ajar::vectors {

// A JSON object in the making.
template <class F>
std::string json_object(F fill) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  fill(w);
  w.end_object();
  return out;
}

void write_vector(json::Writer& w, std::span<const float> vector);
void write_strings(json::Writer& w, std::span<const std::string> texts);

// An answer whose body is read. Its values die with it.
struct Reply {
  int status = 0;
  std::string body;
  std::unique_ptr<json::Document> document = std::make_unique<json::Document>();
  json::Object object;  // empty where the body is none
};

class Rest {
 public:
  Rest(const StoreOptions& options, const std::string& collection, CallHttp http, std::vector<std::pair<std::string, std::string>> headers);

  const std::string& where() const { return where_; }
  // kUpstream and the like for any status of 400 and more, but for `fine`, which is handed back with what it said.
  Result<Reply> call(const std::string& method, const std::string& path, const std::string& body = {}, std::initializer_list<int> fine = {}) const;
  // The same where the answer may be an array or a plain text: only status and body.
  Result<HttpAnswer> call_raw(const std::string& method, const std::string& path, const std::string& body = {}, std::initializer_list<int> fine = {}) const;
  // An error that names the store and what it answered, cut short.
  std::unexpected<Error> refused(Code code, std::string_view what, std::string_view answer) const;

 private:
  StoreOptions options_;
  CallHttp http_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::string where_;
};

// Pieces of at most `most` rows whose vectors and fields are about `bytes` of JSON.
template <class F>
Status in_batches(std::span<const rag::VectorRow> rows, size_t most, size_t bytes, F send) {
  while (!rows.empty()) {
    size_t taken = 0, size = 0;
    while (taken < rows.size() && taken < most) {
      size_t one = 128 + rows[taken].vector.size() * 13 + rows[taken].fields->document.size() * 2;
      for (const auto& tag : rows[taken].fields->tags) one += tag.size() + 8;
      for (const auto& [name, number] : rows[taken].fields->numbers) one += name.size() + 32;
      if (taken > 0 && size + one > bytes) break;
      size += one;
      ++taken;
    }
    AJAR_TRY(send(rows.first(taken)));
    rows = rows.subspan(taken);
  }
  return {};
}
template <class F>
Status in_batches(std::span<const uint32_t> rows, size_t most, F send) {
  for (; !rows.empty(); rows = rows.subspan(std::min(most, rows.size()))) AJAR_TRY(send(rows.first(std::min(most, rows.size()))));
  return {};
}

// Names that are known to be there, so that each is asked for once.
class KnownNames {
 public:
  bool has(const std::string& name) const {
    std::lock_guard lock(lock_);
    return names_.contains(name);
  }
  void add(const std::string& name) {
    std::lock_guard lock(lock_);
    names_.insert(name);
  }
  void clear() {
    std::lock_guard lock(lock_);
    names_.clear();
  }

 private:
  mutable std::mutex lock_;
  std::set<std::string> names_;
};

// json::find along a path of objects.
std::optional<json::Value> find_at(const json::Object& object, std::initializer_list<std::string_view> path);
std::optional<uint32_t> row_of(const json::Value& value);  // a number, or a number in a string

}  // namespace ajar::vectors
