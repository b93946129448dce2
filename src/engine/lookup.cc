#include "engine/lookup.h"

#include <algorithm>

namespace ajar::engine {
namespace {

constexpr size_t kReach = 16384;  // tokens back: a search takes microseconds
constexpr int kPlainEvery = 256;  // steps

}  // namespace

void look_up(std::span<const int32_t> tokens, int count, std::vector<int32_t>& out) {
  const size_t n = tokens.size();
  if (n < 3 || count <= 0) return;
  const int32_t last = tokens[n - 1], second = tokens[n - 2], third = tokens[n - 3];
  size_t found = 0;
  const size_t end = n > kReach ? n - kReach : 1;
  for (size_t at = n - 2; at >= end; --at) {
    if (tokens[at] != last || tokens[at - 1] != second) continue;
    if (found == 0) found = at;
    if (at >= 2 && tokens[at - 2] == third) {
      found = at;
      break;
    }
  }
  if (found == 0) return;
  const size_t begin = out.size();
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    size_t from = found + 1 + i;
    out.push_back(from < n ? tokens[from] : out[begin + from - n]);
  }
}

GuessRecord GuessRecord::expecting(const GuessRecord& others) {
  GuessRecord record;
  record.rate_ = others.rate_, record.hit_ = others.hit_, record.trials_ = 0;
  return record;
}

bool GuessRecord::awake() {
  if (resting_ == 0) return true;
  if (--resting_ == 0) trials_ = 2, rate_ = std::max(rate_, 0.3), hit_ = std::max(hit_, 0.5);  // the text may have changed
  return false;
}

void GuessRecord::tell(int proposed, int accepted) {
  trials_ = std::max(0, trials_ - 1);
  rate_ = rate_ * 0.7 + 0.3 * accepted / proposed;
  hit_ = hit_ * 0.7 + 0.3 * accepted / (accepted + (accepted < proposed));
  if (accepted == proposed) next_rest_ = 16;
}

void GuessRecord::rest() {
  resting_ = next_rest_;
  next_rest_ = std::min(next_rest_ * 2, 512);
}

void StepCosts::tell(int rows, double seconds) {
  if (rows < 1 || rows > kMaxRows) return;
  auto at = static_cast<size_t>(rows);
  // A thread that was held up for a moment must not stop guessing for long: an outlier counts as twice the usual.
  seconds_[at] = seconds_[at] == 0 ? seconds : seconds_[at] * 0.8 + std::min(seconds, 2 * seconds_[at]) * 0.2;
  age_[at] = 0;
}

bool StepCosts::plain_due(int rows) {
  if (rows < 1 || rows > kMaxRows) return false;
  auto at = static_cast<size_t>(rows);
  return seconds_[at] == 0 || ++age_[at] > kPlainEvery;
}

double StepCosts::seconds(int rows) const {
  for (int r = std::min(rows, kMaxRows); r > 0; --r)
    if (seconds_[static_cast<size_t>(r)] > 0) return seconds_[static_cast<size_t>(r)];
  return 0;
}

double StepCosts::expected(int guesses, double hit) {
  double sum = 0, all = 1;
  for (int i = 0; i < guesses; ++i) sum += all *= hit;
  return sum;
}

int StepCosts::best(int rows, double tokens, int most, double hit, double guess_s) const {
  int best = 0;
  double rate = tokens / seconds(rows);
  for (int n = 1; n <= most; ++n) {
    const double with = (tokens + expected(n, hit)) / (seconds(rows + n) + n * guess_s);
    if (with > rate) best = n, rate = with;
  }
  return best;
}

bool StepCosts::pays(int rows, double tokens, int more, double gained) const {
  return (tokens + gained) * seconds(rows) >= tokens * seconds(rows + more);
}

}  // namespace ajar::engine
