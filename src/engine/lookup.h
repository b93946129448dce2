#pragma once
// Guessing what comes next from what came before: text that repeats itself, quotes its prompt or edits it. A model checks several
// guessed tokens in one step, which reads its weights once; whether that pays is measured. One thread.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace ajar::engine {

// Adds to `out` up to `count` tokens that followed the latest earlier occurrence of the last three tokens, or else of the last two.
// Where that reaches the end of the text it goes on with its own guesses, as a text that goes round in circles does.
void look_up(std::span<const int32_t> tokens, int count, std::vector<int32_t>& out);

// Of one sequence: how often guesses came true, and whether to guess at all.
class GuessRecord {
 public:
  // What is expected where others of the kind did like this: nothing needs to be tried.
  static GuessRecord expecting(const GuessRecord& others);
  // Expected share of guesses that come true.
  double rate() const { return rate_; }
  // How likely a guess comes true where those before it did.
  double hit() const { return hit_; }
  // False while it rests because guessing did not pay; to be asked once per step.
  bool awake();
  // The next guesses are made whatever the measurements say: there is too little to judge by.
  bool trying() const { return trials_ > 0; }
  void tell(int proposed, int accepted);
  void rest();

 private:
  double rate_ = 0.5, hit_ = 0.7;
  int trials_ = 4, resting_ = 0, next_rest_ = 16;
};

// Of one engine: what a step of so many rows takes.
class StepCosts {
 public:
  static constexpr int kMaxRows = 16;  // beyond, a row costs as much as a step of its own would save

  // After a step of decoding only.
  void tell(int rows, double seconds);
  // To be asked once per step that would guess: a step without guesses is due, to know what that takes.
  bool plain_due(int rows);
  // Whether `more` rows, of which `gained` tokens are expected, pay in a step of `rows` rows and `tokens` tokens.
  bool pays(int rows, double tokens, int more, double gained) const;
  // How many guesses, up to `most`, pay best there when each comes true with `hit` where those before it did and takes `guess_s` to
  // make. 0: none pays.
  int best(int rows, double tokens, int most, double hit, double guess_s) const;
  static double expected(int guesses, double hit);  // of them, how many come true
  double seconds(int rows) const;  // 0: unknown

 private:
  std::array<double, kMaxRows + 1> seconds_{};
  std::array<int, kMaxRows + 1> age_{};
};

}  // namespace ajar::engine
