#pragma once
// Which rows a reader may see: access and metadata as one set of rows, made before anything is scored. In memory, rebuilt when
// the collection is opened. The owner has a lock for it.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "index/analyzer.h"
#include "index/bitmap.h"
#include "rag/metadata.h"

namespace ajar::rag {

struct VisibleDocument {
  std::string id;
  uint32_t first_row = 0, rows = 0;
  std::optional<std::vector<std::string>> allow;  // nothing: everyone
  Metadata metadata;
  index::Language language = index::Language::kNone;
};

class Visible {
 public:
  void add(VisibleDocument document);      // whose id is not there
  void remove(std::string_view id);        // may be absent
  const VisibleDocument* find(std::string_view id) const;
  const VisibleDocument* of_row(uint32_t row) const;
  bool may_read(const VisibleDocument& document, const Reader& reader) const;

  // Rows of documents that the reader may see and the filter keeps. kInvalid: the filter names a field that no
  // document has; says which there are.
  Result<index::Bitmap> rows(const Reader& reader, const Filter& filter) const;
  // f(value) for every value of the field that some document has; none where no document has it.
  template <class F>
  void each_value(std::string_view field, F f) const {
    if (const auto it = fields_.find(field); it != fields_.end())
      for (const auto& [value, list] : it->second) f(value);
  }
  const index::Bitmap& live() const { return live_; }
  size_t documents() const { return by_id_.size(); }

 private:
  using Ordinals = std::vector<uint32_t>;  // ascending
  struct Less {                            // kinds apart, then by value
    bool operator()(const Value& a, const Value& b) const { return a < b; }
  };
  Result<index::Bitmap> matching(const Filter& filter) const;  // ordinals
  static void erase(Ordinals& list, uint32_t ordinal);

  std::vector<std::optional<VisibleDocument>> documents_;  // by ordinal
  std::vector<uint32_t> free_;                             // ordinals to be used again
  std::unordered_map<std::string, uint32_t> by_id_;
  std::map<uint32_t, uint32_t> by_row_;                    // first row to ordinal
  std::map<std::string, std::map<Value, Ordinals, Less>, std::less<>> fields_;
  std::unordered_map<std::string, Ordinals> by_principal_;
  index::Bitmap live_, open_;                              // rows of all documents; of those for everyone
};

}  // namespace ajar::rag
