#include "guard/json_text.h"

#include "guard/masks.h"
#include "json/write.h"

namespace ajar::guard {
namespace {

void append_utf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xC0 | c >> 6));
    out.push_back(static_cast<char>(0x80 | (c & 63)));
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | c >> 12));
    out.push_back(static_cast<char>(0x80 | (c >> 6 & 63)));
    out.push_back(static_cast<char>(0x80 | (c & 63)));
  } else {
    out.push_back(static_cast<char>(0xF0 | c >> 18));
    out.push_back(static_cast<char>(0x80 | (c >> 12 & 63)));
    out.push_back(static_cast<char>(0x80 | (c >> 6 & 63)));
    out.push_back(static_cast<char>(0x80 | (c & 63)));
  }
}

// Four hex digits at `at`, or -1.
int32_t hex4(std::string_view text, size_t at) {
  if (at + 4 > text.size()) return -1;
  int32_t value = 0;
  for (size_t i = at; i < at + 4; ++i) {
    if (!is_hex(text[i])) return -1;
    value = value * 16 + (is_digit(text[i]) ? text[i] - '0' : (text[i] | 0x20) - 'a' + 10);
  }
  return value;
}

// The end of the string literal whose inside begins at `begin`: its closing quote, or the end of the text.
size_t string_end(std::string_view json, size_t begin) {
  size_t at = begin;
  while (at < json.size() && json[at] != '"') at += json[at] == '\\' ? 2 : 1;
  return at < json.size() ? at : json.size();
}

}  // namespace

std::string json_escaped(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out.substr(1, out.size() - 2);
}

std::string json_unescaped(std::string_view inner) {
  std::string out;
  out.reserve(inner.size());
  for (size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] != '\\' || i + 1 >= inner.size()) {
      out.push_back(inner[i]);
      continue;
    }
    const char c = inner[++i];
    static constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    if (const size_t k = kFrom.find(c); k != kFrom.npos) {
      out.push_back(kTo[k]);
    } else if (int32_t unit = c == 'u' ? hex4(inner, i + 1) : -1; unit >= 0) {
      i += 4;
      if (unit >= 0xD800 && unit < 0xDC00 && inner.substr(i + 1, 2) == "\\u") {
        if (const int32_t low = hex4(inner, i + 3); low >= 0xDC00 && low < 0xE000) {
          unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
          i += 6;
        }
      }
      append_utf8(out, unit >= 0xD800 && unit < 0xE000 ? 0xFFFD : static_cast<uint32_t>(unit));
    } else {
      out.push_back('\\');
      out.push_back(c);
    }
  }
  return out;
}

bool rewrite_json(std::string& json, const JsonRewrite& rewrite) {
  std::string out, member, last;
  bool changed = false;
  size_t copied = 0;
  for (size_t at = 0; at < json.size();) {
    const char c = json[at];
    if (c == '"') {
      const size_t end = string_end(json, at + 1);
      std::string text = json_unescaped(std::string_view(json).substr(at + 1, end - at - 1));
      last = text;
      if (rewrite(text, member, false)) {
        changed = true;
        out.append(json, copied, at - copied).append(1, '"').append(json_escaped(text));
        if (end < json.size()) out.push_back('"');
        copied = end < json.size() ? end + 1 : end;
      }
      at = end + 1;
    } else if (is_digit(c)) {
      size_t end = at;
      while (end < json.size() && (is_digit(json[end]) || json[end] == '.' || (json[end] | 0x20) == 'e')) ++end;
      std::string text = json.substr(at, end - at);
      if (text.size() >= 7 && text.find_first_not_of("0123456789") == text.npos && rewrite(text, member, true)) {
        changed = true;
        out.append(json, copied, at - copied).append(1, '"').append(json_escaped(text)).append(1, '"');
        copied = end;
      }
      at = end;
    } else {
      if (c == ':')
        member = last;
      else if (c == ',' || c == '{' || c == '}')
        member.clear();
      ++at;
    }
  }
  if (!changed) return false;
  out.append(json, std::min(copied, json.size()));
  json = std::move(out);
  return true;
}

}  // namespace ajar::guard
