#include "learn/labelled.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/random.h"
#include "base/text.h"
#include "json/read.h"
#include "learn/csv.h"
#include "learn/file.h"

namespace ajar::learn {
namespace {

constexpr std::array<std::string_view, 6> kTextNames = {"text", "prompt", "question", "input", "utterance", "query"};
constexpr std::array<std::string_view, 4> kLabelNames = {"label", "category", "intent", "class"};

std::string at_line(std::string_view source, size_t line) { return std::string(source) + ":" + std::to_string(line); }

Status check(const Labelled& row, const std::string& where) {
  if (trim(row.text).empty()) return invalid("text", where + ": the text is empty");
  if (trim(row.label).empty()) return invalid("label", where + ": the label is empty");
  if (!valid_utf8(row.text) || !valid_utf8(row.label)) return invalid("text", where + ": not UTF-8");
  return {};
}

template <size_t N>
std::optional<size_t> column_of(const std::vector<std::string>& header, const std::array<std::string_view, N>& names) {
  for (const std::string_view name : names)
    for (size_t i = 0; i < header.size(); ++i)
      if (iequals(trim(header[i]), name)) return i;
  return std::nullopt;
}

Result<std::vector<Labelled>> parse_csv_rows(std::string_view bytes, std::string_view source) {
  AJAR_ASSIGN(const auto rows, parse_csv(bytes, source));
  if (rows.empty()) return invalid("rows", std::string(source) + ": no rows");
  size_t text = 0, label = 1, first = 0;
  const auto named_text = column_of(rows[0].fields, kTextNames), named_label = column_of(rows[0].fields, kLabelNames);
  if (named_text && named_label) {
    text = *named_text, label = *named_label, first = 1;
  } else if (rows[0].fields.size() != 2) {
    return invalid("header", at_line(source, 1) + ": " + std::to_string(rows[0].fields.size()) +
                                 " columns and no header with 'text' and 'label'");
  }
  std::vector<Labelled> out;
  for (size_t i = first; i < rows.size(); ++i) {
    const auto& [line, fields] = rows[i];
    if (fields.size() != rows[0].fields.size())
      return invalid("row", at_line(source, line) + ": " + std::to_string(fields.size()) + " columns, expected " +
                                std::to_string(rows[0].fields.size()));
    Labelled row{.text = fields[text], .label = std::string(trim(fields[label]))};
    AJAR_TRY(check(row, at_line(source, line)));
    out.push_back(std::move(row));
  }
  return out;
}

template <size_t N>
std::optional<json::Value> find_any(const json::Object& object, const std::array<std::string_view, N>& names) {
  for (const std::string_view name : names)
    if (const auto value = json::find(object, name)) return value;
  return std::nullopt;
}

std::string label_text(const json::Value& value) {
  const auto text = json::as_string(value);
  return text ? std::string(*text) : json::raw(value);
}

// {"text", "label"} or [text, label].
Result<Labelled> read_row(const json::Value& value, const std::string& where) {
  std::optional<json::Value> text, label;
  if (const auto object = json::as_object(value)) {
    text = find_any(*object, kTextNames), label = find_any(*object, kLabelNames);
  } else if (const auto pair = json::as_array(value); pair && pair->size() == 2) {
    text = pair->at(0).value_unsafe(), label = pair->at(1).value_unsafe();
  }
  if (!text || !json::as_string(*text)) return invalid("text", where + ": no text");
  if (!label) return invalid("label", where + ": no label");
  Labelled row{.text = std::string(*json::as_string(*text)), .label = label_text(*label)};
  AJAR_TRY(check(row, where));
  return row;
}

Status read_rows(const json::Array& array, std::string_view split, std::string_view source, std::vector<Labelled>& out) {
  size_t n = 0;
  for (const json::Value value : array) {
    const std::string where = std::string(source) + ": " + std::string(split) + "[" + std::to_string(n++) + "]";
    AJAR_ASSIGN(Labelled row, read_row(value, where));
    row.split = split;
    out.push_back(std::move(row));
  }
  return {};
}

Result<std::vector<Labelled>> parse_json_rows(const json::Value& value, std::string_view source) {
  std::vector<Labelled> out;
  if (const auto array = json::as_array(value)) AJAR_TRY(read_rows(*array, "", source, out));
  if (const auto object = json::as_object(value)) {
    for (const auto [split, rows] : *object) {
      const auto array = json::as_array(rows);
      if (!array) return invalid("json", std::string(source) + ": '" + std::string(split) + "' is no array of rows");
      AJAR_TRY(read_rows(*array, split, source, out));
    }
  }
  return out;
}

Result<std::vector<Labelled>> parse_lines(std::string_view bytes, std::string_view source) {
  std::vector<Labelled> out;
  json::Document document;
  size_t line = 0;
  for (const std::string_view text : split(bytes, '\n')) {
    ++line;
    if (trim(text).empty()) continue;
    auto value = document.parse(text);
    if (!value) return std::unexpected(std::move(value.error()).in(at_line(source, line)));
    AJAR_ASSIGN(Labelled row, read_row(*value, at_line(source, line)));
    out.push_back(std::move(row));
  }
  return out;
}

// More than one line, of which the first is a whole object.
bool is_lines(std::string_view bytes) {
  const std::string_view first = trim(bytes.substr(0, bytes.find('\n')));
  return first.starts_with('{') && first.ends_with('}') && json::explain(first).empty();
}

Result<std::vector<Labelled>> parse_any(std::string_view bytes, std::string_view source) {
  const std::string_view start = trim(bytes.substr(0, 4096));
  if (start.starts_with('{') || start.starts_with('[')) {
    json::Document document;
    const bool lines = is_lines(bytes);
    auto whole = document.parse(bytes);
    const auto object = whole ? json::as_object(*whole) : std::nullopt;
    const bool one_row = object && find_any(*object, kTextNames) && find_any(*object, kLabelNames);
    if (lines && (!whole || one_row)) return parse_lines(bytes, source);
    if (!whole) return std::unexpected(std::move(whole.error()).in(source));
    return parse_json_rows(*whole, source);
  }
  return parse_csv_rows(bytes, source);
}

}  // namespace

Result<std::vector<Labelled>> parse_labelled(std::string_view bytes, std::string_view source) {
  bytes = without_mark(bytes);
  AJAR_ASSIGN(auto rows, parse_any(bytes, source));
  if (rows.empty()) return invalid("rows", std::string(source) + ": no rows");
  return rows;
}

Result<LabelledFile> read_labelled(const std::string& path) {
  AJAR_ASSIGN(const std::string bytes, read_file(path, int64_t{1} << 30));
  LabelledFile out{.path = path, .sha256 = sha256_hex(bytes)};
  AJAR_ASSIGN(out.rows, parse_labelled(bytes, path));
  return out;
}

}  // namespace ajar::learn
