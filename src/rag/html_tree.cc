#include "rag/html_tree.h"

#include <gumbo.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/text.h"

namespace ajar::rag {
namespace {

constexpr std::string_view kBlocks[] = {"address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div", "dl", "dt",
                                        "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
                                        "html", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th",
                                        "thead", "tr", "ul"};
constexpr std::string_view kSilent[] = {"script", "style", "noscript", "template", "head", "svg", "math", "iframe", "object", "embed", "canvas",
                                        "audio", "video", "select", "datalist", "link", "meta", "param", "source", "map"};

std::string tag_of(const GumboElement& element) {
  if (element.tag != GUMBO_TAG_UNKNOWN) return gumbo_normalized_tagname(element.tag);
  GumboStringPiece piece = element.original_tag;
  gumbo_tag_from_original_text(&piece);
  return to_lower(std::string_view(piece.data, std::min<size_t>(piece.length, 64)));
}

std::string value_of(const GumboElement& element, const char* name) {
  const GumboAttribute* attribute = gumbo_get_attribute(&element.attributes, name);
  return attribute != nullptr ? attribute->value : "";
}

bool hidden(const GumboElement& element) {
  std::string style = to_lower(value_of(element, "style"));
  std::erase_if(style, [](char c) { return c == ' ' || c == '\t'; });
  return gumbo_get_attribute(&element.attributes, "hidden") != nullptr || style.find("display:none") != std::string::npos ||
         style.find("visibility:hidden") != std::string::npos;
}

void add_text(const HtmlNode& node, std::string& out) {
  // Depth is bounded by kMaxDepth.
  if (node.tag.empty()) {
    out += node.text;
    return;
  }
  const bool block = is_block_tag(node.tag) || node.is("br");
  if (block) out += ' ';
  for (const HtmlNode* child : node.children) add_text(*child, out);
  if (block) out += ' ';
}

std::string single_spaces(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
    if (!space) out += c;
    else if (!out.empty() && out.back() != ' ') out += ' ';
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace

bool is_block_tag(std::string_view tag) { return std::binary_search(std::begin(kBlocks), std::end(kBlocks), tag); }

HtmlNode* HtmlTree::make(std::string tag) {
  nodes_.emplace_back();
  nodes_.back().tag = std::move(tag);
  return &nodes_.back();
}

HtmlTree HtmlTree::parse(std::string_view utf8) {
  HtmlTree tree;
  HtmlNode* root = tree.make("html");
  GumboOptions options = kGumboDefaultOptions;
  options.max_errors = 0;
  GumboOutput* output = gumbo_parse_with_options(&options, utf8.data(), utf8.size());
  struct Task {
    const GumboNode* from;
    HtmlNode* to;
    int depth;
  };
  std::vector<Task> stack = {{output->root, root, 0}};
  const auto push_children = [&](const GumboVector& children, HtmlNode* to, int depth) {
    for (unsigned i = children.length; i-- > 0;) stack.push_back({static_cast<const GumboNode*>(children.data[i]), to, depth});
  };
  while (!stack.empty() && tree.nodes_.size() < kMaxNodes) {
    const Task task = stack.back();
    stack.pop_back();
    const auto type = task.from->type;
    if (type == GUMBO_NODE_TEXT || type == GUMBO_NODE_WHITESPACE || type == GUMBO_NODE_CDATA) {
      HtmlNode* text = tree.make({});
      text->text = task.from->v.text.text;
      text->parent = task.to;
      task.to->children.push_back(text);
      continue;
    }
    if (type != GUMBO_NODE_ELEMENT && type != GUMBO_NODE_TEMPLATE) continue;
    const GumboElement& element = task.from->v.element;
    std::string tag = tag_of(element);
    if (tag == "title" && tree.title_.empty() && element.children.length > 0) {
      const auto* text = static_cast<const GumboNode*>(element.children.data[0]);
      if (text->type == GUMBO_NODE_TEXT) tree.title_ = single_spaces(text->v.text.text);
    }
    if (tag == "head") {  // for the title alone
      push_children(element.children, root, task.depth);
      continue;
    }
    if (tag == "title" || std::find(std::begin(kSilent), std::end(kSilent), tag) != std::end(kSilent)) continue;
    HtmlNode* node = task.to;
    if (tag != "html" && task.depth < kMaxDepth) {
      node = tree.make(std::move(tag));
      node->names = to_lower(value_of(element, "class") + " " + value_of(element, "id"));
      node->role = to_lower(value_of(element, "role"));
      node->itemprop = to_lower(value_of(element, "itemprop"));
      node->rel = to_lower(value_of(element, "rel"));
      node->hidden = hidden(element);
      node->parent = task.to;
      task.to->children.push_back(node);
    }
    push_children(element.children, node, task.depth + 1);
  }
  gumbo_destroy_output(&options, output);
  return tree;
}

HtmlNode* HtmlTree::body() {
  for (HtmlNode* child : root()->children)
    if (child->is("body")) return child;
  return root();
}

std::string inner_text(const HtmlNode& node) {
  std::string out;
  add_text(node, out);
  return single_spaces(out);
}

size_t text_length(const HtmlNode& node) { return inner_text(node).size(); }

float link_density(const HtmlNode& node) {
  const size_t all = text_length(node);
  if (all == 0) return 0;
  size_t linked = 0;
  for (const HtmlNode* link : descendants(const_cast<HtmlNode&>(node), "a")) linked += text_length(*link);
  return static_cast<float>(linked) / static_cast<float>(all);
}

std::vector<HtmlNode*> descendants(HtmlNode& node, std::string_view tag) {
  std::vector<HtmlNode*> out, stack(node.children.rbegin(), node.children.rend());
  while (!stack.empty()) {
    HtmlNode* one = stack.back();
    stack.pop_back();
    if (one->tag.empty()) continue;
    if (tag.empty() || one->tag == tag) out.push_back(one);
    stack.insert(stack.end(), one->children.rbegin(), one->children.rend());
  }
  return out;
}

void detach(HtmlNode& node) {
  if (node.parent == nullptr) return;
  std::erase(node.parent->children, &node);
  node.parent = nullptr;
}

}  // namespace ajar::rag
