#pragma once
// What must be known of every document to say which rows a reader may see, as one immutable file that is mapped: places, access
// lists and, the other way round, the documents of every principal and of every value of every metadata field. Derived: SQLite has
// the truth, and says by its checksum which file fits it. A million documents with one field take about 40 MiB of mapped pages.
//
//   "AJARTAB1", u64 bytes of each section, the sections (each padded to 8), checksum
// Documents are numbered (an ordinal) by their first row, so that the documents of a list become runs of rows.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "index/analyzer.h"
#include "index/bitmap.h"
#include "index/segment_file.h"
#include "rag/metadata.h"

namespace ajar::rag {

struct VisibleDocument {
  std::string id;
  uint32_t first_row = 0, rows = 0;
  std::optional<std::vector<std::string>> allow;  // nothing: everyone
  index::Language language = index::Language::kNone;
};

using Ordinals = std::vector<uint32_t>;  // ascending
struct ByKindThenValue {
  bool operator()(const Value& a, const Value& b) const { return a < b; }
};
using FieldValues = std::map<std::string, std::map<Value, Ordinals, ByKindThenValue>, std::less<>>;

class DocumentsTable {
 public:
  // A list of ordinals in the file.
  class Postings {
   public:
    Postings(const char* at, size_t count) : at_(at), count_(count) {}
    size_t size() const { return count_; }
    uint32_t operator[](size_t i) const {
      uint32_t value;
      __builtin_memcpy(&value, at_ + i * 4, 4);
      return value;
    }

   private:
    const char* at_;
    size_t count_;
  };

  static Result<std::shared_ptr<const DocumentsTable>> open(std::shared_ptr<const index::Buffer> buffer);  // kInvalid: damaged

  // A new table of what is left of `base` (null: nothing) and of others. `fields` has ordinals of `added`; an empty place of
  // `added` is no document. Sealed bytes.
  static std::string merge(const DocumentsTable* base, const index::Bitmap& dead, std::span<const std::optional<VisibleDocument>> added,
                           const FieldValues& fields);

  uint32_t documents() const { return documents_; }
  uint32_t first_row(uint32_t ordinal) const { return load(kFirstRow, ordinal); }
  uint32_t rows(uint32_t ordinal) const { return load(kRows, ordinal); }
  index::Language language(uint32_t ordinal) const { return static_cast<index::Language>(sections_[kLanguage][ordinal]); }
  bool open_to_all(uint32_t ordinal) const { return load(kAllow, ordinal) == 0; }
  std::string_view id(uint32_t ordinal) const { return text(kIdEnd, kIds, ordinal); }
  VisibleDocument document(uint32_t ordinal) const;
  std::optional<uint32_t> find(std::string_view id) const;
  std::optional<uint32_t> of_row(uint32_t row) const;          // also of a document that has gone since
  Postings of_principal(std::string_view principal) const;     // empty: nobody has heard of it

  uint32_t fields() const { return fields_; }
  std::string_view field_name(uint32_t field) const { return text(kNameEnd, kNames, field); }
  std::optional<uint32_t> find_field(std::string_view name) const;
  // Values of a field are [first, last), in the order of ByKindThenValue.
  uint32_t first_value(uint32_t field) const { return load(kFieldValues, field); }
  uint32_t last_value(uint32_t field) const { return load(kFieldValues, field + 1); }
  Value value(uint32_t at) const;
  Postings of_value(uint32_t at) const { return postings(kValuePostingEnd, kValuePostings, at); }

 private:
  // 32-bit arrays, but for kLanguage, kKinds and texts (bytes) and what ends in End (64-bit, one more than there are things).
  enum Section : uint8_t {
    kFirstRow, kRows, kLanguage, kAllow, kById, kIdEnd, kIds, kListEnd, kListPrincipals, kPrincipalEnd, kPrincipals, kPrincipalPostingEnd,
    kPrincipalPostings, kNameEnd, kNames, kFieldValues, kKinds, kValueEnd, kValues, kValuePostingEnd, kValuePostings, kSections
  };
  struct Writer;

  uint32_t load(Section section, size_t i) const {
    uint32_t value;
    __builtin_memcpy(&value, sections_[section] + i * 4, 4);
    return value;
  }
  uint64_t end_of(Section section, size_t i) const {
    uint64_t value;
    __builtin_memcpy(&value, sections_[section] + i * 8, 8);
    return value;
  }
  std::string_view text(Section ends, Section bytes, size_t i) const {
    const uint64_t from = end_of(ends, i);
    return {sections_[bytes] + from, end_of(ends, i + 1) - from};
  }
  Postings postings(Section ends, Section bytes, size_t i) const {
    const uint64_t from = end_of(ends, i);
    return {sections_[bytes] + from * 4, end_of(ends, i + 1) - from};
  }
  bool sound(const uint64_t (&sizes)[kSections]);  // nothing points outside; sets the counts

  std::shared_ptr<const index::Buffer> buffer_;
  const char* sections_[kSections] = {};
  uint32_t documents_ = 0, lists_ = 0, principals_ = 0, fields_ = 0, values_ = 0;
};

}  // namespace ajar::rag
