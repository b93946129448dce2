// Markdown (CommonMark's blocks, tables and front matter of GitHub's): headings, paragraphs, items, code, rows. Marks of emphasis and
// addresses of links say nothing and are left out.

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "rag/extract.h"

namespace ajar::rag {
namespace {

// "[text](address)" and "![text](address)" to "text", "`code`", "**bold**" to what they hold.
std::string inline_text(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\\' && at + 1 < text.size() && std::ispunct(static_cast<unsigned char>(text[at + 1]))) {
      out += text[++at];
    } else if (c == '`') {
      const size_t end = text.find('`', at + 1);
      if (end == std::string_view::npos) out += c;
      else out += text.substr(at + 1, end - at - 1), at = end;
    } else if (c == '!' && at + 1 < text.size() && text[at + 1] == '[') {
      continue;
    } else if (c == '[') {
      const size_t close = text.find(']', at);
      if (close == std::string_view::npos || close + 1 >= text.size() || text[close + 1] != '(') {
        out += c;
        continue;
      }
      const size_t end = text.find(')', close);
      if (end == std::string_view::npos || close - at > 2000) {
        out += c;
        continue;
      }
      out += inline_text(text.substr(at + 1, std::min<size_t>(close - at - 1, 500)));
      at = end;
    } else if (c == '*' || c == '~') {
      const bool mark = (at > 0 && text[at - 1] != ' ') || (at + 1 < text.size() && text[at + 1] != ' ');
      if (!mark) out += c;
    } else if (c == '_') {
      const auto word = [&](size_t i) { return i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) || static_cast<unsigned char>(text[i]) >= 128); };
      if (at > 0 && word(at - 1) && word(at + 1)) out += c;
    } else {
      out += c;
    }
  }
  return out;
}

std::string_view indent_off(std::string_view line) {
  const size_t at = line.find_first_not_of(" \t");
  return at == std::string_view::npos ? std::string_view() : line.substr(at);
}

bool only(std::string_view line, char c, size_t least) {
  size_t n = 0;
  for (const char x : line) {
    if (x == c) ++n;
    else if (x != ' ') return false;
  }
  return n >= least;
}

bool is_item(std::string_view line) {
  if (line.size() < 2) return false;
  if ((line[0] == '-' || line[0] == '*' || line[0] == '+') && line[1] == ' ') return true;
  const size_t dot = line.find_first_not_of("0123456789");
  return dot != std::string_view::npos && dot > 0 && dot < 4 && (line[dot] == '.' || line[dot] == ')') && dot + 1 < line.size() && line[dot + 1] == ' ';
}

std::vector<std::string> cells_of(std::string_view line) {
  line = trim(line);
  if (line.starts_with('|')) line.remove_prefix(1);
  if (line.ends_with('|')) line.remove_suffix(1);
  std::vector<std::string> cells;
  for (const std::string_view cell : split(line, '|')) cells.push_back(inline_text(trim(cell)));
  return cells;
}

bool is_rule_of_table(std::string_view line) {
  return line.find('-') != std::string_view::npos && line.find('|') != std::string_view::npos && line.find_first_not_of("|-: \t") == std::string_view::npos;
}

class Markdown {
 public:
  Result<Extracted> run(std::string_view text) {
    auto lines = split(text, '\n');
    size_t i = 0;
    if (!lines.empty() && trim(lines[0]) == "---") i = front_matter(lines);
    for (; i < lines.size(); ++i) {
      const std::string_view raw = lines[i].ends_with('\r') ? lines[i].substr(0, lines[i].size() - 1) : lines[i];
      const std::string_view line = indent_off(raw);
      if (!fence_.empty()) {
        if (line.starts_with(fence_)) close_code();
        else (code_ += raw) += '\n';
      } else if (line.starts_with("```") || line.starts_with("~~~")) {
        flush();
        fence_ = line.substr(0, 3);
      } else if (line.empty()) {
        flush();
      } else if (line[0] == '#' && line.find_first_not_of('#') <= 6 && line.substr(std::min(line.find_first_not_of('#'), line.size())).starts_with(' ')) {
        flush();
        const size_t level = line.find_first_not_of('#');
        std::string_view rest = trim(line.substr(level));
        while (rest.ends_with('#')) rest.remove_suffix(1);
        out_.heading(static_cast<int>(level), inline_text(rest));
      } else if (!paragraph_.empty() && (only(line, '=', 2) || only(line, '-', 2)) && !is_item(line)) {
        out_.heading(line[0] == '=' ? 1 : 2, inline_text(paragraph_));
        paragraph_.clear();
      } else if (only(line, '-', 3) || only(line, '*', 3) || only(line, '_', 3)) {
        flush();
      } else if (line.find('|') != std::string_view::npos && ((i + 1 < lines.size() && is_rule_of_table(lines[i + 1])) || table_)) {
        if (!table_) flush();
        table_ = true;
        out_.row(cells_of(line));
        if (i + 1 < lines.size() && is_rule_of_table(lines[i + 1])) ++i;
      } else {
        if (is_item(line) || table_) flush();
        std::string_view rest = line;
        while (rest.starts_with('>')) rest = indent_off(rest.substr(1));
        (paragraph_ += rest) += ' ';
      }
    }
    if (!fence_.empty()) close_code();
    flush();
    return out_.finish("md");
  }

 private:
  size_t front_matter(const std::vector<std::string_view>& lines) {
    for (size_t i = 1; i < lines.size() && i < 200; ++i) {
      const std::string_view line = trim(lines[i]);
      if (line.starts_with("title:")) title_ = trim(line.substr(6));
      if (line != "---") continue;
      if (title_.size() > 1 && (title_[0] == '"' || title_[0] == '\'')) title_ = title_.substr(1, title_.size() - 2);
      out_.title(title_);
      return i + 1;
    }
    return 0;
  }
  void close_code() { out_.code(code_), code_.clear(), fence_ = {}; }
  void flush() {
    out_.paragraph(inline_text(paragraph_));
    paragraph_.clear();
    table_ = false;
  }

  TextBuilder out_;
  std::string_view fence_, title_;
  std::string paragraph_, code_;
  bool table_ = false;
};

}  // namespace

Result<Extracted> extract_markdown(std::string_view utf8) { return Markdown().run(utf8); }

}  // namespace ajar::rag
