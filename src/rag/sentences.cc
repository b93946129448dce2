#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "rag/chunk.h"

namespace ajar::rag {
namespace {

// Abbreviations that are rarely a sentence's last word, in the languages of index/analyzer.h.
constexpr std::string_view kAbbreviations[] = {"al", "approx", "art", "bd", "bzw", "ca", "cap", "cf", "col", "dr", "dra", "ed", "eds", "eg", "ej", "etc", "fig", "figs",
                                               "gen", "gov", "hon", "ie", "jr", "lt", "m", "mme", "mr", "mrs", "ms", "mt", "no", "nos", "nr", "op", "p", "pág",
                                               "pp", "prof", "rep", "rev", "s", "sec", "sen", "sgt", "sr", "sra", "st", "str", "usw", "vgl", "vol", "vs", "z"};

bool is_close(std::string_view rest, size_t& length) {
  for (const std::string_view mark : {"\"", "'", ")", "]", "\xE2\x80\x9D", "\xE2\x80\x99", "\xC2\xBB"}) {
    if (rest.starts_with(mark)) return length = mark.size(), true;
  }
  return false;
}

// Does the word that ends at `at` (a dot stands there) end no sentence?
bool abbreviates(std::string_view text, size_t at) {
  size_t from = at;
  while (from > 0 && !std::isspace(static_cast<unsigned char>(text[from - 1])) && text[from - 1] != '(') --from;
  const std::string word = to_lower(text.substr(from, at - from));
  if (word.size() == 1 && std::isalpha(static_cast<unsigned char>(word[0]))) return true;               // an initial
  if (word.find('.') != std::string::npos && word.size() <= 5) return true;                              // e.g, U.S
  if (from == 0 && word.size() <= 3 && std::all_of(word.begin(), word.end(), ::isdigit)) return true;  // "1." of a list
  return std::binary_search(std::begin(kAbbreviations), std::end(kAbbreviations), word);
}

// A lower-case letter goes on with the sentence before it.
bool can_begin(std::string_view rest) { return !rest.empty() && !(rest[0] >= 'a' && rest[0] <= 'z'); }

}  // namespace

std::vector<Span> sentences(std::string_view text) {
  std::vector<Span> out;
  size_t begin = 0;
  const auto cut = [&](size_t end) {
    size_t from = begin, to = end;
    while (from < to && std::isspace(static_cast<unsigned char>(text[from]))) ++from;
    while (to > from && std::isspace(static_cast<unsigned char>(text[to - 1]))) --to;
    if (to > from) out.push_back({static_cast<uint32_t>(from), static_cast<uint32_t>(to)});
    begin = end;
  };
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n') {
      cut(at + 1);
      continue;
    }
    // 。 ！ ？
    if (c == '\xE3' || c == '\xEF') {
      const std::string_view three = text.substr(at, 3);
      if (three == "\xE3\x80\x82" || three == "\xEF\xBC\x81" || three == "\xEF\xBC\x9F") cut(at + 3), at += 2;
      continue;
    }
    if (c != '.' && c != '!' && c != '?') continue;
    size_t end = at + 1, length = 0;
    while (end < text.size() && (text[end] == '.' || text[end] == '!' || text[end] == '?')) ++end;
    while (end < text.size() && is_close(text.substr(end), length)) end += length;
    if (end < text.size() && text[end] == '[') {  // a note's number: "word.[12] Next"
      const size_t close = text.find(']', end);
      if (close != std::string_view::npos && close - end < 8) end = close + 1;
    }
    if (end < text.size() && text[end] != ' ') continue;
    if (end < text.size() && !can_begin(text.substr(std::min(text.find_first_not_of(' ', end), text.size())))) continue;
    if (c == '.' && end == at + 1 && abbreviates(text, at)) continue;
    cut(end);
    at = end - 1;
  }
  cut(text.size());
  return out;
}

size_t estimate_tokens(std::string_view text) {
  size_t tokens = 0, run = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte)) {
      if (run++ % 6 == 0) ++tokens;  // a word, and more for a long one
    } else {
      run = 0;
      if (byte >= 0xE0) ++tokens;                            // a character of three bytes or more
      else if (byte >= 0xC0) tokens += tokens == 0 ? 1 : 0;  // of two: part of a word
      else if (byte < 0x80 && byte > ' ') ++tokens;
    }
  }
  return tokens;
}

}  // namespace ajar::rag
