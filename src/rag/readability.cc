// Which part of a page is its main content. The idea is Arc90's and Mozilla's: text in paragraphs, with commas, gives points to its
// parents; links take them away; what is called a sidebar or a comment is looked at only when nothing else is left.
// The lists of names are our own.

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "rag/html_tree.h"

namespace ajar::rag {
namespace {

constexpr std::string_view kAside[] = {"advert", "-ad-", "banner", "breadcrumb", "comment", "community", "consent", "cookie", "disqus", "footer", "gdpr", "header",
                                       "login", "masthead", "menu", "modal", "nav", "newsletter", "outbrain", "pager", "pagination", "popup", "promo",
                                       "recommend", "related", "remark", "replies", "rss", "sharing", "share-", "sidebar", "signup", "social", "sponsor",
                                       "subscribe", "taboola", "toolbar", "tags", "widget", "extra", "skip-"};
constexpr std::string_view kAfterAll[] = {"article", "body", "content", "main", "column", "post", "entry", "story", "page"};
constexpr std::string_view kGood[] = {"article", "blog", "body", "content", "entry", "hentry", "main", "page", "post", "story", "text"};
constexpr std::string_view kBad[] = {"advert", "banner", "combx", "comment", "contact", "foot", "hidden", "masthead", "media", "meta", "outbrain", "promo",
                                     "related", "scroll", "share", "shopping", "sidebar", "skyscraper", "sponsor", "tags", "widget", "byline", "author-"};
constexpr std::string_view kNeverContent[] = {"form", "button", "input", "textarea", "footer", "nav", "aside", "dialog"};
constexpr std::string_view kBadRoles[] = {"menu", "menubar", "complementary", "navigation", "alert", "alertdialog", "dialog", "search", "contentinfo"};

template <size_t N>
bool any_of(std::string_view text, const std::string_view (&words)[N]) {
  return std::any_of(std::begin(words), std::end(words), [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}
template <size_t N>
bool one_of(std::string_view text, const std::string_view (&words)[N]) {
  return std::find(std::begin(words), std::end(words), text) != std::end(words);
}

float class_weight(const HtmlNode& node) {
  return (any_of(node.names, kGood) ? 25.0f : 0.0f) - (any_of(node.names, kBad) ? 25.0f : 0.0f);
}

float tag_weight(std::string_view tag) {
  if (tag == "div") return 5;
  if (tag == "pre" || tag == "td" || tag == "blockquote") return 3;
  if (tag == "article" || tag == "main") return 8;
  if (tag == "address" || tag == "ol" || tag == "ul" || tag == "dl" || tag == "dd" || tag == "dt" || tag == "li" || tag == "form") return -3;
  if (tag == "th" || (tag.size() == 2 && tag[0] == 'h')) return -5;
  return 0;
}

size_t commas(std::string_view text) {
  size_t n = static_cast<size_t>(std::count(text.begin(), text.end(), ','));
  for (size_t at = 0; (at = text.find("\xEF\xBC\x8C", at)) != std::string_view::npos; ++at) ++n;  // U+FF0C
  for (size_t at = 0; (at = text.find("\xE3\x80\x81", at)) != std::string_view::npos; ++at) ++n;  // U+3001
  return n;
}

bool has_block_child(const HtmlNode& node) {
  return std::any_of(node.children.begin(), node.children.end(), [](const HtmlNode* c) { return !c->tag.empty() && (is_block_tag(c->tag) || has_block_child(*c)); });
}

bool inside(const HtmlNode* node, std::string_view tag) {
  for (; node != nullptr; node = node->parent)
    if (node->is(tag)) return true;
  return false;
}

// Hidden parts, and what is named as being beside the content.
void strip(HtmlNode& top, bool by_name) {
  for (HtmlNode* node : descendants(top)) {
    const bool beside = by_name && !node->is("body") && !node->is("a") && !node->is("article") && !node->is("main") && any_of(node->names, kAside) &&
                        !any_of(node->names, kAfterAll) && !inside(node, "table") && !inside(node, "code");
    if (node->hidden || beside || one_of(node->role, kBadRoles)) detach(*node);
  }
}

// Runs of text and inline elements between blocks become paragraphs, two line ends in a row separate them.
void wrap_loose_text(HtmlTree& tree, HtmlNode& top) {
  for (HtmlNode* node : descendants(top)) {
    if (!node->is("div") && !node->is("section") && !node->is("article") && !node->is("td") && !node->is("main") && !node->is("center")) continue;
    std::vector<HtmlNode*> made;
    HtmlNode* open = nullptr;
    int breaks = 0;
    const auto close = [&] { open = nullptr, breaks = 0; };
    for (HtmlNode* child : node->children) {
      const bool blank = child->tag.empty() && trim(child->text).empty();
      if (!child->tag.empty() && (is_block_tag(child->tag) || has_block_child(*child))) {
        close();
        made.push_back(child);
        continue;
      }
      if (child->is("br") && ++breaks >= 2) {
        close();
        continue;
      }
      if (!child->is("br") && !blank) breaks = 0;
      if (open == nullptr) {
        if (blank || child->is("br")) continue;
        open = tree.make("p");
        open->parent = node;
        made.push_back(open);
      }
      child->parent = open;
      open->children.push_back(child);
    }
    node->children = std::move(made);
  }
}

std::vector<HtmlNode*> score(HtmlNode& top) {
  std::vector<HtmlNode*> candidates;
  for (HtmlNode* node : descendants(top)) {
    const bool speaks = node->is("p") || node->is("td") || node->is("pre") || node->is("blockquote") || node->is("h2") || node->is("h3") || node->is("h4");
    if (!speaks) continue;
    const std::string text = inner_text(*node);
    if (text.size() < 25) continue;
    const float points = 1 + static_cast<float>(commas(text)) + std::min(3.0f, std::floor(static_cast<float>(text.size()) / 100));
    int level = 0;
    for (HtmlNode* parent = node->parent; parent != nullptr && parent->parent != nullptr && level < 5; parent = parent->parent, ++level) {
      if (!parent->candidate) parent->candidate = true, parent->score = tag_weight(parent->tag) + class_weight(*parent), candidates.push_back(parent);
      parent->score += points / (level == 0 ? 1.0f : level == 1 ? 2.0f : static_cast<float>(level * 3));
    }
  }
  for (HtmlNode* candidate : candidates) candidate->score *= 1 - link_density(*candidate);
  return candidates;
}

// Parts of the content that only look like it.
void clean(HtmlNode& content) {
  for (HtmlNode* node : descendants(content)) {
    if (node == &content || node->parent == nullptr) continue;
    if (one_of(node->tag, kNeverContent)) {
      if (!node->is("form") || text_length(*node) < 1000) detach(*node);
      continue;
    }
    if (any_of(node->names, kAside) && (node->names.find("share") != std::string::npos || node->names.find("social") != std::string::npos) && text_length(*node) < 500) {
      detach(*node);
      continue;
    }
    if (!node->is("div") && !node->is("ul") && !node->is("ol") && !node->is("section") && !node->is("table") && !node->is("header")) continue;
    const std::string text = inner_text(*node);
    const float density = link_density(*node), weight = class_weight(*node);
    if (node->is("table") && descendants(*node, "tr").size() >= 3 && density < 0.5f) continue;
    if (weight < 0 && text.size() < 2000 && !inside(node, "table")) {
      detach(*node);
      continue;
    }
    if (commas(text) >= 10) continue;
    const auto count = [&](std::string_view tag) { return static_cast<float>(descendants(*node, tag).size()); };
    const bool list = node->is("ul") || node->is("ol");
    const float paragraphs = count("p"), items = count("li") - 100, inputs = count("input");
    const bool beside = (!list && items > paragraphs) || inputs > std::floor(paragraphs / 3) || (weight < 25 && density > 0.2f && !list) ||
                        (weight >= 25 && density > 0.5f) || (list && density > 0.6f);
    if (beside) detach(*node);
  }
}

// The best candidate with those of its siblings that belong to it.
HtmlNode* pick(HtmlTree& tree, std::vector<HtmlNode*> candidates) {
  if (candidates.empty()) return nullptr;
  std::sort(candidates.begin(), candidates.end(), [](const HtmlNode* a, const HtmlNode* b) { return a->score > b->score; });
  HtmlNode* top = candidates.front();
  // Several candidates nearly as good under one parent: the parent is meant.
  for (HtmlNode* parent = top->parent; parent != nullptr && !parent->is("body") && parent->parent != nullptr; parent = parent->parent) {
    int near = 0;
    for (size_t i = 1; i < std::min<size_t>(5, candidates.size()); ++i) {
      if (candidates[i]->score < top->score * 0.75f) break;
      for (const HtmlNode* up = candidates[i]->parent; up != nullptr; up = up->parent)
        if (up == parent) {
          ++near;
          break;
        }
    }
    if (near >= 3) {
      top = parent;
      break;
    }
  }
  // A parent that has gained points over its child holds more of the text; an only child hides the siblings' parent.
  float last = top->score;
  for (HtmlNode* parent = top->parent; parent != nullptr && !parent->is("body") && parent->candidate; parent = parent->parent) {
    if (parent->score < last / 3) break;
    if (parent->score > last) {
      top = parent;
      break;
    }
    last = parent->score;
  }
  while (top->parent != nullptr && !top->parent->is("body") && top->parent->parent != nullptr) {
    const auto elements = std::count_if(top->parent->children.begin(), top->parent->children.end(), [](const HtmlNode* c) { return !c->tag.empty(); });
    if (elements != 1) break;
    top = top->parent;
  }
  // Siblings that belong to it.
  HtmlNode* content = tree.make("div");
  const float floor = std::max(10.0f, top->score * 0.2f);
  const std::vector<HtmlNode*> siblings = top->parent != nullptr ? top->parent->children : std::vector<HtmlNode*>{top};
  for (HtmlNode* sibling : siblings) {
    bool belongs = sibling == top;
    if (!belongs && !sibling->tag.empty()) {
      const float bonus = !top->names.empty() && top->names != " " && sibling->names == top->names ? top->score * 0.2f : 0;
      if (sibling->candidate && sibling->score + bonus >= floor) belongs = true;
      if (sibling->is("p") || sibling->is("blockquote") || sibling->is("pre")) {
        const std::string text = inner_text(*sibling);
        const float density = link_density(*sibling);
        belongs = belongs || (text.size() > 80 && density < 0.25f) || (!text.empty() && density == 0 && text.find(". ") != std::string::npos);
      }
    }
    if (belongs) content->children.push_back(sibling);
  }
  for (HtmlNode* child : content->children) child->parent = content;
  return content;
}

}  // namespace

HtmlNode* main_content(HtmlTree& tree) {
  HtmlNode& body = *tree.body();
  strip(body, false);
  wrap_loose_text(tree, body);
  strip(body, true);
  HtmlNode* content = pick(tree, score(body));
  if (content != nullptr) clean(*content);
  return content;
}

}  // namespace ajar::rag
