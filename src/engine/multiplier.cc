#include "engine/multiplier.h"

#include <algorithm>
#include <cassert>

namespace ajar::engine {

MultiplierOptions MultiplierOptions::make(const Model& model, ComputePool& pool, const Kernels* wanted, bool deterministic) {
  MultiplierOptions options{.kernels = wanted != nullptr ? wanted : &best_kernels(), .deterministic = deterministic};
  if (deterministic || wanted != nullptr) return options;
  options.choice = KernelChoice::timed(formats_of(model), pool);
  if (options.kernels->multiply_bfloat != nullptr) options.bfloat_rows = options.choice->tile_rows();
  return options;
}

Multiplier::Multiplier(ComputePool& pool, MultiplierOptions options) : pool_(pool), options_(std::move(options)) {
  if (options_.deterministic || options_.kernels != &best_kernels()) options_.choice = nullptr;
  if (options_.kernels->multiply_bfloat == nullptr) return;
  for (int i = 0; i < pool.threads(); ++i) {
    auto buffer = HugeBuffer::make(kBfloatScratch);
    if (!buffer) {  // integers do as well
      options_.bfloat_rows = INT32_MAX;
      scratch_.clear();
      return;
    }
    scratch_.push_back(std::move(*buffer));
  }
}

Way Multiplier::way(const Matrix& matrix, int rows) const {
  if (options_.choice != nullptr && matrix.columns % kBlock == 0) {
    const Way* way = options_.choice->find(matrix.dtype, rows);
    if (way != nullptr && (way->arithmetic != Arithmetic::kBfloat || !scratch_.empty())) return *way;
  }
  return usual_way(*options_.kernels, matrix.dtype, matrix.columns, rows, options_.deterministic ? INT32_MAX : options_.bfloat_rows);
}

void Multiplier::prepare_integer(const Input& input, int64_t columns, int most) {
  quantized_.resize(input.rows, columns, most);
  auto row = [&](int64_t m) { quantized_.set(kernels(), m, input.x + m * input.ld); };
  if (input.rows <= 4) {
    for (int m = 0; m < input.rows; ++m) row(m);
  } else {
    pool_.run((input.rows + 3) / 4, [&](int64_t task, int) {
      for (int64_t m = task * 4; m < std::min<int64_t>(task * 4 + 4, input.rows); ++m) row(m);
    });
  }
}

void Multiplier::prepare_bfloat(const Input& input, int64_t columns) {
  int64_t tile_rows = (input.rows + 15) / 16;
  size_t bytes = static_cast<size_t>(tile_rows * 16 * columns) * 2;
  if (tiles_.size() < bytes) {
    auto bigger = HugeBuffer::make(bytes);
    assert(bigger);
    tiles_ = std::move(*bigger);
  }
  pool_.run(tile_rows, [&](int64_t t, int) {
    kernels().write_tiles(input.x + t * 16 * input.ld, input.ld, static_cast<int>(std::min<int64_t>(16, input.rows - t * 16)), columns,
                          reinterpret_cast<uint16_t*>(tiles_.data()) + t * 16 * columns);
  });
}

void Multiplier::run(const Input& input, std::span<const Output> outputs) {
  struct Piece {
    const Output* output;
    Way way;
    int first, last;
  };
  thread_local std::vector<Piece> pieces;
  pieces.clear();
  bool integer = false, bfloat = false, narrow = options_.narrow_inputs && kernels().narrow;
  const int64_t columns = outputs.front().matrix->columns;
  int total = 0;
  for (const Output& output : outputs) total += output.matrix->panel_count();
  // Some pieces per thread, so that a thread that was held up does not hold up the rest. Tiles want strips of 8 panels.
  int step = pool_.threads() == 1 ? total : std::max(1, total / (pool_.threads() * 6));
  for (const Output& output : outputs) {
    Way chosen = way(*output.matrix, input.rows);
    Arithmetic how = chosen.arithmetic;
    integer |= how == Arithmetic::kInteger, bfloat |= how == Arithmetic::kBfloat, narrow &= output.matrix->dtype == Dtype::kQ8_0;
    int count = output.matrix->panel_count(), by = how == Arithmetic::kBfloat ? std::max(8, (step + 7) / 8 * 8) : step;
    for (int n = 0; n < count; n += by) pieces.push_back({&output, chosen, n, std::min(n + by, count)});
  }
  if (integer) prepare_integer(input, columns, narrow ? kNarrowInput : kWideInput);
  if (bfloat) prepare_bfloat(input, columns);
  auto& all = pieces;  // the caller's, not the other threads' own
  pool_.run_if_worth(int64_t{total} * kPanelRows * columns * input.rows, static_cast<int64_t>(all.size()), [&](int64_t task, int thread) {
    const Piece& piece = all[static_cast<size_t>(task)];
    const Matrix& matrix = *piece.output->matrix;
    Product product{matrix.dtype, matrix.panels, columns, piece.first, piece.last, input.rows, piece.output->y, piece.output->ld};
    const Kernels& with = *piece.way.kernels;
    switch (piece.way.arithmetic) {
      case Arithmetic::kFloat: with.multiply_float(product, input.x, input.ld); break;
      case Arithmetic::kInteger: with.multiply_integer(product, quantized_.from()); break;
      case Arithmetic::kBfloat:
        with.multiply_bfloat(product, reinterpret_cast<const uint16_t*>(tiles_.data()), scratch_[static_cast<size_t>(thread)].data());
        break;
    }
    if (matrix.bias.empty()) return;
    int64_t begin = int64_t{piece.first} * kPanelRows, end = std::min<int64_t>(int64_t{piece.last} * kPanelRows, matrix.rows);
    for (int m = 0; m < input.rows; ++m)
      kernels().add(product.y + m * product.ldy + begin, matrix.bias.data() + begin, end - begin);
  });
}

}  // namespace ajar::engine
