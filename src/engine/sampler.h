#pragma once
// From logits to a token. One per sequence; any one thread at a time. Repeatable: the same seed, logits and parameters give the same
// tokens on every machine.

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace ajar::engine {

struct SamplingParams {
  float temperature = 1;         // 0: the most likely token
  int32_t top_k = 0;             // 0: all
  float top_p = 1;
  float min_p = 0;               // relative to the most likely token
  float typical_p = 1;           // locally typical sampling (Meister et al., 2022)
  float repetition_penalty = 1;  // CTRL's: of tokens in prompt and answer
  float frequency_penalty = 0;   // OpenAI's: of tokens in the answer, per occurrence
  float presence_penalty = 0;    // the same, once
  std::vector<std::pair<int32_t, float>> logit_bias;
  uint64_t seed = 0;
  int32_t top_logprobs = -1;     // -1: no logprobs; 0: of the chosen token only
};

// Which tokens a grammar allows. Bits by token id.
class TokenMask {
 public:
  explicit TokenMask(size_t tokens) : words_((tokens + 63) / 64), size_(tokens) {}
  size_t size() const { return size_; }
  void clear() { std::fill(words_.begin(), words_.end(), 0); }
  void allow(int32_t token) { words_[static_cast<size_t>(token) / 64] |= uint64_t{1} << token % 64; }
  bool allowed(int32_t token) const { return words_[static_cast<size_t>(token) / 64] >> token % 64 & 1; }
  std::span<uint64_t> words() { return words_; }
  std::span<const uint64_t> words() const { return words_; }
  bool operator==(const TokenMask&) const = default;

 private:
  std::vector<uint64_t> words_;
  size_t size_;
};

struct Sampled {
  int32_t token = -1;
  // Natural logarithms of probabilities as the model gave them, before temperature and filters.
  float logprob = 0;
  std::vector<std::pair<int32_t, float>> top;  // the most likely first
  float margin = 0;    // probability of the most likely token minus that of the second
  float entropy = 0;   // nats
};

class Sampler {
 public:
  explicit Sampler(SamplingParams params);

  // `logits` are changed. `mask`: the only tokens that may come, at least one; null: any.
  Sampled sample(std::span<float> logits, const TokenMask* mask);
  // Tells of a token that stands in the sequence now: of the prompt, or sampled, or forced.
  void accept(int32_t token, bool in_prompt);
  const SamplingParams& params() const { return params_; }

  // The logprob of a given token and of the most likely ones.
  static Sampled score(std::span<const float> logits, int32_t token, int32_t top);

 private:
  void penalize(std::span<float> logits) const;
  int32_t choose(std::span<const float> logits);
  double uniform();  // [0, 1)

  struct Seen {
    int32_t token;
    int32_t in_prompt = 0, in_answer = 0;
  };
  Seen& seen(int32_t token);

  SamplingParams params_;
  std::vector<Seen> seen_;  // sorted by token; only kept where a penalty needs it
  bool penalties_;
  uint64_t state_;
  std::vector<float> weights_;                            // of all tokens
  std::vector<std::pair<float, int32_t>> candidates_;
};

}  // namespace ajar::engine
