// The feed-forward of a mixture: each token passes its best experts, the tokens of one are multiplied together, and one more that
// all pass.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "engine/decoder.h"

namespace ajar::engine {

void Decoder::experts(const Layer& layer, int index, std::span<const Row> rows) {
  const auto count = static_cast<int>(rows.size());
  route(layer, index, count);
  std::fill_n(projected_.begin(), count * embedding_, 0.f);
  gathered_.resize(x_.size());
  expert_out_.resize(x_.size());
  for (int32_t e = 0; e < model_->config().experts; ++e) expert(layer, index, e, rows);
  if (!layer.shared.gate.empty()) shared_expert(layer, index, count);
}

// Which experts a token passes, and with which weights their answers are added.
void Decoder::route(const Layer& layer, int index, int count) {
  const ModelConfig& c = model_->config();
  const int64_t router_ld = layer.router.padded_rows();
  router_.resize(static_cast<size_t>(capacity_ * router_ld));
  Output scores{&layer.router, router_.data(), router_ld};
  multiplier_.run({normed_.data(), embedding_, count}, {&scores, 1});
  adapt({groups_, index}, normed_.data(), embedding_, {{AdapterTarget::kRouter, router_.data(), router_ld}});

  chosen_.resize(static_cast<size_t>(c.experts));
  for (auto& tokens : chosen_) tokens.clear();
  std::vector<int> order(static_cast<size_t>(c.experts));
  for (int m = 0; m < count; ++m) {
    float* p = router_.data() + m * router_ld;
    float peak = *std::max_element(p, p + c.experts), total = 0;
    for (int e = 0; e < c.experts; ++e) total += p[e] = std::exp(p[e] - peak);
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + c.experts_used, order.end(),
                      [&](int a, int b) { return p[a] != p[b] ? p[a] > p[b] : a < b; });
    float best = 0;
    for (int i = 0; i < c.experts_used; ++i) best += p[order[static_cast<size_t>(i)]];
    float divisor = c.normalize_expert_weights ? best : total;
    for (int i = 0; i < c.experts_used; ++i) {
      int e = order[static_cast<size_t>(i)];
      chosen_[static_cast<size_t>(e)].push_back({m, p[e] / divisor * c.expert_weights_scale});
    }
  }
}

void Decoder::expert(const Layer& layer, int index, int32_t number, std::span<const Row> rows) {
  const std::vector<Choice>& tokens = chosen_[static_cast<size_t>(number)];
  if (tokens.empty()) return;
  const Expert& expert = layer.experts[static_cast<size_t>(number)];
  for (size_t i = 0; i < tokens.size(); ++i)
    std::memcpy(gathered_.data() + static_cast<int64_t>(i) * embedding_, normed_.data() + tokens[i].token * embedding_,
                static_cast<size_t>(embedding_) * sizeof(float));
  gated(expert.gate, expert.up, expert.down, {gathered_groups(index, tokens, rows), index, number}, gathered_.data(), embedding_,
        static_cast<int>(tokens.size()), expert_out_.data(), embedding_);
  for (size_t i = 0; i < tokens.size(); ++i)
    multiplier_.kernels().scale_add(projected_.data() + tokens[i].token * embedding_, expert_out_.data() + static_cast<int64_t>(i) * embedding_,
                                    tokens[i].weight, model_->config().embedding);
}

void Decoder::shared_expert(const Layer& layer, int index, int count) {
  const int64_t router_ld = layer.router.padded_rows();
  gated(layer.shared.gate, layer.shared.up, layer.shared.down, {groups_, index}, normed_.data(), embedding_, count, expert_out_.data(), embedding_);
  if (!layer.shared_gate.empty()) {
    Output gate{&layer.shared_gate, router_.data(), router_ld};
    multiplier_.run({normed_.data(), embedding_, count}, {&gate, 1});
    adapt({groups_, index}, normed_.data(), embedding_, {{AdapterTarget::kSharedGate, router_.data(), router_ld}});
  }
  for (int m = 0; m < count; ++m) {
    float weight = layer.shared_gate.empty() ? 1 : 1 / (1 + std::exp(-router_[static_cast<size_t>(m * router_ld)]));
    multiplier_.kernels().scale_add(projected_.data() + m * embedding_, expert_out_.data() + m * embedding_, weight, model_->config().embedding);
  }
}

}  // namespace ajar::engine
