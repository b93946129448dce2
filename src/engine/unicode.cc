#include "engine/unicode.h"

#include <algorithm>
#include <array>

#include "engine/unicode_tables.h"

namespace ajar::engine::unicode {
namespace {

// Hangul syllables, section 3.12 of the Unicode Standard.
constexpr char32_t kSBase = 0xac00, kLBase = 0x1100, kVBase = 0x1161, kTBase = 0x11a7;
constexpr char32_t kLCount = 19, kVCount = 21, kTCount = 28, kSCount = kLCount * kVCount * kTCount;

bool in(std::span<const Range> ranges, char32_t c) {
  const auto after = std::ranges::upper_bound(ranges, uint32_t(c), {}, &Range::first);
  return after != ranges.begin() && c <= std::prev(after)->last;
}

const Mapping* find(std::span<const Mapping> table, char32_t c) {
  const auto found = std::ranges::lower_bound(table, uint32_t(c), {}, &Mapping::code);
  return found != table.end() && found->code == c ? &*found : nullptr;
}

uint8_t combining(char32_t c) {
  if (c < 0x300) return 0;
  const auto after = std::ranges::upper_bound(kCombining, uint32_t(c), {}, &Class::first);
  return after != kCombining.begin() && c <= std::prev(after)->last ? std::prev(after)->value : 0;
}

void decompose(char32_t c, bool compatible, std::u32string& out) {
  if (c < 0x80) return out.push_back(c);
  if (c >= kSBase && c < kSBase + kSCount) {
    const char32_t s = c - kSBase;
    out.push_back(kLBase + s / (kVCount * kTCount));
    out.push_back(kVBase + s % (kVCount * kTCount) / kTCount);
    if (s % kTCount != 0) out.push_back(kTBase + s % kTCount);
    return;
  }
  const Mapping* found = compatible ? find(kCompatible, c) : nullptr;
  if (found == nullptr) found = find(kCanonical, c);
  if (found == nullptr) return out.push_back(c);
  out.append(kPool + found->at, found->length);
}

void order_marks(std::u32string& text) {
  for (size_t begin = 0; begin < text.size(); ++begin) {
    if (combining(text[begin]) == 0) continue;
    size_t end = begin + 1;
    while (end < text.size() && combining(text[end]) != 0) ++end;
    if (end - begin > 1) {  // by counting: someone may have made the run long on purpose
      std::array<size_t, 257> at{};
      const std::u32string run = text.substr(begin, end - begin);
      for (const char32_t c : run) ++at[combining(c) + 1u];
      for (size_t i = 1; i < at.size(); ++i) at[i] += at[i - 1];
      for (const char32_t c : run) text[begin + at[combining(c)]++] = c;
    }
    begin = end;
  }
}

char32_t pair(char32_t a, char32_t b) {  // 0: they do not compose
  if (a >= kLBase && a < kLBase + kLCount && b >= kVBase && b < kVBase + kVCount) {
    return kSBase + ((a - kLBase) * kVCount + (b - kVBase)) * kTCount;
  }
  if (a >= kSBase && a < kSBase + kSCount && (a - kSBase) % kTCount == 0 && b > kTBase && b < kTBase + kTCount) {
    return a + (b - kTBase);
  }
  const auto key = [](const Pair& p) { return uint64_t(p.first) << 32 | p.second; };
  const uint64_t wanted = uint64_t(a) << 32 | b;
  const auto found = std::ranges::lower_bound(kPairs, wanted, {}, key);
  return found != kPairs.end() && key(*found) == wanted ? char32_t(found->composed) : 0;
}

void compose(std::u32string& text) {
  std::u32string out;
  size_t starter = std::u32string::npos;
  int last = -1;  // class of what stands last after the starter, -1: nothing
  for (const char32_t c : text) {
    const int mine = combining(c);
    if (starter != std::u32string::npos && last < (mine == 0 ? 0 : mine)) {
      if (const char32_t both = pair(out[starter], c); both != 0) {
        out[starter] = both;
        continue;
      }
    }
    if (mine == 0) {
      starter = out.size();
      last = -1;
    } else {
      last = mine;
    }
    out.push_back(c);
  }
  text.swap(out);
}

bool ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return uint8_t(c) < 0x80; });
}

}  // namespace

char32_t next(std::string_view text, size_t& at) {
  const auto lead = uint8_t(text[at]);
  const size_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length == 1) return ++at, lead;
  if (length == 0 || at + length > text.size()) return ++at, kBadByte + lead;
  char32_t code = lead & (0x7f >> length);
  for (size_t i = 1; i < length; ++i) {
    const auto c = uint8_t(text[at + i]);
    if ((c & 0xc0) != 0x80) return ++at, kBadByte + lead;
    code = code << 6 | (c & 0x3f);
  }
  const bool bad = (length == 3 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) ||
                   (length == 4 && (code < 0x10000 || code > 0x10ffff));
  if (bad) return ++at, kBadByte + lead;
  at += length;
  return code;
}

void append(std::string& out, char32_t c) {
  if (c < 0x80) {
    out.push_back(char(c));
  } else if (c >= kBadByte) {
    out.push_back(char(c & 0xff));
  } else if (c < 0x800) {
    out.push_back(char(0xc0 | c >> 6));
    out.push_back(char(0x80 | (c & 0x3f)));
  } else if (c < 0x10000) {
    out.push_back(char(0xe0 | c >> 12));
    out.push_back(char(0x80 | (c >> 6 & 0x3f)));
    out.push_back(char(0x80 | (c & 0x3f)));
  } else {
    out.push_back(char(0xf0 | c >> 18));
    out.push_back(char(0x80 | (c >> 12 & 0x3f)));
    out.push_back(char(0x80 | (c >> 6 & 0x3f)));
    out.push_back(char(0x80 | (c & 0x3f)));
  }
}

size_t incomplete_tail(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto c = uint8_t(text[text.size() - back]);
    if ((c & 0xc0) == 0x80) continue;
    const size_t length = c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 1;
    if (length <= back) return 0;
    if (back >= 2) {  // the second byte already tells some that no third can mend
      const auto second = uint8_t(text[text.size() - back + 1]);
      if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second >= 0xa0) || (c == 0xf0 && second < 0x90) ||
          (c == 0xf4 && second >= 0x90)) {
        return 0;
      }
    }
    return back;
  }
  return 0;
}

std::u32string decode(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) out.push_back(next(text, at));
  return out;
}

std::string encode(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : text) append(out, c);
  return out;
}

std::string normalize(std::string_view text, Form form) {
  if (ascii(text)) return std::string(text);
  const bool compatible = form == Form::kNfkc || form == Form::kNfkd;
  std::u32string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) decompose(next(text, at), compatible, out);
  order_marks(out);
  if (form == Form::kNfc || form == Form::kNfkc) compose(out);
  return encode(out);
}

std::string lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next(text, at);
    if (c < 0x80) {
      out.push_back(c >= 'A' && c <= 'Z' ? char(c + 32) : char(c));
    } else if (const Mapping* found = find(kLower, c)) {
      for (size_t i = 0; i < found->length; ++i) append(out, kPool[found->at + i]);
    } else {
      append(out, c);
    }
  }
  return out;
}

bool is_mark(char32_t c) { return c >= 0x300 && in(kMarks, c); }
bool is_nonspacing(char32_t c) { return c >= 0x300 && in(kNonspacing, c); }
bool is_punctuation(char32_t c) { return in(kPunctuation, c); }
bool is_other(char32_t c) { return in(kOther, c); }
bool is_space(char32_t c) {
  return c == ' ' || (c >= 9 && c <= 13) || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
         c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}
bool is_cjk(char32_t c) {
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x20000 && c <= 0x2a6df) ||
         (c >= 0x2a700 && c <= 0x2b73f) || (c >= 0x2b740 && c <= 0x2b81f) || (c >= 0x2b820 && c <= 0x2ceaf) ||
         (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f);
}

}  // namespace ajar::engine::unicode
