// What adapters add to the model's multiplications: rows of one adapter are taken together, B (A x) added to theirs.
#include <algorithm>
#include <cstring>

#include "engine/decoder.h"

namespace ajar::engine {

void Decoder::group_by_adapter(std::span<const Row> rows, std::vector<AdapterRows>& groups) {
  groups.clear();
  for (int m = 0; m < static_cast<int>(rows.size()); ++m) {
    const Adapter* adapter = rows[static_cast<size_t>(m)].adapter;
    if (adapter == nullptr) continue;
    auto group = std::ranges::find(groups, adapter, &AdapterRows::adapter);
    if (group == groups.end()) group = groups.insert(groups.end(), {adapter, {}});
    group->rows.push_back(m);
  }
}

std::span<const Decoder::AdapterRows> Decoder::gathered_groups(int layer, std::span<const Choice> tokens, std::span<const Row> rows) {
  if (std::ranges::none_of(groups_, [&](const AdapterRows& group) { return group.adapter->adapts_experts(static_cast<size_t>(layer)); })) return {};
  gathered_rows_.clear();
  for (const Choice& choice : tokens) gathered_rows_.push_back(rows[static_cast<size_t>(choice.token)]);
  group_by_adapter(gathered_rows_, gathered_groups_);
  return gathered_groups_;
}

void Decoder::adapt(const Adapting& by, const float* x, int64_t ldx, std::initializer_list<Adapted> outputs) {
  for (const AdapterRows& group : by.groups) {
    // What is adapted here; all of it multiplies the same input.
    struct Work {
      const LowRank* low;
      const Adapted* to;
      size_t at;  // in low_
    };
    Work work[3];
    size_t count = 0, floats = 0;
    const auto n = static_cast<int>(group.rows.size());
    const size_t padded = static_cast<size_t>((n + kPanelRows - 1) / kPanelRows * kPanelRows);
    size_t widest = 0;
    for (const Adapted& output : outputs) {
      const LowRank* low = group.adapter->find(static_cast<size_t>(by.layer), output.target, by.expert);
      if (low == nullptr) continue;
      work[count++] = {low, &output, floats};
      floats += padded * static_cast<size_t>(low->a.padded_rows());
      widest = std::max(widest, static_cast<size_t>(low->b.padded_rows()));
    }
    if (count == 0) continue;
    if (low_.size() < floats) low_.resize(floats);
    if (delta_.size() < padded * widest) delta_.resize(padded * widest);

    Input input{x + group.rows.front() * ldx, ldx, n};
    if (group.rows.back() - group.rows.front() + 1 != n) {
      const int64_t columns = work[0].low->a.columns;
      if (adapter_in_.size() < static_cast<size_t>(n * columns)) adapter_in_.resize(static_cast<size_t>(n * columns));
      for (int i = 0; i < n; ++i)
        std::memcpy(adapter_in_.data() + i * columns, x + group.rows[static_cast<size_t>(i)] * ldx, static_cast<size_t>(columns) * sizeof(float));
      input = {adapter_in_.data(), columns, n};
    }
    Output down[3];
    for (size_t i = 0; i < count; ++i) down[i] = {&work[i].low->a, low_.data() + work[i].at, work[i].low->a.padded_rows()};
    multiplier_.run(input, {down, count});
    for (size_t i = 0; i < count; ++i) {
      const Matrix& b = work[i].low->b;
      Output up{&b, delta_.data(), b.padded_rows()};
      multiplier_.run({down[i].y, down[i].ld, n}, {&up, 1});
      for (int r = 0; r < n; ++r)
        multiplier_.kernels().add(work[i].to->y + group.rows[static_cast<size_t>(r)] * work[i].to->ld, delta_.data() + r * b.padded_rows(), b.rows);
    }
  }
}

}  // namespace ajar::engine
