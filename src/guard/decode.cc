// One layer of base64, hex or percent-encoding: what is inside is scanned again, and found where the encoded text
// stands.
#include <algorithm>
#include <optional>
#include <string>

#include "base/text.h"
#include "guard/detectors.h"

namespace ajar::guard {
namespace {

constexpr size_t kMaxDecoded = 64 << 10;

std::optional<std::string> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  const auto nibble = [](char c) { return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10; };
  std::string out;
  for (size_t i = 0; i < text.size(); i += 2) {
    if (!is_hex(text[i]) || !is_hex(text[i + 1])) return std::nullopt;
    out.push_back(static_cast<char>(nibble(text[i]) << 4 | nibble(text[i + 1])));
  }
  return out;
}

bool printable(std::string_view text) {
  return std::all_of(
             text.begin(), text.end(),
             [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\r' || c == '\t' || is_high(c); }) &&
         valid_utf8(text);
}

// Secrets, and what is sure by itself; the rest of a decoded text would be guesses upon guesses.
bool look_inside(Scan& scan, std::string_view decoded, size_t begin, size_t end, std::string_view how) {
  Findings found;
  Scan deeper{decoded, scan.wanted, std::max(scan.minimum, 0.7f), found, scan.depth + 1};
  scan_into(deeper);
  for (const Finding& f : found) {
    if (f.entity == Entity::kPerson || f.entity == Entity::kLocation || f.entity == Entity::kDateTime ||
        f.entity == Entity::kNrp || f.entity == Entity::kUrl) {
      continue;
    }
    scan.add(begin, end, f.entity, f.score - 0.02f, how);  // the rule says the encoding
  }
  return !found.empty();
}

bool find_percent(Scan& scan, size_t begin, size_t end) {
  const auto chunk = scan.text.substr(begin, end - begin);
  if (chunk.size() > kMaxDecoded || std::count(chunk.begin(), chunk.end(), '%') < 2) return false;
  std::string decoded;
  bool any = false;
  for (size_t i = 0; i < chunk.size(); ++i) {
    if (chunk[i] == '%' && i + 2 < chunk.size() && is_hex(chunk[i + 1]) && is_hex(chunk[i + 2])) {
      decoded += *hex_decode(chunk.substr(i + 1, 2));
      i += 2;
      any = true;
    } else {
      decoded.push_back(chunk[i]);
    }
  }
  return any && printable(decoded) && look_inside(scan, decoded, begin, end, "percent");
}

}  // namespace

bool find_encoded(Scan& scan, size_t begin, size_t end) {
  if (scan.depth > 0 || end - begin < 16) return false;
  const auto text = scan.text;
  bool found = false;
  if (std::find(text.begin() + static_cast<ptrdiff_t>(begin), text.begin() + static_cast<ptrdiff_t>(end), '%') !=
      text.begin() + static_cast<ptrdiff_t>(end)) {
    found = find_percent(scan, begin, end);
  }
  for (size_t at = begin; at < end;) {
    const auto in_base64 = [](char c) { return is_alnum(c) || c == '+' || c == '/' || c == '-' || c == '_'; };
    if (!in_base64(text[at])) {
      ++at;
      continue;
    }
    const size_t first = at;
    while (at < end && in_base64(text[at])) ++at;
    size_t length = at - first;
    while (at < end && text[at] == '=' && at - first - length < 2) ++at;
    if (length < 20 || length > kMaxDecoded) continue;
    const auto token = text.substr(first, length);
    if (std::all_of(token.begin(), token.end(), is_hex)) {
      if (const auto bytes = hex_decode(token); bytes && printable(*bytes))
        found |= look_inside(scan, *bytes, first, at, "hex");
      continue;
    }
    // Paths and words of one case are no base64.
    if (std::none_of(token.begin(), token.end(), is_upper) || std::none_of(token.begin(), token.end(), is_lower))
      continue;
    if (length % 4 == 1) continue;
    if (const auto bytes = base64_decode(token); bytes && printable(*bytes))
      found |= look_inside(scan, *bytes, first, at, "base64");
  }
  return found;
}

}  // namespace ajar::guard
