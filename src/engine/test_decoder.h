#pragma once
// For tests of decoders: texts of numbers, and how far two computations of one are apart.

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tokenizer.h"

namespace ajar::engine {

using Logits = std::vector<std::vector<float>>;  // of every token of a text

// Root mean square of the difference, relative to the spread of the exact logits.
inline double difference(const Logits& a, const Logits& exact) {
  double error = 0, spread = 0;
  for (size_t t = 0; t < a.size(); ++t)
    for (size_t i = 0; i < a[t].size(); ++i) error += std::pow(a[t][i] - exact[t][i], 2), spread += std::pow(exact[t][i], 2);
  return std::sqrt(error / spread);
}

inline std::vector<int32_t> some_tokens(int count, int vocab) {
  std::vector<int32_t> tokens;
  for (int i = 0; i < count; ++i) tokens.push_back((i * 7919 + 13) % vocab);
  return tokens;
}

// For models of random weights, whose tokens mean nothing. `end`: the one that ends an answer, if any does.
class NoTokenizer final : public Tokenizer {
 public:
  NoTokenizer() = default;
  explicit NoTokenizer(int32_t end) { special_.end_of_generation = {end}; }
  void encode(std::string_view, std::vector<int32_t>&) const override {}
  void encode_with_controls(std::string_view, std::vector<int32_t>&) const override {}
  void append_bytes(int32_t, std::string&) const override {}
  size_t size() const override { return 512; }
  bool is_control(int32_t) const override { return false; }
  std::string_view piece(int32_t) const override { return {}; }
  int32_t find(std::string_view) const override { return -1; }
};

}  // namespace ajar::engine
