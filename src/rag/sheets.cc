// SpreadsheetML (ECMA-376 part 1, 18): sheets are pages, their names headings, rows rows. Dates are numbers with a format that
// says so; they are written as ISO 8601.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "base/text.h"
#include "rag/extract.h"
#include "rag/office.h"

namespace ajar::rag {
namespace {

std::string rich_text(const pugi::xml_node& node) {
  std::string text;
  for (const pugi::xml_node& child : node.children()) {
    const std::string_view name = local_name(child);
    if (name == "t") text += child.child_value();
    else if (name == "r") text += child_of(child, "t").child_value();
  }
  return text;
}

// Days since 1899-12-30 (or 1904-01-01) to a date; civil-from-days as Hinnant's "chrono-Compatible Low-Level Date Algorithms".
std::string date_text(double serial, bool from_1904) {
  if (!(serial >= 0 && serial < 2'958'466)) return {};
  const double days = std::floor(serial);
  int64_t z = static_cast<int64_t>(days) - (from_1904 ? 24107 : 25569) + 719468;
  const int64_t era = z / 146097, doe = z - era * 146097, yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153, day = doy - (153 * mp + 2) / 5 + 1;
  const int64_t month = mp < 10 ? mp + 3 : mp - 9, year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  const int seconds = static_cast<int>(std::lround((serial - days) * 86400)) % 86400;
  char text[64];
  if (serial < 1) std::snprintf(text, sizeof text, "%02d:%02d", seconds / 3600, seconds / 60 % 60);
  else if (seconds == 0) std::snprintf(text, sizeof text, "%04d-%02d-%02d", int(year), int(month), int(day));
  else std::snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d", int(year), int(month), int(day), seconds / 3600, seconds / 60 % 60);
  return text;
}

bool is_date_format(std::string_view code) {
  bool quoted = false;
  for (size_t i = 0; i < code.size(); ++i) {
    const char c = lower(code[i]);
    if (c == '"') quoted = !quoted;
    else if (c == '[') i = std::min(code.find(']', i), code.size());
    else if (c == '\\') ++i;
    else if (!quoted && (c == 'y' || c == 'd' || c == 'h')) return true;
  }
  return false;
}

struct Workbook {
  std::vector<std::string> strings;
  std::vector<bool> date_styles;
  bool from_1904 = false;
};

void read_styles(const Zip& zip, Workbook& book) {
  pugi::xml_document xml;
  if (!zip.has("xl/styles.xml") || !read_xml(zip, "xl/styles.xml", xml)) return;
  std::set<int64_t> dates = {14, 15, 16, 17, 18, 19, 20, 21, 22, 45, 46, 47};
  for (const pugi::xml_node& format : child_of(xml.document_element(), "numFmts").children())
    if (is_date_format(attribute(format, "formatCode"))) dates.insert(parse_int(attribute(format, "numFmtId")).value_or(-1));
  for (const pugi::xml_node& style : child_of(xml.document_element(), "cellXfs").children())
    book.date_styles.push_back(dates.contains(parse_int(attribute(style, "numFmtId")).value_or(0)));
}

std::string cell_text(const pugi::xml_node& cell, const Workbook& book) {
  const std::string_view type = attribute(cell, "t"), value = child_of(cell, "v").child_value();
  if (type == "s") {
    const auto at = parse_int(value);
    return at && *at >= 0 && static_cast<size_t>(*at) < book.strings.size() ? book.strings[static_cast<size_t>(*at)] : "";
  }
  if (type == "inlineStr") return rich_text(child_of(cell, "is"));
  if (type == "b") return value == "1" ? "TRUE" : "FALSE";
  const auto style = parse_int(attribute(cell, "s"));
  if (type.empty() && style && *style >= 0 && static_cast<size_t>(*style) < book.date_styles.size() && book.date_styles[static_cast<size_t>(*style)])
    if (const auto serial = parse_double(value))
      if (std::string date = date_text(*serial, book.from_1904); !date.empty()) return date;
  return std::string(value);
}

// "C12" to 2; -1 when there is none.
int column_of(std::string_view reference) {
  int column = 0;
  for (const char c : reference) {
    if (c < 'A' || c > 'Z' || column > 16384) break;
    column = column * 26 + (c - 'A' + 1);
  }
  return column - 1;
}

void read_sheet(const pugi::xml_node& sheet, const Workbook& book, TextBuilder& out) {
  for (const pugi::xml_node& row : child_of(sheet, "sheetData").children()) {
    std::vector<std::string> cells;
    for (const pugi::xml_node& cell : row.children()) {
      const int column = column_of(attribute(cell, "r"));
      // A gap shows as one empty cell: thousands of them say no more.
      if (column > static_cast<int>(cells.size())) cells.resize(cells.size() + 1);
      cells.push_back(cell_text(cell, book));
    }
    out.row(cells);
    if (out.full()) return;
  }
}

}  // namespace

Result<Extracted> extract_xlsx(std::string_view bytes) {
  AJAR_ASSIGN(const Zip zip, Zip::open(bytes));
  const std::string main = "xl/workbook.xml";
  pugi::xml_document xml;
  AJAR_TRY(read_xml(zip, main, xml));
  Workbook book;
  const std::string_view old = attribute(child_of(xml.document_element(), "workbookPr"), "date1904");
  book.from_1904 = old == "1" || old == "true";
  read_styles(zip, book);
  const auto targets = relations(zip, main);
  for (const auto& [id, part] : targets) {
    pugi::xml_document strings;
    if (!to_lower(part).ends_with("sharedstrings.xml") || !read_xml(zip, part, strings)) continue;
    for (const pugi::xml_node& one : strings.document_element().children()) book.strings.push_back(rich_text(one));
  }
  TextBuilder out;
  uint32_t number = 0;
  for (const pugi::xml_node& sheet : child_of(xml.document_element(), "sheets").children()) {
    out.page(++number);
    std::string id;
    for (const pugi::xml_attribute& a : sheet.attributes())
      if (std::string_view(a.name()).ends_with(":id")) id = a.value();
    const auto it = targets.find(id);
    if (it == targets.end()) continue;
    pugi::xml_document page;
    if (const Status read = read_xml(zip, it->second, page); !read) {
      out.note(read.error().message);
      continue;
    }
    out.heading(1, attribute(sheet, "name"));
    read_sheet(page.document_element(), book, out);
    for (const auto& [key, part] : relations(zip, it->second)) {
      pugi::xml_document extra;
      if ((part.find("comments") != std::string::npos || part.find("drawings/drawing") != std::string::npos) && read_xml(zip, part, extra))
        out.paragraph(all_text(extra));
    }
  }
  return out.finish("xlsx");
}

}  // namespace ajar::rag
