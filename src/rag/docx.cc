// WordprocessingML (ECMA-376 part 1, 17): paragraphs in order, headings by style or outline level, tables by rows, text boxes
// after the paragraph that holds them, notes at the end. Deleted text and fields' instructions say nothing.

#include <charconv>

#include "base/text.h"
#include "rag/extract.h"
#include "rag/office.h"

namespace ajar::rag {
namespace {

int to_int(std::string_view text, int otherwise) { return static_cast<int>(parse_int(text).value_or(otherwise)); }

class Docx {
 public:
  Docx(const Zip& zip, std::string part) : zip_(zip), part_(std::move(part)), relations_(relations(zip, part_)) {}

  Result<Extracted> run() {
    styles();
    pugi::xml_document xml;
    AJAR_TRY(read_xml(zip_, part_, xml));
    out_.page(1);
    body(child_of(xml.document_element(), "body"), 0);
    for (const char* name : {"word/footnotes.xml", "word/endnotes.xml", "word/comments.xml"}) {
      pugi::xml_document notes;
      if (zip_.has(name) && read_xml(zip_, name, notes))
        for (const pugi::xml_node& note : notes.document_element().children()) body(note, 0);
    }
    pugi::xml_document core;
    if (zip_.has("docProps/core.xml") && read_xml(zip_, "docProps/core.xml", core)) out_.title(child_of(core.document_element(), "title").child_value());
    return out_.finish("docx");
  }

 private:
  void styles() {
    pugi::xml_document xml;
    if (!zip_.has("word/styles.xml") || !read_xml(zip_, "word/styles.xml", xml)) return;
    for (const pugi::xml_node& style : xml.document_element().children()) {
      const std::string id(attribute(style, "styleId")), name = to_lower(attribute(child_of(style, "name"), "val"));
      const pugi::xml_node outline = child_of(child_of(style, "pPr"), "outlineLvl");
      if (name.starts_with("heading ")) levels_[id] = to_int(std::string_view(name).substr(8), 1);
      else if (name == "title") levels_[id] = 1;
      else if (outline) levels_[id] = to_int(attribute(outline, "val"), 8) + 1;
    }
  }

  void body(const pugi::xml_node& parent, int depth) {
    if (depth > kMaxDepth) return;
    for (const pugi::xml_node& node : parent.children()) {
      const std::string_view name = local_name(node);
      if (name == "p") paragraph(node, depth);
      else if (name == "tbl") table(node, depth);
      else if (name == "altChunk") foreign(std::string(attribute(node, "id")));
      else if (name == "sdt" || name == "sdtContent" || name == "ins" || name == "smartTag" || name == "customXml" || name == "txbxContent") body(node, depth + 1);
    }
  }

  void paragraph(const pugi::xml_node& p, int depth) {
    const pugi::xml_node properties = child_of(p, "pPr");
    int level = 0;
    if (const auto it = levels_.find(std::string(attribute(child_of(properties, "pStyle"), "val"))); it != levels_.end()) level = it->second;
    if (const pugi::xml_node outline = child_of(properties, "outlineLvl")) level = to_int(attribute(outline, "val"), 8) + 1;
    std::vector<pugi::xml_node> boxes;
    std::string text;
    runs(p, text, boxes, depth);
    if (level >= 1 && level <= 9) out_.heading(level, text);
    else out_.paragraph(text);
    out_.page(page_);
    for (const pugi::xml_node& box : boxes) body(box, depth + 1);
  }

  void runs(const pugi::xml_node& parent, std::string& text, std::vector<pugi::xml_node>& boxes, int depth) {
    if (depth > kMaxDepth) return;
    for (const pugi::xml_node& node : parent.children()) {
      const std::string_view name = local_name(node);
      if (name == "t" || name == "delText") {
        if (name == "t") text += node.child_value();
      } else if (name == "tab" || name == "cr") {
        text += ' ';
      } else if (name == "noBreakHyphen") {
        text += '-';
      } else if (name == "br") {
        text += ' ';
        if (attribute(node, "type") == "page") ++page_;
      } else if (name == "lastRenderedPageBreak") {
        ++page_;
      } else if (name == "txbxContent") {
        boxes.push_back(node);
      } else if (name != "del" && name != "moveFrom" && name != "instrText" && name != "Fallback" && name != "pPr" && name != "rPr") {
        runs(node, text, boxes, depth + 1);  // the choice of a pair of alternatives, and all that only wraps
      }
    }
  }

  std::string cell(const pugi::xml_node& node, int depth, std::vector<pugi::xml_node>& boxes) {
    std::string text;
    if (depth > kMaxDepth) return text;
    for (const pugi::xml_node& child : node.children()) {
      const std::string_view name = local_name(child);
      if (name == "p") text += text.empty() ? "" : " ", runs(child, text, boxes, depth + 1);
      else if (name != "tcPr") text += (text.empty() ? "" : " ") + cell(child, depth + 1, boxes);  // tables in tables
    }
    return text;
  }

  void table(const pugi::xml_node& node, int depth) {
    std::vector<pugi::xml_node> boxes;
    for (const pugi::xml_node& row : node.children()) {
      if (local_name(row) != "tr") continue;
      std::vector<std::string> cells;
      for (const pugi::xml_node& c : row.children()) {
        if (local_name(c) == "tc") cells.push_back(cell(c, depth + 1, boxes));
        else if (local_name(c) == "sdt") cells.push_back(cell(child_of(c, "sdtContent"), depth + 1, boxes));
      }
      out_.row(cells);
    }
    out_.page(page_);
    for (const pugi::xml_node& box : boxes) body(box, depth + 1);
  }

  void foreign(const std::string& id) {
    const auto it = relations_.find(id);
    if (it == relations_.end()) return;
    const auto part = zip_.read(it->second);
    const std::string name = to_lower(it->second);
    if (part && (name.ends_with(".html") || name.ends_with(".htm") || name.ends_with(".xhtml"))) html_into(to_utf8(*part), out_);
    else if (part && (name.ends_with(".mht") || name.ends_with(".mhtml"))) email_into(*part, out_, 1);
    else out_.note("an embedded part was left out: " + it->second);
  }

  const Zip& zip_;
  const std::string part_;
  const std::map<std::string, std::string> relations_;
  std::map<std::string, int> levels_;  // of headings, by style
  uint32_t page_ = 1;
  TextBuilder out_;
};

// The package's own word for where the document is.
std::string main_part(const Zip& zip) {
  pugi::xml_document xml;
  if (read_xml(zip, "_rels/.rels", xml))
    for (const pugi::xml_node& relation : xml.document_element().children())
      if (attribute(relation, "Type").ends_with("/officeDocument")) return resolve_part("", attribute(relation, "Target"));
  return "word/document.xml";
}

}  // namespace

Result<Extracted> extract_docx(std::string_view bytes) {
  AJAR_ASSIGN(const Zip zip, Zip::open(bytes));
  return Docx(zip, main_part(zip)).run();
}

}  // namespace ajar::rag
