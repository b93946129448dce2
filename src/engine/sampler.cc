#include "engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/kernels.h"

namespace ajar::engine {
namespace {

constexpr float kImpossible = -std::numeric_limits<float>::infinity();

struct Moments {
  float peak = kImpossible, second = kImpossible;
  double log_total = 0;  // ln of the sum of e^logit
  double entropy = 0;
};

Moments moments(std::span<const float> logits) {
  LogitMoments sums{};
  best_kernels().logit_moments(logits.data(), static_cast<int64_t>(logits.size()), &sums);
  return {.peak = sums.peak, .second = sums.second, .log_total = sums.peak + std::log(sums.total), .entropy = std::log(sums.total) - sums.weighted / sums.total};
}

std::vector<std::pair<int32_t, float>> most_likely(std::span<const float> logits, int32_t count, double log_total) {
  std::vector<std::pair<int32_t, float>> best;
  if (count <= 0) return best;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (static_cast<int32_t>(best.size()) == count && !(logits[i] > best.back().second)) continue;
    auto at = std::ranges::find_if(best, [&](const auto& entry) { return logits[i] > entry.second; });
    best.insert(at, {static_cast<int32_t>(i), logits[i]});
    if (static_cast<int32_t>(best.size()) > count) best.pop_back();
  }
  for (auto& entry : best) entry.second = static_cast<float>(entry.second - log_total);
  return best;
}

}  // namespace

Sampler::Sampler(SamplingParams params)
    : params_(std::move(params)),
      penalties_(params_.repetition_penalty != 1 || params_.frequency_penalty != 0 || params_.presence_penalty != 0),
      state_(params_.seed) {}

// splitmix64 (Steele, Lea and Flood, 2014).
double Sampler::uniform() {
  uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return static_cast<double>((z ^ z >> 31) >> 11) * 0x1p-53;
}

Sampler::Seen& Sampler::seen(int32_t token) {
  auto at = std::ranges::lower_bound(seen_, token, {}, &Seen::token);
  if (at == seen_.end() || at->token != token) at = seen_.insert(at, {token});
  return *at;
}

void Sampler::accept(int32_t token, bool in_prompt) {
  if (!penalties_) return;
  Seen& entry = seen(token);
  ++(in_prompt ? entry.in_prompt : entry.in_answer);
}

void Sampler::penalize(std::span<float> logits) const {
  for (const Seen& s : seen_) {
    if (s.token < 0 || static_cast<size_t>(s.token) >= logits.size()) continue;
    float& v = logits[static_cast<size_t>(s.token)];
    if (params_.repetition_penalty != 1) v = v > 0 ? v / params_.repetition_penalty : v * params_.repetition_penalty;
    if (s.in_answer > 0) v -= params_.frequency_penalty * static_cast<float>(s.in_answer) + params_.presence_penalty;
  }
  for (auto [token, bias] : params_.logit_bias)
    if (token >= 0 && static_cast<size_t>(token) < logits.size()) logits[static_cast<size_t>(token)] += bias;
}

Sampled Sampler::score(std::span<const float> logits, int32_t token, int32_t top) {
  Moments m = moments(logits);
  Sampled out{.token = token, .logprob = static_cast<float>(logits[static_cast<size_t>(token)] - m.log_total),
              .top = most_likely(logits, top, m.log_total)};
  out.margin = static_cast<float>(std::exp(m.peak - m.log_total) - std::exp(m.second - m.log_total));
  out.entropy = static_cast<float>(m.entropy);
  return out;
}

Sampled Sampler::sample(std::span<float> logits, const TokenMask* mask) {
  // A model that says NaN says nothing; without this a comparison somewhere below would choose at random.
  for (float& v : logits)
    if (!(v > -1e30f)) v = kImpossible;
  Moments m = moments(logits);
  Sampled out;
  out.margin = static_cast<float>(std::exp(m.peak - m.log_total) - std::exp(m.second - m.log_total));
  out.entropy = static_cast<float>(m.entropy);
  if (params_.top_logprobs > 0) out.top = most_likely(logits, params_.top_logprobs, m.log_total);
  std::vector<float> raw;
  bool changed = penalties_ || !params_.logit_bias.empty();
  if (params_.top_logprobs >= 0 && changed) raw.assign(logits.begin(), logits.end());

  if (changed) penalize(logits);
  if (mask != nullptr) {
    for (size_t w = 0; w < mask->words().size(); ++w) {
      uint64_t bits = mask->words()[w];
      if (bits == ~uint64_t{0}) continue;
      size_t end = std::min(w * 64 + 64, logits.size());
      for (size_t i = w * 64; i < end; ++i)
        if (!(bits >> i % 64 & 1)) logits[i] = kImpossible;
    }
    for (size_t i = mask->words().size() * 64; i < logits.size(); ++i) logits[i] = kImpossible;
  }
  out.token = choose(logits);
  if (params_.top_logprobs >= 0) {
    float value = raw.empty() ? logits[static_cast<size_t>(out.token)] : raw[static_cast<size_t>(out.token)];
    out.logprob = static_cast<float>(value - m.log_total);
  }
  return out;
}

int32_t Sampler::choose(std::span<const float> logits) {
  auto best = static_cast<int32_t>(std::ranges::max_element(logits) - logits.begin());
  float peak = logits[static_cast<size_t>(best)];
  if (params_.temperature <= 0 || params_.top_k == 1 || !(peak > kImpossible)) return best;
  // Weights relative to the peak; 0 for what cannot matter.
  const float inverse = 1 / std::max(params_.temperature, 1e-4f);
  const float floor = params_.min_p > 0 ? std::max(std::log(params_.min_p), -80.f) : -30;
  weights_.resize(logits.size());
  best_kernels().weigh(logits.data(), static_cast<int64_t>(logits.size()), peak, inverse, floor, weights_.data());
  if (params_.top_k <= 0 && params_.typical_p >= 1 && params_.top_p >= 1) {
    double total = 0;
    for (float w : weights_) total += static_cast<double>(w);
    double point = uniform() * total;
    for (size_t i = 0; i < weights_.size(); ++i) {
      point -= static_cast<double>(weights_[i]);
      if (point < 0) return static_cast<int32_t>(i);
    }
    return best;
  }
  candidates_.clear();
  for (size_t i = 0; i < logits.size(); ++i)
    if (weights_[i] > 0) candidates_.emplace_back(weights_[i], static_cast<int32_t>(i));
  auto likelier = [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; };
  size_t keep = candidates_.size();
  if (params_.top_k > 0 && static_cast<size_t>(params_.top_k) < keep) {
    keep = static_cast<size_t>(params_.top_k);
    std::nth_element(candidates_.begin(), candidates_.begin() + static_cast<ptrdiff_t>(keep) - 1, candidates_.end(), likelier);
    candidates_.resize(keep);
  }
  double total = 0;
  for (const auto& c : candidates_) total += c.first;
  if (params_.typical_p < 1) {
    // The tokens whose surprise is nearest to the entropy, until they hold typical_p of the probability.
    double entropy = 0;
    for (const auto& c : candidates_) entropy -= c.first / total * std::log(c.first / total);
    auto strangeness = [&](const auto& c) { return std::abs(-std::log(c.first / total) - entropy); };
    std::ranges::sort(candidates_, [&](const auto& a, const auto& b) {
      double x = strangeness(a), y = strangeness(b);
      return x != y ? x < y : a.second < b.second;
    });
    double sum = 0;
    size_t n = 0;
    while (n < candidates_.size() && sum < params_.typical_p * total) sum += candidates_[n++].first;
    candidates_.resize(std::max<size_t>(n, 1));
    total = sum;
  }
  if (params_.top_p < 1) {
    // The likeliest first, as few as hold top_p; sorted in growing portions since few are needed of very many.
    double sum = 0;
    size_t n = 0, sorted = 0;
    while (n < candidates_.size() && sum < params_.top_p * total) {
      if (n == sorted) {
        size_t next = std::min(candidates_.size(), std::max<size_t>(sorted * 4, 64));
        std::partial_sort(candidates_.begin() + static_cast<ptrdiff_t>(sorted), candidates_.begin() + static_cast<ptrdiff_t>(next), candidates_.end(), likelier);
        sorted = next;
      }
      sum += candidates_[n++].first;
    }
    candidates_.resize(std::max<size_t>(n, 1));
    total = sum;
  }
  double point = uniform() * total;
  for (const auto& c : candidates_) {
    point -= c.first;
    if (point < 0) return c.second;
  }
  return candidates_.back().second;
}

}  // namespace ajar::engine
