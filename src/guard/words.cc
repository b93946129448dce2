#include "guard/words.h"

#include <re2/re2.h>

#include <algorithm>

namespace ajar::guard {
namespace {

// Calls `piece(begin, end)` for each line, long ones cut from their beginning.
template <class Piece>
void each_line(std::string_view text, Piece piece) {
  for (size_t at = 0; at < text.size();) {
    const size_t newline = text.substr(0, std::min(text.size(), at + LineRegexes::kMaxLine)).find('\n', at);
    const size_t end = newline == text.npos ? std::min(text.size(), at + LineRegexes::kMaxLine) : newline;
    piece(at, end, newline != text.npos || end - at == LineRegexes::kMaxLine);
    at = newline == text.npos ? end : end + 1;
  }
}

}  // namespace

LineRegexes::LineRegexes() = default;
LineRegexes::~LineRegexes() = default;
LineRegexes::LineRegexes(LineRegexes&&) noexcept = default;
LineRegexes& LineRegexes::operator=(LineRegexes&&) noexcept = default;

Status LineRegexes::add(const std::string& expression, uint32_t id) {
  RE2::Options options(RE2::Quiet);
  options.set_max_mem(8 << 20);
  auto regex = std::make_unique<RE2>(expression, options);
  if (!regex->ok()) return fail(Code::kInvalid, "regular expression \"" + expression + "\": " + regex->error());
  if (RE2::PartialMatch("", *regex))
    return fail(Code::kInvalid, "regular expression \"" + expression + "\" matches the empty text");
  expressions_.push_back({std::move(regex), id});
  return {};
}

void LineRegexes::find(std::string_view text, std::vector<Phrases::Match>& out) const {
  each_line(text, [&](size_t begin, size_t end, bool) {
    const re2::StringPiece line(text.data() + begin, end - begin);
    for (const Expression& e : expressions_) {
      size_t from = 0;
      re2::StringPiece match;
      while (from <= line.size() && e.regex->Match(line, from, line.size(), RE2::UNANCHORED, &match, 1)) {
        const size_t at = static_cast<size_t>(match.data() - line.data());
        if (match.size() > 0) out.push_back({e.id, begin + at, begin + at + match.size()});
        from = at + std::max<size_t>(match.size(), 1);
      }
    }
  });
}

size_t LineRegexes::open(std::string_view text) {
  size_t open = text.size();
  each_line(text, [&](size_t begin, size_t end, bool closed) {
    if (!closed && end == text.size()) open = begin;
  });
  return open;
}

}  // namespace ajar::guard
