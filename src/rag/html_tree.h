#pragma once
// A parsed page as a tree that can be cut. Parsed by gumbo as HTML5 says; scripts, styles and comments are left out.

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace ajar::rag {

struct HtmlNode {
  std::string tag;                 // lower case; empty: text
  std::string text;                // of text
  std::string names;               // class and id, lower case
  bool hidden = false;             // by attribute or style
  HtmlNode* parent = nullptr;
  std::vector<HtmlNode*> children;
  float score = 0;                 // of readability.cc
  bool candidate = false;
  std::string role, itemprop, rel;

  bool is(std::string_view name) const { return tag == name; }
};

class HtmlTree {
 public:
  static constexpr size_t kMaxNodes = 1'000'000;
  static constexpr int kMaxDepth = 600;  // what is deeper hangs at this depth

  static HtmlTree parse(std::string_view utf8);
  HtmlNode* root() { return &nodes_.front(); }
  HtmlNode* body();
  const std::string& title() const { return title_; }
  HtmlNode* make(std::string tag);

 private:
  std::deque<HtmlNode> nodes_;
  std::string title_;
};

bool is_block_tag(std::string_view tag);
std::string inner_text(const HtmlNode& node);                          // spaces made single
size_t text_length(const HtmlNode& node);
float link_density(const HtmlNode& node);                              // text in links / text
std::vector<HtmlNode*> descendants(HtmlNode& node, std::string_view tag = {});  // elements, in order; empty: all
void detach(HtmlNode& node);

// The part of a page that it is about, in the manner of Readability (Arc90, Mozilla): paragraphs give points to what holds
// them. Null: no part stands out.
HtmlNode* main_content(HtmlTree& tree);

}  // namespace ajar::rag
