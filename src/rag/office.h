#pragma once
// What the packages of OOXML (ECMA-376), OpenDocument and EPUB have in common: XML parts and relations.

#include <map>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "rag/zip.h"

namespace ajar::rag {

inline constexpr int kMaxDepth = 400;  // of elements that are walked; deeper ones are passed over

// Names without their prefix: producers choose prefixes as they like.
inline std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}
inline std::string_view attribute(const pugi::xml_node& node, std::string_view wanted) {
  for (const pugi::xml_attribute& a : node.attributes()) {
    const std::string_view name = a.name();
    const size_t colon = name.find(':');
    if ((colon == std::string_view::npos ? name : name.substr(colon + 1)) == wanted) return a.value();
  }
  return {};
}
inline pugi::xml_node child_of(const pugi::xml_node& node, std::string_view name) {
  for (const pugi::xml_node& child : node.children())
    if (local_name(child) == name) return child;
  return {};
}

// Any encoding that XML allows. kInvalid names the part and the place.
Status parse_xml(std::string_view bytes, std::string_view part, pugi::xml_document& out);
Status read_xml(const Zip& zip, const std::string& part, pugi::xml_document& out);

// Targets of a part's relations by id, as names in the archive. Empty where it has none.
std::map<std::string, std::string> relations(const Zip& zip, const std::string& part);

// All text below a node, one space between elements.
std::string all_text(const pugi::xml_node& node);

}  // namespace ajar::rag
