#include "rag/office.h"

namespace ajar::rag {
namespace {

void gather(const pugi::xml_node& node, std::string& out, int depth) {
  if (depth > kMaxDepth) return;
  for (const pugi::xml_node& child : node.children()) {
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
      if (!out.empty()) out += ' ';
      out += child.value();
    }
    gather(child, out, depth + 1);
  }
}

}  // namespace

Status parse_xml(std::string_view bytes, std::string_view part, pugi::xml_document& out) {
  const pugi::xml_parse_result parsed = out.load_buffer(bytes.data(), bytes.size(), pugi::parse_default | pugi::parse_ws_pcdata);
  if (parsed) return {};
  return fail(Code::kInvalid, std::string(part) + " is damaged at byte " + std::to_string(parsed.offset) + " (" + parsed.description() + ")");
}

Status read_xml(const Zip& zip, const std::string& part, pugi::xml_document& out) {
  AJAR_ASSIGN(const std::string bytes, zip.read(part));
  return parse_xml(bytes, part, out);
}

std::map<std::string, std::string> relations(const Zip& zip, const std::string& part) {
  const size_t slash = part.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : part.substr(0, slash + 1);
  std::map<std::string, std::string> out;
  pugi::xml_document xml;
  if (!read_xml(zip, folder + "_rels/" + part.substr(folder.size()) + ".rels", xml)) return out;
  for (const pugi::xml_node& relation : xml.document_element().children())
    if (attribute(relation, "TargetMode") != "External") out[std::string(attribute(relation, "Id"))] = resolve_part(part, attribute(relation, "Target"));
  return out;
}

std::string all_text(const pugi::xml_node& node) {
  std::string out;
  gather(node, out, 0);
  return out;
}

}  // namespace ajar::rag
