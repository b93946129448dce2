#pragma once
// Word lists and regular expressions of operators. Immutable once built; any number of threads may search.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "guard/phrases.h"

namespace re2 {
class RE2;
}

namespace ajar::guard {

// Regular expressions (RE2's syntax, linear time whatever is written), applied to each line by itself, so that a stream
// and the whole text give the same matches. Lines longer than kMaxLine are looked at in pieces.
class LineRegexes {
 public:
  static constexpr size_t kMaxLine = 4096;
  LineRegexes();
  ~LineRegexes();
  LineRegexes(LineRegexes&&) noexcept;
  LineRegexes& operator=(LineRegexes&&) noexcept;

  // kInvalid names what is wrong. An expression that matches the empty text is refused.
  Status add(const std::string& expression, uint32_t id);
  bool empty() const { return expressions_.empty(); }
  // All matches in `text`, which begins at the beginning of a line.
  void find(std::string_view text, std::vector<Phrases::Match>& out) const;
  // The first byte whose line (or piece) may still grow.
  static size_t open(std::string_view text);

 private:
  struct Expression {
    std::unique_ptr<re2::RE2> regex;
    uint32_t id;
  };
  std::vector<Expression> expressions_;
};

}  // namespace ajar::guard
