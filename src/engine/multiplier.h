#pragma once
// Inputs times matrices on all threads: chooses the arithmetic, prepares the inputs for it once, and cuts the panels into pieces.

#include <span>
#include <vector>

#include "engine/compute_pool.h"
#include "engine/huge_buffer.h"
#include "engine/kernel_choice.h"
#include "engine/kernels.h"
#include "engine/model.h"
#include "engine/quantized_input.h"

namespace ajar::engine {

struct MultiplierOptions {
  const Kernels* kernels = &best_kernels();
  // Answers do not depend on the batch, nor on what was timed: the arithmetic follows neither the number of rows nor `choice`.
  bool deterministic = false;
  int bfloat_rows = kTileRows;  // from how many rows on tiles beat integers
  // Inputs of 8-bit weights are rounded to 7 bits in place of 8 where that is faster (Kernels::narrow).
  bool narrow_inputs = false;
  // What was timed, for multiplications; all else is done by `kernels`. Null: the usual way. Only beside the widest set: one that
  // somebody asked for by name is used as it is.
  std::shared_ptr<const KernelChoice> choice = nullptr;

  // For this model on this machine: timed, unless it is deterministic or `wanted` (null: none) is the set that somebody asked for.
  static MultiplierOptions make(const Model& model, ComputePool& pool, const Kernels* wanted, bool deterministic);
};

// What goes in: `rows` rows of `columns` floats, `ld` apart.
struct Input {
  const float* x = nullptr;
  int64_t ld = 0;
  int rows = 0;
};

struct Output {
  const Matrix* matrix = nullptr;
  float* y = nullptr;      // room for rows rounded up to 16
  int64_t ld = 0;          // at least matrix->padded_rows()
};

class Multiplier {
 public:
  Multiplier(ComputePool& pool, MultiplierOptions options);

  // y = matrix * x + bias for each output; all matrices have the same number of columns.
  void run(const Input& input, std::span<const Output> outputs);
  const Kernels& kernels() const { return *options_.kernels; }
  const MultiplierOptions& options() const { return options_; }
  Way way(const Matrix& matrix, int rows) const;
  Arithmetic arithmetic(const Matrix& matrix, int rows) const { return way(matrix, rows).arithmetic; }

 private:
  void prepare_integer(const Input& input, int64_t columns, int most);
  void prepare_bfloat(const Input& input, int64_t columns);

  ComputePool& pool_;
  MultiplierOptions options_;
  std::vector<HugeBuffer> scratch_;  // per thread
  QuantizedInput quantized_;
  HugeBuffer tiles_;
};

}  // namespace ajar::engine
