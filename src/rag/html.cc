// HTML to blocks: main content of pages, everything of chapters and mails.

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "rag/extract.h"
#include "rag/html_tree.h"

namespace ajar::rag {
namespace {

class Renderer {
 public:
  explicit Renderer(TextBuilder& out) : out_(out) {}

  void walk(const HtmlNode& node) {
    if (node.tag.empty()) {
      if (pre_ == 0) breaks_ = trim(node.text).empty() ? breaks_ : 0;
      line_ += node.text;
      return;
    }
    if (node.hidden) return;
    if (node.is("br")) {
      if (pre_ > 0) line_ += '\n';
      else if (++breaks_ >= 2) flush();
      else line_ += ' ';
      return;
    }
    if (node.is("img") || node.is("input")) return;
    const bool block = is_block_tag(node.tag);
    if (block) flush();
    if (node.is("table") && data_table(node)) {
      rows(node);
    } else if (node.tag.size() == 2 && node.tag[0] == 'h' && node.tag[1] >= '1' && node.tag[1] <= '6') {
      out_.heading(node.tag[1] - '0', inner_text(node));
    } else if (node.is("pre")) {
      ++pre_;
      for (const HtmlNode* child : node.children) walk(*child);
      out_.code(line_);
      line_.clear();
      --pre_;
    } else {
      for (const HtmlNode* child : node.children) walk(*child);
    }
    if (block) flush();
  }
  void flush() {
    if (pre_ > 0) {
      if (!line_.empty() && !line_.ends_with('\n')) line_ += '\n';
      return;
    }
    out_.paragraph(line_);
    line_.clear();
    breaks_ = 0;
  }

 private:
  // A table of data, not one that lays a page out.
  static bool data_table(const HtmlNode& node) {
    const auto all = descendants(const_cast<HtmlNode&>(node));
    size_t trs = 0, longest = 0;
    for (const HtmlNode* n : all) {
      if (n->is("table")) return false;
      trs += n->is("tr") ? 1 : 0;
      if (n->is("td")) longest = std::max(longest, text_length(*n));
    }
    return trs >= 1 && longest <= 400;
  }
  void rows(const HtmlNode& node) {
    for (const HtmlNode* tr : descendants(const_cast<HtmlNode&>(node))) {
      if (tr->is("caption")) out_.paragraph(inner_text(*tr));
      if (!tr->is("tr")) continue;
      std::vector<std::string> cells;
      for (const HtmlNode* cell : tr->children)
        if (cell->is("td") || cell->is("th")) cells.push_back(inner_text(*cell));
      out_.row(cells);
    }
  }

  TextBuilder& out_;
  std::string line_;
  int pre_ = 0, breaks_ = 0;
};

// <meta charset=x> and its older form, in the first 4 KB; an XML declaration's encoding.
std::string declared_encoding(std::string_view bytes) {
  const std::string start = to_lower(bytes.substr(0, 4096));
  size_t at = start.find("charset=");
  size_t skip = 8;
  if (const size_t xml = start.find("encoding="); start.starts_with("<?xml") && xml < start.find("?>")) at = xml, skip = 9;
  if (at == std::string::npos) return {};
  at += skip;
  while (at < start.size() && (start[at] == '"' || start[at] == '\'' || start[at] == ' ')) ++at;
  const size_t end = start.find_first_of("\"' ;/>", at);
  return end == std::string::npos ? std::string() : start.substr(at, end - at);
}

// A bound on how deep elements nest, by tags alone. The parser looks through all open elements at every tag, so that depth costs its
// square; no page that is meant to be read comes near.
bool too_deep(std::string_view html) {
  constexpr int kMaxOpen = 5000;
  constexpr std::string_view kLeftOpen[] = {"p", "li", "td", "tr", "th", "dd", "dt", "option", "tbody", "br", "img", "input", "meta", "link", "hr", "col", "area", "source", "wbr", "param"};
  int open = 0;
  for (size_t at = html.find('<'); at != std::string_view::npos; at = html.find('<', at + 1)) {
    const bool end = at + 1 < html.size() && html[at + 1] == '/';
    size_t from = at + (end ? 2 : 1), to = from;
    while (to < html.size() && to - from < 16 && std::isalnum(static_cast<unsigned char>(html[to]))) ++to;
    if (to == from) continue;
    const std::string name = to_lower(html.substr(from, to - from));
    if (std::find(std::begin(kLeftOpen), std::end(kLeftOpen), name) != std::end(kLeftOpen)) continue;
    open = std::max(0, open + (end ? -1 : 1));
    if (open > kMaxOpen) return true;
  }
  return false;
}

void render(const HtmlNode& node, TextBuilder& out) {
  Renderer renderer(out);
  renderer.walk(node);
  renderer.flush();
}

}  // namespace

void html_into(std::string_view html, TextBuilder& out) {
  if (too_deep(html)) return out.note("its elements nest deeper than 5,000");
  HtmlTree tree = HtmlTree::parse(html);
  out.title(tree.title());
  render(*tree.body(), out);
}

Result<Extracted> extract_html(std::string_view bytes) {
  const std::string html = to_utf8(bytes, declared_encoding(bytes));
  TextBuilder whole;
  html_into(html, whole);
  if (too_deep(html)) return whole.finish("html");
  HtmlTree tree = HtmlTree::parse(html);
  const size_t all = text_length(*tree.body());
  const HtmlNode* content = main_content(tree);
  // A short page is all content; so is one where nothing stands out.
  if (content == nullptr || text_length(*content) < std::min<size_t>(250, all / 4 + 1)) {
    if (whole.empty() && !tree.title().empty()) whole.heading(1, tree.title());
    return whole.finish("html");
  }
  TextBuilder out;
  out.title(tree.title());
  render(*content, out);
  return out.finish("html");
}

}  // namespace ajar::rag
