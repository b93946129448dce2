// Plain text, tables of separated values (RFC 4180) and JSON.

#include <algorithm>

#include "base/text.h"
#include "json/read.h"
#include "rag/extract.h"

namespace ajar::rag {
namespace {

std::string_view without_return(std::string_view line) { return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line; }

int count_outside_quotes(std::string_view line, char separator) {
  int n = 0;
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    else if (c == separator && !quoted) ++n;
  }
  return n;
}

// One record from `at` on; quoted fields may hold line ends.
std::vector<std::string> record(std::string_view text, size_t& at, char separator) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c != '"') cells.back() += c;
      else if (at + 1 < text.size() && text[at + 1] == '"') cells.back() += '"', ++at;
      else quoted = false;
    } else if (c == '"' && trim(cells.back()).empty()) {
      quoted = true, cells.back().clear();
    } else if (c == separator) {
      cells.emplace_back();
    } else if (c == '\n') {
      ++at;
      break;
    } else if (c != '\r') {
      cells.back() += c;
    }
  }
  return cells;
}

// A first row of names: short words without numbers, all different.
bool is_header(const std::vector<std::string>& cells) {
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string_view cell = trim(cells[i]);
    if (cell.empty() || cell.size() > 60 || parse_double(cell)) return false;
    for (size_t j = 0; j < i; ++j)
      if (trim(cells[j]) == cell) return false;
  }
  return cells.size() >= 2;
}

void json_into(const json::Value& value, const std::string& path, TextBuilder& out) {
  if (const auto object = json::as_object(value)) {
    for (const auto& [key, member] : *object) json_into(member, path.empty() ? std::string(key) : path + "." + std::string(key), out);
  } else if (const auto array = json::as_array(value)) {
    size_t i = 0;
    for (const auto& member : *array) json_into(member, path + "[" + std::to_string(i++) + "]", out);
  } else if (const auto text = json::as_string(value)) {
    if (!text->empty()) out.row({path.empty() ? std::string(*text) : path + ": " + std::string(*text)});
  } else if (!value.is_null()) {
    out.row({path.empty() ? json::raw(value) : path + ": " + json::raw(value)});
  }
}

}  // namespace

Result<Extracted> extract_text(std::string_view utf8) {
  TextBuilder out;
  std::string paragraph;
  uint32_t page = 1;
  const bool pages = utf8.find('\f') != std::string_view::npos;
  if (pages) out.page(page);
  for (size_t at = 0; at <= utf8.size();) {
    const size_t end = std::min(utf8.find('\n', at), utf8.size());
    std::string_view line = without_return(utf8.substr(at, end - at));
    at = end + 1;
    for (size_t feed; pages && (feed = line.find('\f')) != std::string_view::npos; line.remove_prefix(feed + 1)) {
      paragraph += line.substr(0, feed);
      out.paragraph(paragraph), paragraph.clear();
      out.page(++page);
    }
    if (trim(line).empty()) out.paragraph(paragraph), paragraph.clear();
    else (paragraph += line) += '\n';
    // A file without empty lines is still cut somewhere.
    if (paragraph.size() > 8192) out.paragraph(paragraph), paragraph.clear();
  }
  out.paragraph(paragraph);
  return out.finish("txt");
}

Result<Extracted> extract_csv(std::string_view utf8) {
  const std::string_view first = utf8.substr(0, utf8.find('\n'));
  char separator = ',';
  for (const char c : {';', '\t', '|'})
    if (count_outside_quotes(first, c) > count_outside_quotes(first, separator)) separator = c;
  TextBuilder out;
  std::vector<std::string> names;
  size_t at = 0;
  for (bool start = true; at < utf8.size() && !out.full(); start = false) {
    std::vector<std::string> cells = record(utf8, at, separator);
    if (start && is_header(cells)) {
      names = cells;
      out.row(cells);
      continue;
    }
    // Each row says what its cells are, so that it can be found and read alone.
    for (size_t i = 0; i < cells.size() && i < names.size(); ++i)
      if (!trim(cells[i]).empty()) cells[i] = std::string(trim(names[i])) + ": " + cells[i];
    if (!names.empty()) std::erase_if(cells, [](const std::string& cell) { return trim(cell).empty(); });
    out.row(cells);
  }
  return out.finish("csv");
}

Result<Extracted> extract_json(std::string_view utf8) {
  json::Document document;
  auto value = document.parse(utf8);
  if (!value) return extract_text(utf8);  // JSON lines, or cut short: still worth finding
  TextBuilder out;
  json_into(*value, "", out);
  return out.finish("json");
}

}  // namespace ajar::rag
