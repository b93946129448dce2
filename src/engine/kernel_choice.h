#pragma once
// Which way of multiplying is the fastest on this machine. Timed and not guessed from what the CPU calls itself: wide instructions
// may lower the clock, be split in two, or share one unit between two threads, and from how many rows on tiles pay depends on
// the format.
//
// What may be chosen keeps two promises. Up to the rows from which tiles are used, all numbers of rows have one arithmetic, and
// only sets that give the same bits compete (Kernels::fused), so that guessing tokens ahead changes no answer. And a deterministic
// model is not asked: for it the usual way holds, which depends on the CPU and the format alone.

#include <array>
#include <climits>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/compute_pool.h"
#include "engine/kernels.h"
#include "engine/model.h"

namespace ajar::engine {

struct Way {
  const Kernels* kernels = nullptr;
  Arithmetic arithmetic = Arithmetic::kFloat;
  bool operator==(const Way&) const = default;
};
// "avx512-vnni integers"
std::string way_name(const Way& way);

constexpr int kTileRows = 20;  // the usual number of rows from which tiles beat integers

// What is done where nothing is timed: tiles from `tile_rows` rows on, else integers, else floats, as far as the set has them.
Way usual_way(const Kernels& kernels, Dtype dtype, int64_t columns, int rows, int tile_rows);

class KernelChoice {
 public:
  // Classes of numbers of rows: one is decoding, the last is prefill. A class reaches to the beginning of the next.
  static constexpr std::array<int, 7> kRows = {1, 4, 8, 16, kTileRows, 32, 64};
  using Figures = std::array<double, kRows.size()>;

  struct Timed {
    Way way;
    Figures gops{};  // 10^9 operations per second and thread; 0: given up early, as much too slow
  };
  struct Format {
    Dtype dtype;
    std::array<Way, kRows.size()> best{};
    std::vector<Timed> timed;
    int tile_rows = INT_MAX;  // from how many rows on it is multiplied with tiles; INT_MAX: never
  };

  // Seconds that `way` takes for `rows` rows once; called again and again, of which the fastest counts.
  using Clock = std::function<double(const Way& way, Dtype dtype, int rows)>;
  // Another way must take less than this share of the usual one's time: noise does not decide.
  static constexpr double kClearly = 0.95;
  static Format choose(Dtype dtype, const Clock& clock);

  // By the clock of the CPU, on all threads of the pool at once; some milliseconds per format, and once in a process. Any thread
  // that may use the pool.
  static std::shared_ptr<const KernelChoice> timed(std::span<const Dtype> dtypes, ComputePool& pool);
  explicit KernelChoice(std::vector<Format> formats) : formats_(std::move(formats)) {}

  // Null: not a format that was timed.
  const Way* find(Dtype dtype, int rows) const;
  std::span<const Format> formats() const { return formats_; }
  // From how many rows on any format is multiplied with tiles.
  int tile_rows() const;
  // One line per format, such as "Q4_K: avx512-vnni integers up to 19 rows (1: 66 Gop/s, 8: 210), amx tiles from 20 on (64: 480)".
  std::vector<std::string> lines() const;

 private:
  std::vector<Format> formats_;
};

// The formats of a model's matrices, each once.
std::vector<Dtype> formats_of(const Model& model);

}  // namespace ajar::engine
