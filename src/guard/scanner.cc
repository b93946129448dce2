#include "guard/scanner.h"

#include <algorithm>
#include <array>
#include <vector>

#include "guard/detectors.h"
#include "guard/gazetteer.h"

namespace ajar::guard {
namespace {

// Where a chunk ends: white space, quotes, brackets of markup, and what lists are made with.
constexpr std::array<bool, 256> kEndsChunk = [] {
  std::array<bool, 256> ends{};
  for (size_t i = 0; i <= 0x20; ++i) ends[i] = true;
  for (const char c : std::string_view("\"'<>`|,;")) ends[static_cast<unsigned char>(c)] = true;
  return ends;
}();
bool ends_chunk(char c) { return kEndsChunk[static_cast<unsigned char>(c)]; }

// A chunk that is longer is looked at in parts; nobody's address is.
constexpr size_t kMaxChunk = 96 << 10;

bool is_uuid(std::string_view text, size_t begin) {
  static constexpr size_t kDashes[] = {8, 13, 18, 23};
  if (begin + 36 > text.size()) return false;
  for (size_t i = 0, dash = 0; i < 36; ++i) {
    if (dash < 4 && i == kDashes[dash]) {
      if (text[begin + i] != '-') return false;
      ++dash;
    } else if (!is_hex(text[begin + i])) {
      return false;
    }
  }
  return begin + 36 == text.size() || !is_word(text[begin + 36]);
}

void scan_chunk(Scan& scan, size_t begin, size_t end) {
  const auto text = scan.text;
  static thread_local std::vector<std::pair<size_t, size_t>> kept[2];  // what is inside an encoded token has its own
  auto& claimed = kept[scan.depth > 0];
  claimed.clear();
  find_addresses(scan, begin, end, claimed);
  std::sort(claimed.begin(), claimed.end());
  find_secrets(scan, begin, end);
  size_t next_claim = 0;
  for (size_t at = begin; at < end;) {
    while (next_claim < claimed.size() && claimed[next_claim].second <= at) ++next_claim;
    if (next_claim < claimed.size() && at >= claimed[next_claim].first) {
      at = claimed[next_claim].second;
      scan.numbers_until = std::max(scan.numbers_until, at);
      continue;
    }
    if (!is_alnum(text[at]) || (at > 0 && is_word(text[at - 1]) && at > begin)) {
      ++at;
      continue;
    }
    if (is_hex(text[at]) && is_uuid(text, at)) {
      at += 36;
      scan.numbers_until = std::max(scan.numbers_until, at);
      continue;
    }
    size_t stop = at;
    bool digit = false, letter = false;
    while (stop < end && is_word(text[stop])) {
      digit |= is_digit(text[stop]);
      letter |= !is_digit(text[stop]);
      ++stop;
    }
    if (digit && letter) {
      find_word_ids(scan, at, stop);
    }
    if (digit && is_digit(text[at]) && at >= scan.numbers_until) {
      const NumberRun run = read_number(text, at);
      find_numbers(scan, run);
      scan.numbers_until = run.end(run.count - 1);
    }
    at = stop;
  }
  find_encoded(scan, begin, end);
}

}  // namespace

void scan_into(Scan& scan) {
  static thread_local Masks kept[2];
  Masks& masks = kept[scan.depth > 0];
  masks.build(scan.text);
  const auto text = scan.text;
  for (size_t done = 0, at = masks.next_anchor(0); at != Masks::kNone; at = masks.next_anchor(done)) {
    size_t begin = at, end = at;
    while (begin > done && !ends_chunk(text[begin - 1])) --begin;
    while (end < text.size() && end - begin < kMaxChunk && !ends_chunk(text[end])) ++end;
    scan_chunk(scan, begin, end);
    done = std::max(end, at + 1);
  }
  if (scan.wanted.has(Entity::kPerson) || scan.wanted.has(Entity::kLocation) || scan.wanted.has(Entity::kNrp) ||
      scan.wanted.has(Entity::kDateTime)) {
    find_names(scan, masks);
  }
}

Scanner::Scanner(ScannerOptions options) : options_(options) {
  gazetteer(), long_places();  // built before the first request rather than in it
  topics_of("");
}

void Scanner::scan(std::string_view text, Findings& out) const {
  out.clear();
  Scan scan{text, options_.entities, options_.minimum_score, out};
  scan_into(scan);
  keep_best(out);
}

Findings Scanner::scan(std::string_view text) const {
  Findings found;
  scan(text, found);
  return found;
}

}  // namespace ajar::guard
