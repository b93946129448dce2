// PresentationML (ECMA-376 part 1, 19): slides in the order of the presentation, each a page; titles are headings.

#include "rag/extract.h"
#include "rag/office.h"

namespace ajar::rag {
namespace {

void paragraph_text(const pugi::xml_node& node, std::string& text, int depth) {
  if (depth > kMaxDepth) return;
  for (const pugi::xml_node& child : node.children()) {
    const std::string_view name = local_name(child);
    if (name == "t") text += child.child_value();
    else if (name == "br" || name == "tab") text += ' ';
    else paragraph_text(child, text, depth + 1);
  }
}

std::string frame_text(const pugi::xml_node& body) {
  std::string all;
  for (const pugi::xml_node& p : body.children()) {
    if (local_name(p) != "p") continue;
    std::string text;
    paragraph_text(p, text, 0);
    all += (all.empty() ? "" : " ") + text;
  }
  return all;
}

void shapes(const pugi::xml_node& parent, TextBuilder& out, bool notes, int depth) {
  if (depth > kMaxDepth) return;
  for (const pugi::xml_node& node : parent.children()) {
    const std::string_view name = local_name(node);
    if (name == "sp") {
      const std::string_view type = attribute(child_of(child_of(child_of(node, "nvSpPr"), "nvPr"), "ph"), "type");
      const pugi::xml_node body = child_of(node, "txBody");
      if (type == "sldNum" || type == "dt" || (notes && type != "body")) continue;
      if (type == "title" || type == "ctrTitle") {
        out.heading(1, frame_text(body));
        continue;
      }
      for (const pugi::xml_node& p : body.children()) {
        std::string text;
        if (local_name(p) == "p") paragraph_text(p, text, 0), out.paragraph(text);
      }
    } else if (name == "tbl") {
      for (const pugi::xml_node& row : node.children()) {
        if (local_name(row) != "tr") continue;
        std::vector<std::string> cells;
        for (const pugi::xml_node& cell : row.children())
          if (local_name(cell) == "tc") cells.push_back(frame_text(child_of(cell, "txBody")));
        out.row(cells);
      }
    } else if (name != "Fallback") {
      shapes(node, out, notes, depth + 1);
    }
  }
}

// Diagrams and comments: what they say, without their form.
void loose_text(const Zip& zip, const std::string& part, TextBuilder& out) {
  pugi::xml_document xml;
  if (!read_xml(zip, part, xml)) return;
  out.paragraph(all_text(xml));
}

}  // namespace

Result<Extracted> extract_pptx(std::string_view bytes) {
  AJAR_ASSIGN(const Zip zip, Zip::open(bytes));
  const std::string main = "ppt/presentation.xml";
  pugi::xml_document xml;
  AJAR_TRY(read_xml(zip, main, xml));
  const auto targets = relations(zip, main);
  TextBuilder out;
  uint32_t number = 0;
  for (const pugi::xml_node& slide : child_of(xml.document_element(), "sldIdLst").children()) {
    std::string id;
    for (const pugi::xml_attribute& a : slide.attributes())
      if (std::string_view(a.name()).ends_with(":id")) id = a.value();
    const auto it = targets.find(id);
    if (it == targets.end()) continue;
    pugi::xml_document page;
    out.page(++number);
    if (const Status read = read_xml(zip, it->second, page); !read) {
      out.note("slide " + std::to_string(number) + ": " + read.error().message);
      continue;
    }
    shapes(page, out, false, 0);
    for (const auto& [key, part] : relations(zip, it->second)) {
      if (part.find("diagrams/data") != std::string::npos || part.find("comments/") != std::string::npos) loose_text(zip, part, out);
      if (part.find("notesSlides/") == std::string::npos) continue;
      pugi::xml_document notes;
      if (read_xml(zip, part, notes)) shapes(notes, out, true, 0);
    }
  }
  pugi::xml_document core;
  if (zip.has("docProps/core.xml") && read_xml(zip, "docProps/core.xml", core)) out.title(child_of(core.document_element(), "title").child_value());
  return out.finish("pptx");
}

}  // namespace ajar::rag
