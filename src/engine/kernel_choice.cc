#include "engine/kernel_choice.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <mutex>
#include <random>

#include "engine/huge_buffer.h"
#include "engine/quantized_input.h"

namespace ajar::engine {

std::string way_name(const Way& way) {
  const char* what = way.arithmetic == Arithmetic::kFloat ? " floats" : way.arithmetic == Arithmetic::kInteger ? " integers" : " tiles";
  return std::string(way.kernels->name) + what;
}

Way usual_way(const Kernels& kernels, Dtype dtype, int64_t columns, int rows, int tile_rows) {
  if (columns % kBlock != 0) return {&kernels, Arithmetic::kFloat};
  bool exact = dtype == Dtype::kF32 || dtype == Dtype::kF16;
  if (kernels.multiply_bfloat != nullptr && !exact && rows >= tile_rows) return {&kernels, Arithmetic::kBfloat};
  if (kernels.multiply_integer != nullptr && !is_float(dtype)) return {&kernels, Arithmetic::kInteger};
  return {&kernels, Arithmetic::kFloat};
}

namespace {

// The sets that have a function, the usual one first. Those that share its code count once, under the name of the narrowest; those
// that would give other bits do not count.
template <class Member>
void add_ways(Arithmetic arithmetic, Member member, std::vector<KernelChoice::Timed>& found) {
  const size_t first = found.size();
  for (const Kernels* kernels : all_kernels()) {
    if (kernels->*member == nullptr || kernels->fused != best_kernels().fused) continue;
    auto same = std::find_if(found.begin() + static_cast<ptrdiff_t>(first), found.end(), [&](const KernelChoice::Timed& t) {
      return t.way.kernels->*member == kernels->*member;
    });
    if (same != found.end()) same->way.kernels = kernels;
    else found.push_back({.way = {kernels, arithmetic}, .gops = {}});
  }
}

constexpr int64_t kColumns = 512;
constexpr int kPanels = 8;

// Weights of one format and inputs for the largest class, with room for every thread's outputs.
class Bench {
 public:
  Bench(Dtype dtype, ComputePool& pool);
  bool whole() const { return scratch_.size() == outputs_.size(); }
  double operator()(const Way& way, int rows);

 private:
  void multiply(const Way& way, int rows, size_t thread);

  static constexpr int kMost = KernelChoice::kRows.back();
  const Dtype dtype_;
  ComputePool& pool_;
  HugeBuffer panels_, tiles_;
  std::vector<float> x_;
  QuantizedInput quantized_;
  std::vector<std::vector<float>> outputs_;  // per thread
  std::vector<HugeBuffer> scratch_;          // per thread
};

Bench::Bench(Dtype dtype, ComputePool& pool) : dtype_(dtype), pool_(pool) {
  const int64_t stride = panel_layout(dtype, kColumns).stride;
  auto panels = HugeBuffer::make(static_cast<size_t>(kPanels * stride)), tiles = HugeBuffer::make(size_t{kMost} * kColumns * 2);
  if (!panels || !tiles) {
    outputs_.resize(1);
    return;
  }
  panels_ = std::move(*panels), tiles_ = std::move(*tiles);
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 0.02f);
  x_.resize(size_t{kMost} * kColumns);
  for (float& v : x_) v = normal(random);
  // One row stands for all: what the weights are does not change the time, as long as they are numbers.
  std::vector<std::byte> row(static_cast<size_t>(row_bytes(dtype, kColumns)));
  quantize_row(dtype, x_.data(), row.data(), kColumns);
  for (int n = 0; n < kPanels; ++n) pack_panel(dtype, row.data(), 0, kPanelRows, kColumns, panels_.data() + n * stride);

  quantized_.resize(kMost, kColumns);
  const Kernels& kernels = best_kernels();
  for (int64_t m = 0; m < kMost; ++m) quantized_.set(kernels, m, x_.data() + m * kColumns);
  for (int64_t t = 0; t < kMost / 16; ++t)
    kernels.write_tiles(x_.data() + t * 16 * kColumns, kColumns, 16, kColumns, reinterpret_cast<uint16_t*>(tiles_.data()) + t * 16 * kColumns);
  outputs_.resize(static_cast<size_t>(pool.threads()), std::vector<float>(size_t{kMost} * kPanels * kPanelRows));
  for (int i = 0; i < pool.threads(); ++i) {
    auto scratch = HugeBuffer::make(kBfloatScratch);
    if (!scratch) return;
    scratch_.push_back(std::move(*scratch));
  }
}

void Bench::multiply(const Way& way, int rows, size_t thread) {
  Product product{dtype_, panels_.data(), kColumns, 0, kPanels, rows, outputs_[thread].data(), kPanels * kPanelRows};
  switch (way.arithmetic) {
    case Arithmetic::kFloat: return way.kernels->multiply_float(product, x_.data(), kColumns);
    case Arithmetic::kInteger: return way.kernels->multiply_integer(product, quantized_.from());
    case Arithmetic::kBfloat: return way.kernels->multiply_bfloat(product, reinterpret_cast<const uint16_t*>(tiles_.data()), scratch_[thread].data());
  }
}

// The thread's own clock: what else runs on the machine does not count.
double busy_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double Bench::operator()(const Way& way, int rows) {
  const int repeats = std::max(1, 16 / rows);  // some tens of microseconds
  std::vector<double> seconds(outputs_.size());
  pool_.run(pool_.threads(), [&](int64_t task, int thread) {
    double from = busy_seconds();
    for (int i = 0; i < repeats; ++i) multiply(way, rows, static_cast<size_t>(thread));
    seconds[static_cast<size_t>(task)] = (busy_seconds() - from) / repeats;
  });
  return *std::ranges::max_element(seconds);
}

std::string figure(int rows, double gops) {
  char text[48];
  std::snprintf(text, sizeof text, "%d: %.0f", rows, gops);
  return text;
}

}  // namespace

KernelChoice::Format KernelChoice::choose(Dtype dtype, const Clock& clock) {
  constexpr int kRuns = 5;
  constexpr double kHopeless = 1.5, kNever = 1e30;
  Format format{.dtype = dtype, .best = {}, .timed = {}};
  if (!is_float(dtype)) add_ways(Arithmetic::kInteger, &Kernels::multiply_integer, format.timed);
  add_ways(Arithmetic::kFloat, &Kernels::multiply_float, format.timed);
  if (dtype != Dtype::kF32 && dtype != Dtype::kF16) add_ways(Arithmetic::kBfloat, &Kernels::multiply_bfloat, format.timed);
  const size_t count = format.timed.size();

  std::array<std::vector<double>, kRows.size()> seconds;
  std::vector<bool> lost(count);
  for (size_t c = 0; c < kRows.size(); ++c) {
    seconds[c].assign(count, kNever);
    std::map<Arithmetic, double> least;  // of each its own: few rows are all multiplied by one, whichever it will be
    for (size_t i = 0; i < count; ++i) {
      if (lost[i]) continue;
      const Way& way = format.timed[i].way;
      (void)clock(way, dtype, kRows[c]);  // fills the caches, wakes the wide units
      double best = clock(way, dtype, kRows[c]);
      double& fastest = least.try_emplace(way.arithmetic, kNever).first->second;
      const bool hopeless = best > fastest * kHopeless;
      // Tiles are made for many rows: that they are slow with few says nothing.
      lost[i] = hopeless && way.arithmetic != Arithmetic::kBfloat;
      for (int run = 1; run < kRuns && !hopeless; ++run) best = std::min(best, clock(way, dtype, kRows[c]));
      seconds[c][i] = best;
      fastest = std::min(fastest, best);
      format.timed[i].gops[c] = 2e-9 * kRows[c] * kColumns * kPanels * kPanelRows / best;
    }
  }
  // The first of an arithmetic is the usual one, and stays unless another is clearly faster.
  auto fastest = [&](size_t c, Arithmetic arithmetic) {
    size_t usual = count, chosen = count;
    for (size_t i = 0; i < count; ++i) {
      if (format.timed[i].way.arithmetic != arithmetic) continue;
      if (usual == count) usual = chosen = i;
      if (seconds[c][i] < (chosen == usual ? seconds[c][usual] * kClearly : seconds[c][chosen])) chosen = i;
    }
    return chosen;
  };
  auto time = [&](size_t c, size_t i) { return i < count ? seconds[c][i] : kNever; };
  const Arithmetic usual = format.timed.front().way.arithmetic;
  const bool floats = time(0, fastest(0, Arithmetic::kFloat)) < time(0, fastest(0, usual)) * kClearly;
  const Arithmetic few = floats ? Arithmetic::kFloat : usual;
  for (size_t c = 0; c < kRows.size(); ++c) format.best[c] = format.timed[fastest(c, few)].way;
  for (size_t c = kRows.size(); c-- > 0;) {
    const size_t tiles = fastest(c, Arithmetic::kBfloat), other = fastest(c, few);
    const double allowed = kRows[c] >= kTileRows ? 1 / kClearly : kClearly;
    if (tiles == count || time(c, tiles) > time(c, other) * allowed) break;
    format.best[c] = format.timed[tiles].way;
    format.tile_rows = kRows[c];
  }
  return format;
}

std::shared_ptr<const KernelChoice> KernelChoice::timed(std::span<const Dtype> dtypes, ComputePool& pool) {
  static std::mutex mutex;
  static std::map<Dtype, Format> known;  // guarded by mutex
  std::vector<Format> formats;
  std::lock_guard lock(mutex);
  for (Dtype dtype : dtypes) {
    auto it = known.find(dtype);
    if (it == known.end()) {
      std::lock_guard turn(pool.turn());
      Bench bench(dtype, pool);
      if (!bench.whole()) continue;  // no memory for it: the usual way
      it = known.emplace(dtype, choose(dtype, [&](const Way& way, Dtype, int rows) { return bench(way, rows); })).first;
    }
    formats.push_back(it->second);
  }
  return std::make_shared<const KernelChoice>(std::move(formats));
}

const Way* KernelChoice::find(Dtype dtype, int rows) const {
  auto it = std::ranges::find(formats_, dtype, &Format::dtype);
  if (it == formats_.end()) return nullptr;
  auto above = std::ranges::upper_bound(kRows, std::max(rows, 1));
  return &it->best[static_cast<size_t>(above - kRows.begin()) - 1];
}

int KernelChoice::tile_rows() const {
  int from = INT_MAX;
  for (const Format& format : formats_) from = std::min(from, format.tile_rows);
  return from;
}

std::vector<std::string> KernelChoice::lines() const {
  std::vector<std::string> out;
  for (const Format& format : formats_) {
    std::string line = std::string(dtype_info(format.dtype).name) + ":";
    for (size_t c = 0; c < kRows.size(); ++c) {
      const Way& way = format.best[c];
      if (c > 0 && way == format.best[c - 1]) continue;
      size_t last = c;
      while (last + 1 < kRows.size() && format.best[last + 1] == way) ++last;
      auto timed = std::ranges::find(format.timed, way, &Timed::way);
      line += (c > 0 ? "; from " + std::to_string(kRows[c]) + " rows " : " ") + way_name(way) + " (" + figure(kRows[c], timed->gops[c]);
      if (last > c) line += ", " + figure(kRows[last], timed->gops[last]);
      line += ")";
    }
    out.push_back(std::move(line));
  }
  return out;
}

std::vector<Dtype> formats_of(const Model& model) {
  std::vector<Dtype> found;
  auto add = [&](const Matrix& matrix) {
    if (!matrix.empty() && std::ranges::find(found, matrix.dtype) == found.end()) found.push_back(matrix.dtype);
  };
  for (const Layer& layer : model.layers()) {
    for (const Matrix* m : {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down}) add(*m);
    for (const Expert& expert : layer.experts) add(expert.gate), add(expert.up), add(expert.down);
    add(layer.shared.gate), add(layer.shared.up), add(layer.shared.down);
  }
  add(model.head()), add(model.pooler()), add(model.classifier());
  return found;
}

}  // namespace ajar::engine
