#include "chat/jinja/text.h"

#include <algorithm>

namespace ajar::jinja {
namespace {

// str.isspace of one character.
bool is_space(std::string_view c) {
  if (c.size() == 1) return c[0] == ' ' || (c[0] >= 9 && c[0] <= 13) || (c[0] >= 0x1c && c[0] <= 0x1f);
  for (const std::string_view known : {"\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005",
                                       "\u2006", "\u2007", "\u2008", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f",
                                       "\u3000"}) {
    if (c == known) return true;
  }
  return false;
}

std::string_view first_character(std::string_view text) {
  size_t end = 1;
  while (end < text.size() && (uint8_t(text[end]) & 0xc0) == 0x80) ++end;
  return text.substr(0, end);
}
std::string_view last_character(std::string_view text) {
  size_t begin = text.size() - 1;
  while (begin > 0 && (uint8_t(text[begin]) & 0xc0) == 0x80) --begin;
  return text.substr(begin);
}

// One character of two bytes in the other case; the scripts whose cases lie at a fixed distance.
std::string other_case(std::string_view c, bool up) {
  if (c.size() == 1) {
    const bool change = up ? c[0] >= 'a' && c[0] <= 'z' : c[0] >= 'A' && c[0] <= 'Z';
    return std::string(1, change ? char(c[0] ^ 0x20) : c[0]);
  }
  if (c.size() != 2) return std::string(c);
  uint32_t code = uint32_t(c[0] & 0x1f) << 6 | (c[1] & 0x3f);
  const auto between = [&](uint32_t a, uint32_t b) { return code >= a && code <= b; };
  if (up) {
    if (code == 0xdf) return "SS";
    if ((between(0xe0, 0xfe) && code != 0xf7) || between(0x3b1, 0x3c9) || between(0x430, 0x44f)) code -= code == 0x3c2 ? 31 : 32;
    else if (between(0x450, 0x45f)) code -= 80;
    else if ((between(0x100, 0x137) || between(0x14a, 0x177) || between(0x460, 0x481)) && code % 2 == 1) code -= 1;
    else if ((between(0x139, 0x148) || between(0x179, 0x17e)) && code % 2 == 0) code -= 1;
    else if (code == 0xff) code = 0x178;
  } else {
    if ((between(0xc0, 0xde) && code != 0xd7) || (between(0x391, 0x3a9) && code != 0x3a2) || between(0x410, 0x42f)) code += 32;
    else if (between(0x400, 0x40f)) code += 80;
    else if (code == 0x130) return "i\u0307";
    else if ((between(0x100, 0x137) || between(0x14a, 0x177) || between(0x460, 0x481)) && code % 2 == 0) code += 1;
    else if ((between(0x139, 0x148) || between(0x179, 0x17e)) && code % 2 == 1) code += 1;
    else if (code == 0x178) code = 0xff;
  }
  return {char(0xc0 | code >> 6), char(0x80 | (code & 0x3f))};
}

std::string each(std::string_view text, bool up) {
  std::string out;
  out.reserve(text.size());
  for (const std::string_view c : characters(text)) out += other_case(c, up);
  return out;
}

bool is_letter(std::string_view c) {
  return (c[0] >= 'a' && c[0] <= 'z') || (c[0] >= 'A' && c[0] <= 'Z') || (c.size() > 1 && !is_space(c));
}

}  // namespace

std::string_view strip(std::string_view text, const std::string* set, bool left, bool right) {
  const auto goes = [&](std::string_view c) { return set ? set->find(c) != set->npos : is_space(c); };
  while (left && !text.empty()) {
    const std::string_view c = first_character(text);
    if (!goes(c)) break;
    text.remove_prefix(c.size());
  }
  while (right && !text.empty()) {
    const std::string_view c = last_character(text);
    if (!goes(c)) break;
    text.remove_suffix(c.size());
  }
  return text;
}

std::string_view first_word(std::string_view text) {
  size_t end = 0;
  while (end < text.size()) {
    const std::string_view c = first_character(text.substr(end));
    if (is_space(c)) break;
    end += c.size();
  }
  return text.substr(0, end);
}

std::string_view last_word(std::string_view text) {
  size_t begin = text.size();
  while (begin > 0) {
    const std::string_view c = last_character(text.substr(0, begin));
    if (is_space(c)) break;
    begin -= c.size();
  }
  return text.substr(begin);
}

std::vector<std::string_view> lines(std::string_view text) {
  std::vector<std::string_view> out;
  for (size_t at = 0; at < text.size();) {
    size_t end = at, after = 0;
    for (; end < text.size() && after == 0; ++end) {
      const char c = text[end];
      if (c == '\r' && end + 1 < text.size() && text[end + 1] == '\n') after = end + 2;
      else if ((c >= 10 && c <= 13) || (c >= 0x1c && c <= 0x1e)) after = end + 1;
      else if (text.substr(end).starts_with("\u0085")) after = end + 2;
      else if (text.substr(end).starts_with("\u2028") || text.substr(end).starts_with("\u2029")) after = end + 3;
      if (after != 0) break;
    }
    out.push_back(text.substr(at, end - at));
    at = after != 0 ? after : text.size();
  }
  return out;
}

std::string to_upper(std::string_view text) { return each(text, true); }
std::string to_lower(std::string_view text) { return each(text, false); }

std::string to_title(std::string_view text) {
  std::string out;
  bool within = false;
  for (const std::string_view c : characters(text)) {
    out += other_case(c, !within);
    within = is_letter(c);
  }
  return out;
}

std::string to_capital(std::string_view text) {
  if (text.empty()) return {};
  const std::string_view first = first_character(text);
  return other_case(first, true) + to_lower(text.substr(first.size()));
}

Value replaced(Interpreter& in, std::string_view text, std::string_view from, std::string_view to, int64_t count) {
  std::string out;
  if (count < 0) count = INT64_MAX;
  if (from.empty()) {  // between all characters
    const auto letters = characters(text);
    for (size_t i = 0; i <= letters.size(); ++i) {
      if (count-- > 0) out += to;
      if (!in.charge(1, to.size())) return {};
      if (i < letters.size()) out += letters[i];
    }
    return Value(std::move(out));
  }
  size_t at = 0;
  for (size_t found; count > 0 && (found = text.find(from, at)) != text.npos; --count) {
    if (!in.charge(1, found - at + to.size())) return {};
    out.append(text.substr(at, found - at)).append(to);
    at = found + from.size();
  }
  out.append(text.substr(at));
  return in.text(std::move(out));
}

}  // namespace ajar::jinja
