#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "engine/grammar/json_text.h"

namespace ajar::engine {
namespace {

using Node = Grammar::Node;

Node digits(Grammar& g, int from, int to) {
  return from > to ? g.nothing() : g.chars({{static_cast<uint32_t>('0' + from), static_cast<uint32_t>('0' + to)}});
}

// Strings of digits as long as `low` and `high` (equally long) and between them.
Node same_length(Grammar& g, std::string_view low, std::string_view high) {
  if (low.empty()) return g.empty();
  if (low.find_first_not_of('0') == low.npos && high.find_first_not_of('9') == high.npos)
    return g.repeat(digits(g, 0, 9), static_cast<int32_t>(low.size()), static_cast<int32_t>(low.size()));
  const int a = low[0] - '0', b = high[0] - '0';
  const std::string nines(low.size() - 1, '9'), zeros(low.size() - 1, '0');
  if (a == b) return g.sequence({digits(g, a, a), same_length(g, low.substr(1), high.substr(1))});
  return g.choice({g.sequence({digits(g, a, a), same_length(g, low.substr(1), nines)}),
                   g.sequence({digits(g, a + 1, b - 1), same_length(g, zeros, nines)}),
                   g.sequence({digits(g, b, b), same_length(g, zeros, high.substr(1))})});
}

// low <= high, without a sign.
Node natural_range(Grammar& g, uint64_t low, uint64_t high) {
  std::vector<Node> choices;
  std::string top = std::to_string(high);
  for (std::string at = std::to_string(low);; at = "1" + std::string(at.size(), '0')) {
    if (at.size() == top.size()) {
      choices.push_back(same_length(g, at, top));
      break;
    }
    choices.push_back(same_length(g, at, std::string(at.size(), '9')));
  }
  return g.choice(std::move(choices));
}

constexpr uint64_t kUsual = 99'999'999'999'999'999;  // where no bound is given

// The decimal digits of a bound >= 0.
struct Bound {
  uint64_t whole = 0;
  std::string fraction;  // without zeros at its end
  bool open = false;
};

Bound bound_of(double value, bool open) {
  char text[400];
  auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed).ptr;
  std::string_view all(text, static_cast<size_t>(end - text));
  Bound out{.open = open};
  size_t point = std::min(all.find('.'), all.size());
  std::from_chars(all.data(), all.data() + point, out.whole);
  if (point < all.size()) out.fraction = all.substr(point + 1);
  while (out.fraction.ends_with('0')) out.fraction.pop_back();
  return out;
}

// Fractions digit by digit. A side is tight while the digits so far are the bound's own.
struct Fractions {
  Grammar& g;
  const Bound &low, &high;
  int most;

  bool may_end(size_t at, bool low_tight, bool high_tight) const {
    if (low_tight && (at < low.fraction.size() || low.open)) return false;
    return !high_tight || at < high.fraction.size() || !high.open;
  }
  static int digit(const Bound& bound, size_t at) { return at < bound.fraction.size() ? bound.fraction[at] - '0' : 0; }

  Node from(size_t at, bool low_tight, bool high_tight) const {
    const int left = most - static_cast<int>(at);
    if (!low_tight && !high_tight) return g.repeat(digits(g, 0, 9), 0, std::max(0, left));
    Node more = left > 0 ? next(at, low_tight, high_tight) : g.nothing();
    return may_end(at, low_tight, high_tight) ? g.optional(more) : more;
  }
  Node next(size_t at, bool low_tight, bool high_tight) const {
    const int a = low_tight ? digit(low, at) : 0, b = high_tight ? digit(high, at) : 9;
    if (a > b) return g.nothing();
    if (a == b) return g.sequence({digits(g, a, a), from(at + 1, low_tight, high_tight)});
    return g.choice({g.sequence({digits(g, a, a), from(at + 1, low_tight, false)}),
                     g.sequence({digits(g, a + 1, b - 1), from(at + 1, false, false)}),
                     g.sequence({digits(g, b, b), from(at + 1, false, high_tight)})});
  }
  // What follows a whole part.
  Node after_whole(bool low_tight, bool high_tight) const {
    Node some = most > 0 ? g.sequence({g.literal("."), next(0, low_tight, high_tight)}) : g.nothing();
    return may_end(0, low_tight, high_tight) ? g.optional(some) : some;
  }
};

Node positive(Grammar& g, const Bound& low, const Bound& high, int fraction) {
  if (low.whole > high.whole) return g.nothing();
  const Fractions fractions{g, low, high, fraction};
  auto whole = [&](uint64_t n) { return g.literal(std::to_string(n)); };
  if (low.whole == high.whole) return g.sequence({whole(low.whole), fractions.after_whole(true, true)});
  std::vector<Node> choices{g.sequence({whole(low.whole), fractions.after_whole(true, false)}),
                            g.sequence({whole(high.whole), fractions.after_whole(false, true)})};
  if (high.whole - low.whole > 1)
    choices.push_back(g.sequence({natural_range(g, low.whole + 1, high.whole - 1), fractions.after_whole(false, false)}));
  return g.choice(std::move(choices));
}

}  // namespace

Node integer_range(Grammar& g, std::optional<int64_t> low, std::optional<int64_t> high) {
  const auto usual = static_cast<int64_t>(kUsual);
  const int64_t a = low.value_or(high && *high < -usual ? INT64_MIN : -usual);
  const int64_t b = high.value_or(low && *low > usual ? INT64_MAX : usual);
  if (a > b) return g.nothing();
  std::vector<Node> choices;
  auto magnitude = [](int64_t n) { return n < 0 ? ~static_cast<uint64_t>(n) + 1 : static_cast<uint64_t>(n); };
  if (b >= 0) choices.push_back(natural_range(g, magnitude(std::max<int64_t>(a, 0)), magnitude(b)));
  if (a < 0) choices.push_back(g.sequence({g.literal("-"), natural_range(g, magnitude(std::min<int64_t>(b, -1)), magnitude(a))}));
  return g.choice(std::move(choices));
}

Node number_range(Grammar& g, const NumberRange& range) {
  constexpr double kMost = 1e17;
  const double low = std::max(range.low.value_or(-kMost), -kMost), high = std::min(range.high.value_or(kMost), kMost);
  if (low > high || low > kMost || high < -kMost) return g.nothing();
  const bool low_open = range.low_open && range.low && *range.low >= -kMost, high_open = range.high_open && range.high && *range.high <= kMost;
  std::vector<Node> choices;
  if (high >= 0) {
    const double from = std::max(low, 0.0);
    choices.push_back(positive(g, bound_of(from, low >= 0 && low_open), bound_of(high, high_open), range.fraction));
  }
  if (low < 0) {
    const double from = high < 0 ? -high : 0;
    choices.push_back(g.sequence({g.literal("-"), positive(g, bound_of(from, high < 0 ? high_open : true), bound_of(-low, low_open), range.fraction)}));
  }
  return g.choice(std::move(choices));
}

}  // namespace ajar::engine
