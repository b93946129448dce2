#include "learn/isotonic.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "json/read.h"
#include "json/write.h"

namespace ajar::learn {
namespace {

constexpr size_t kMostKnots = 100'000;

struct Block {
  double scores = 0, outcomes = 0, count = 0;
  double mean() const { return outcomes / count; }
  void add(const Block& b) { scores += b.scores, outcomes += b.outcomes, count += b.count; }
};

}  // namespace

Result<Isotonic> Isotonic::fit(std::span<const double> scores, std::span<const double> outcomes) {
  assert(scores.size() == outcomes.size());
  if (scores.empty()) return invalid("scores", "nothing to fit a calibration to");
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, [&](size_t a, size_t b) { return scores[a] < scores[b]; });

  std::vector<Block> blocks;
  for (size_t at = 0; at < order.size();) {
    Block block;
    const double score = scores[order[at]];
    if (!std::isfinite(score)) return invalid("scores", "a score is not a finite number");
    for (; at < order.size() && scores[order[at]] == score; ++at) block.add({score, outcomes[order[at]], 1});
    blocks.push_back(block);
    while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() >= blocks.back().mean()) {
      blocks[blocks.size() - 2].add(blocks.back());
      blocks.pop_back();
    }
  }

  std::vector<Knot> knots;
  double floor = 0;
  for (const Block& b : blocks) {
    // The correction may turn the order of a small block and a large one: they keep it.
    floor = std::max(floor, (b.outcomes + 0.5) / (b.count + 1));
    const auto score = static_cast<float>(b.scores / b.count);
    if (!knots.empty() && score <= knots.back().score) {
      knots.back().probability = static_cast<float>(floor);
      continue;
    }
    knots.push_back({score, static_cast<float>(floor)});
  }
  return of(std::move(knots));
}

Result<Isotonic> Isotonic::of(std::vector<Knot> knots) {
  if (knots.size() > kMostKnots) return invalid("knots", "a calibration has too many knots");
  for (size_t i = 0; i < knots.size(); ++i) {
    const Knot& k = knots[i];
    if (!std::isfinite(k.score) || !(k.probability >= 0 && k.probability <= 1))
      return invalid("knots", "a calibration's knot is not a score with a probability");
    if (i > 0 && !(knots[i - 1].score < k.score && knots[i - 1].probability <= k.probability))
      return invalid("knots", "a calibration's knots do not rise");
  }
  Isotonic out;
  out.knots_ = std::move(knots);
  return out;
}

double Isotonic::operator()(double score) const {
  if (knots_.empty()) return std::clamp(score, 0.0, 1.0);
  const auto above = std::ranges::upper_bound(knots_, score, {}, [](const Knot& k) { return static_cast<double>(k.score); });
  if (above == knots_.begin()) return above->probability;
  const Knot& a = *(above - 1);
  if (above == knots_.end()) return a.probability;
  const double t = (score - a.score) / (static_cast<double>(above->score) - a.score);
  return a.probability + t * (static_cast<double>(above->probability) - a.probability);
}

std::string Isotonic::json() const {
  std::string out;
  json::Writer w(out);
  w.begin_array();
  for (const Knot& k : knots_) {
    w.begin_array();
    w.number(k.score), w.number(k.probability);
    w.end_array();
  }
  w.end_array();
  return out;
}

Result<Isotonic> Isotonic::parse(std::string_view text) {
  json::Document document;
  AJAR_ASSIGN(const json::Value value, document.parse(text));
  const auto rows = json::as_array(value);
  if (!rows) return invalid("knots", "a calibration is an array of [score, probability]");
  std::vector<Knot> knots;
  for (const json::Value row : *rows) {
    const auto pair = json::as_array(row);
    if (!pair || pair->size() != 2) return invalid("knots", "a calibration is an array of [score, probability]");
    const auto score = json::as_double(pair->at(0).value_unsafe()), p = json::as_double(pair->at(1).value_unsafe());
    if (!score || !p) return invalid("knots", "a calibration is an array of [score, probability]");
    knots.push_back({static_cast<float>(*score), static_cast<float>(*p)});
  }
  return of(std::move(knots));
}

}  // namespace ajar::learn
