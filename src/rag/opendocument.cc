// OpenDocument 1.3 (OASIS): content.xml of texts, sheets and slides, one walk for all three.

#include "base/text.h"
#include "rag/extract.h"
#include "rag/office.h"

namespace ajar::rag {
namespace {

class Odf {
 public:
  explicit Odf(TextBuilder& out) : out_(out) {}

  void walk(const pugi::xml_node& parent, int depth) {
    if (depth > kMaxDepth || out_.full()) return;
    for (const pugi::xml_node& node : parent.children()) {
      const std::string_view name = local_name(node), full = node.name();
      if (full == "text:h" || full == "text:p") {
        std::string text;
        std::vector<pugi::xml_node> inside;
        inline_text(node, text, inside, depth);
        if (name == "h") out_.heading(static_cast<int>(parse_int(attribute(node, "outline-level")).value_or(1)), text);
        else out_.paragraph(text);
        for (const pugi::xml_node& box : inside) walk(box, depth + 1);
      } else if (full == "table:table") {
        if (sheets_) out_.page(++page_), out_.heading(1, attribute(node, "name"));
        rows(node, depth);
      } else if (full == "draw:page") {
        out_.page(++page_);
        walk(node, depth + 1);
      } else if (full == "office:spreadsheet") {
        sheets_ = true;
        walk(node, depth + 1);
      } else if (full != "text:tracked-changes" && full != "office:forms" && full != "text:sequence-decls") {
        walk(node, depth + 1);
      }
    }
  }

 private:
  // Text of a paragraph; frames and notes in it are for later.
  void inline_text(const pugi::xml_node& parent, std::string& text, std::vector<pugi::xml_node>& inside, int depth) {
    if (depth > kMaxDepth) return;
    for (const pugi::xml_node& node : parent.children()) {
      const std::string_view name = local_name(node);
      if (node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata) text += node.value();
      else if (name == "s" || name == "tab" || name == "line-break") text += ' ';
      else if (name == "frame" || name == "note" || name == "annotation" || name == "custom-shape") inside.push_back(node);
      else inline_text(node, text, inside, depth + 1);
    }
  }

  void rows(const pugi::xml_node& parent, int depth) {
    if (depth > kMaxDepth || out_.full()) return;
    std::vector<pugi::xml_node> inside;
    for (const pugi::xml_node& node : parent.children()) {
      const std::string_view name = local_name(node);
      if (name != "table-row") {
        if (name.starts_with("table-")) rows(node, depth + 1);  // headers and groups
        continue;
      }
      std::vector<std::string> cells;
      for (const pugi::xml_node& cell : node.children()) {
        std::string text;
        for (const pugi::xml_node& p : cell.children()) {
          if (!text.empty()) text += ' ';
          inline_text(p, text, inside, depth + 1);
        }
        cells.push_back(std::move(text));
      }
      out_.row(cells);
    }
    for (const pugi::xml_node& box : inside) walk(box, depth + 1);
  }

  TextBuilder& out_;
  bool sheets_ = false;
  uint32_t page_ = 0;
};

std::string_view format_of(std::string_view mimetype) {
  if (mimetype.find("spreadsheet") != std::string_view::npos) return "ods";
  return mimetype.find("presentation") != std::string_view::npos ? "odp" : "odt";
}

}  // namespace

Result<Extracted> extract_odf(std::string_view bytes) {
  AJAR_ASSIGN(const Zip zip, Zip::open(bytes));
  if (const auto manifest = zip.read("META-INF/manifest.xml"); manifest && manifest->find("encryption-data") != std::string::npos) {
    return fail(Code::kInvalid, "it is encrypted with a password");
  }
  pugi::xml_document xml;
  AJAR_TRY(read_xml(zip, "content.xml", xml));
  TextBuilder out;
  Odf(out).walk(child_of(xml.document_element(), "body"), 0);
  pugi::xml_document meta;
  if (zip.has("meta.xml") && read_xml(zip, "meta.xml", meta)) out.title(child_of(child_of(meta.document_element(), "meta"), "title").child_value());
  return out.finish(format_of(zip.read("mimetype").value_or("")));
}

Result<Extracted> extract_epub(std::string_view bytes) {
  AJAR_ASSIGN(const Zip zip, Zip::open(bytes));
  pugi::xml_document container, package;
  AJAR_TRY(read_xml(zip, "META-INF/container.xml", container));
  const std::string root(attribute(child_of(child_of(container.document_element(), "rootfiles"), "rootfile"), "full-path"));
  AJAR_TRY(read_xml(zip, root, package));
  if (const auto rights = zip.read("META-INF/encryption.xml"); rights && rights->find("CipherReference") != std::string::npos &&
                                                               zip.has("META-INF/rights.xml")) {
    return fail(Code::kInvalid, "it is protected by DRM");
  }
  TextBuilder out;
  std::map<std::string, std::string> parts;
  for (const pugi::xml_node& item : child_of(package.document_element(), "manifest").children())
    parts[std::string(attribute(item, "id"))] = resolve_part(root, percent_decode(attribute(item, "href")).value_or(""));
  uint32_t chapter = 0;
  for (const pugi::xml_node& item : child_of(package.document_element(), "spine").children()) {
    const auto it = parts.find(std::string(attribute(item, "idref")));
    if (it == parts.end()) continue;
    out.page(++chapter);
    if (const auto html = zip.read(it->second)) html_into(to_utf8(*html), out);
    else out.note(html.error().message);
  }
  out.title(child_of(child_of(package.document_element(), "metadata"), "title").child_value());
  return out.finish("epub");
}

Result<Extracted> extract_xml(std::string_view bytes) {
  pugi::xml_document xml;
  TextBuilder out;
  const pugi::xml_parse_result parsed = xml.load_buffer(bytes.data(), bytes.size(), pugi::parse_default);
  if (!parsed) out.note("not well-formed at byte " + std::to_string(parsed.offset) + ": what stands before it was read");
  // Leaves are paragraphs, in order; an explicit stack, because depth is the file's choice.
  std::vector<pugi::xml_node> stack = {xml.document_element()};
  while (!stack.empty() && !out.full()) {
    const pugi::xml_node node = stack.back();
    stack.pop_back();
    if (node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata) out.paragraph(node.value());
    for (pugi::xml_node child = node.last_child(); child; child = child.previous_sibling()) stack.push_back(child);
  }
  return out.finish("xml");
}

}  // namespace ajar::rag
