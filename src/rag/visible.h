#pragma once
// Which rows a reader may see: access and metadata as one set of rows, made before anything is scored. Most documents are in a
// table that is mapped from a file; what was added, changed or removed since lies in memory beside it. The owner has a lock for it.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rag/documents_table.h"

namespace ajar::rag {

class Visible {
 public:
  void add(VisibleDocument document, const Metadata& metadata);  // whose id is not there
  void remove(std::string_view id);                              // may be absent
  std::optional<VisibleDocument> find(std::string_view id) const;
  std::optional<VisibleDocument> of_row(uint32_t row) const;
  static bool may_read(const VisibleDocument& document, const Reader& reader);

  // Rows of documents that the reader may see and the filter keeps. kInvalid: the filter names a field that no
  // document has; says which there are.
  Result<index::Bitmap> rows(const Reader& reader, const Filter& filter) const;
  // f(value) for every value of the field that some document has, some of them twice, and perhaps for some that none has any more.
  template <class F>
  void each_value(std::string_view field, F f) const {
    const auto old = base_ ? base_->find_field(field) : std::nullopt;
    for (uint32_t at = old ? base_->first_value(*old) : 0; old && at < base_->last_value(*old); ++at) f(base_->value(at));
    if (const auto it = fields_.find(field); it != fields_.end())
      for (const auto& [value, list] : it->second) f(value);
  }
  const index::Bitmap& live() const { return live_; }
  size_t documents() const { return (base_ ? base_->documents() - dead_count_ : 0) + by_id_.size(); }
  // How many documents have come or gone since the table was made.
  size_t changes() const { return dead_count_ + by_id_.size(); }

  // A table of all that is here now, and its place instead of the one that was there: nothing that can be asked changes.
  std::string table() const { return DocumentsTable::merge(base_.get(), dead_, documents_, fields_); }
  void adopt(std::shared_ptr<const DocumentsTable> table);
  // Documents with rows, by language.
  std::map<index::Language, size_t> languages() const;

 private:
  struct Kept {  // ordinals of the table's documents and of the others
    index::Bitmap old, added;
  };
  Result<Kept> matching(const Filter& filter) const;
  bool has_field(std::string_view name) const;
  std::string field_names() const;
  static void erase(Ordinals& list, uint32_t ordinal);

  std::shared_ptr<const DocumentsTable> base_;             // null: none
  index::Bitmap dead_;                                     // of its documents: gone, or in memory in another form
  size_t dead_count_ = 0;

  std::vector<std::optional<VisibleDocument>> documents_;  // by ordinal
  std::vector<Metadata> metadata_;                         // of each
  std::vector<uint32_t> free_;                             // ordinals to be used again
  std::unordered_map<std::string, uint32_t> by_id_;
  std::map<uint32_t, uint32_t> by_row_;                    // first row to ordinal
  FieldValues fields_;
  std::unordered_map<std::string, Ordinals> by_principal_;

  index::Bitmap live_, open_;                              // rows of all documents; of those for everyone
};

}  // namespace ajar::rag
