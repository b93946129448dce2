#include "wire/error_text.h"

#include "base/text.h"

namespace ajar::wire {
namespace {

// Removes <script>...</script> and the like whole, other tags alone.
std::string without_tags(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t open = text.find('<');
    out.append(text.substr(0, open));
    if (open == text.npos) break;
    text.remove_prefix(open);
    const std::string head = to_lower(text.substr(0, 8));
    std::string_view end = ">";
    if (head.starts_with("<script")) end = "</script>";
    if (head.starts_with("<style")) end = "</style>";
    if (head.starts_with("<!--")) end = "-->";
    const size_t close = text.find(end);
    if (close == text.npos) break;
    text.remove_prefix(close + end.size());
    out.push_back(' ');
  }
  return out;
}

}  // namespace

std::string readable_excerpt(std::string_view body, size_t limit) {
  const std::string plain = without_tags(body.substr(0, 64 * 1024));
  std::string out;
  bool space = false;
  for (const char c : plain) {
    const bool blank = static_cast<unsigned char>(c) <= ' ' || c == 0x7F;
    if (blank) {
      space = !out.empty();
      continue;
    }
    if (space) out.push_back(' ');
    space = false;
    out.push_back(c);
    if (out.size() > limit + 4) break;
  }
  if (out.size() > limit) {
    size_t end = limit;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;
    out.resize(end);
    out += "...";
  }
  if (!valid_utf8(out))
    std::erase_if(out, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  return out;
}

}  // namespace ajar::wire
