#include "learn/csv.h"

#include <algorithm>

namespace ajar::learn {
namespace {

class Reader {
 public:
  Reader(std::string_view bytes, std::string_view source) : bytes_(bytes), source_(source) {}

  Result<std::vector<CsvRow>> read() {
    std::vector<CsvRow> rows;
    while (at_ < bytes_.size()) {
      CsvRow row{.line = line_};
      AJAR_TRY(read_row(row));
      if (row.fields.size() > 1 || !row.fields[0].empty()) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  Status read_row(CsvRow& row) {
    while (true) {
      std::string field;
      if (at_ < bytes_.size() && bytes_[at_] == '"') {
        AJAR_TRY(read_quoted(field));
      } else {
        const size_t end = std::min(bytes_.find_first_of(",\n", at_), bytes_.size());
        field = bytes_.substr(at_, end - at_);
        if (field.ends_with('\r') && (end == bytes_.size() || bytes_[end] == '\n')) field.pop_back();
        at_ = end;
      }
      row.fields.push_back(std::move(field));
      if (at_ == bytes_.size()) return {};
      const char after = bytes_[at_++];
      if (after == ',') continue;
      ++line_;
      return {};
    }
  }

  // Leaves at_ at a comma, a line end or the end.
  Status read_quoted(std::string& field) {
    const size_t from = line_;
    for (++at_; at_ < bytes_.size(); ++at_) {
      const char c = bytes_[at_];
      if (c == '\n') ++line_;
      if (c != '"') {
        field.push_back(c);
        continue;
      }
      if (at_ + 1 < bytes_.size() && bytes_[at_ + 1] == '"') {
        field.push_back('"'), ++at_;
        continue;
      }
      ++at_;
      if (at_ < bytes_.size() && bytes_[at_] == '\r' && (at_ + 1 == bytes_.size() || bytes_[at_ + 1] == '\n')) ++at_;
      if (at_ == bytes_.size() || bytes_[at_] == ',' || bytes_[at_] == '\n') return {};
      return invalid("csv", std::string(source_) + ":" + std::to_string(line_) + ": text after a closing quote");
    }
    return invalid("csv", std::string(source_) + ":" + std::to_string(from) + ": a quote that never closes");
  }

  std::string_view bytes_, source_;
  size_t at_ = 0, line_ = 1;
};

}  // namespace

Result<std::vector<CsvRow>> parse_csv(std::string_view bytes, std::string_view source) { return Reader(bytes, source).read(); }

}  // namespace ajar::learn
