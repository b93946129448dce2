#pragma once
// The inner loops, compiled once per instruction set, and the choice between them. All are pure functions on memory that the
// caller owns; none allocates, none fails, any thread.
//
// For one row of input every kernel adds up in the same order whatever the number of rows beside it, so an answer does not
// depend on who shares the batch (batch invariance). Different multiplications (Arithmetic) do round differently.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/dtype.h"
#include "engine/panel.h"

namespace ajar::engine {

// How inputs are handed to a multiplication.
enum class Arithmetic : uint8_t {
  kFloat,      // float inputs, float sums: exact, and the only one for float weights in F32 and F16
  kInteger,    // inputs as 8-bit integers with a scale per 32: VNNI; for few rows
  kBfloat,     // inputs and weights as bfloat16 in tiles: AMX; for many rows
};

// Codes of inputs are at most so large. AVX2 multiplies them by codes of 8 bits faster where they have 7 bits (Kernels::narrow).
constexpr int kWideInput = 127, kNarrowInput = 63;

// Rows of inputs, quantised: x = scale * code.
struct QuantizedRows {
  const int8_t* codes = nullptr;   // [row][columns]
  const float* scales = nullptr;   // [row][columns / 32]
  const float* sums = nullptr;     // [row][columns / 16]: scale * sum of the codes of 16 columns
  const int32_t* totals = nullptr; // [row][columns / 32]: sum of the codes
  int64_t columns = 0;
  int most = kWideInput;           // no code is larger, nor its negative
};

// y[row * ldy + 16 * panel + r] for panels first..last-1. `panels` points at panel 0 of the matrix.
struct Product {
  Dtype dtype;
  const std::byte* panels;
  int64_t columns;
  int first, last;
  int rows;                // of input
  float* y;                // kBfloat writes whole tiles of 16 rows: y has room for rows rounded up
  int64_t ldy;             // at least 16 * (panels of the matrix)
};

// Queries of one sequence against its cache, for one key/value head of one layer.
//   K page: [head_dim][16 tokens] of halves; V page: [16 tokens][padded head_dim] of halves
struct Attention {
  const uint16_t* const* k_pages;   // of token 0 onwards; those before the window may be anything
  const uint16_t* const* v_pages;
  const float* const* queries;      // rows x head_dim
  float* const* outputs;            // rows x head_dim
  const int32_t* positions;         // of each row; it sees tokens begin..position
  const int32_t* begins;            // first token each row sees (sliding window), 0 without
  int rows;
  int32_t end = 0;                  // bidirectional: every row sees tokens 0..end-1; 0: causal
  int head_dim;
  int padded_head_dim;              // rounded up to 16
  float scale, softcap;             // softcap 0: none
  void (*soften)(float* scores, int32_t begin, int32_t end, float scale, float softcap) = nullptr;  // for attend_tiles: Kernels::soften
  float* scores;                    // scratch: 8 x (tokens rounded up to 16); of attend_tiles: see there
};

// What a row of logits says as a whole. Those that are not above -1e30 (NaN among them) do not count; with none that does, peak is
// -infinity and the sums are 0.
struct LogitMoments {
  float peak, second;       // the largest and the one after it
  double total, weighted;   // sums of e^d and of d * e^d, d = logit - peak, as far as d > -40: the rest is below 1e-17 of the peak
};

struct Kernels {
  std::string_view name;            // "avx512", "avx2", "portable"
  // A multiplication and an addition round once. All functions on floats of sets that do so give the same bits, and their integer
  // multiplications too, so that one may be taken for another.
  bool fused;
  bool narrow = false;              // 8-bit weights are multiplied faster by inputs of at most kNarrowInput

  void (*multiply_float)(const Product& product, const float* x, int64_t ldx);
  void (*multiply_integer)(const Product& product, const QuantizedRows& x);                  // null: not on this machine
  // `tiles`: [row tile of 16][column step of 32][16][32] bfloat16, as write_tiles makes them. `scratch`: kBfloatScratch bytes.
  void (*multiply_bfloat)(const Product& product, const uint16_t* tiles, std::byte* scratch);  // null as above

  // columns a multiple of 32
  void (*quantize)(const float* x, int64_t columns, int most, int8_t* codes, float* scales, float* sums, int32_t* totals);
  void (*write_tiles)(const float* x, int64_t ldx, int rows, int64_t columns, uint16_t* tiles);  // one tile row, rows <= 16

  void (*rms_norm)(const float* x, const float* weight, float epsilon, int64_t n, float* out);
  void (*layer_norm)(const float* x, const float* weight, const float* bias, float epsilon, int64_t n, float* out);
  void (*silu_times)(float* gate, const float* up, int64_t n);       // gate = silu(gate) * up
  void (*gelu_tanh_times)(float* gate, const float* up, int64_t n);
  void (*gelu)(float* x, int64_t n);                                 // exact, by erf
  void (*add)(float* x, const float* y, int64_t n);                  // x += y
  void (*scale_add)(float* x, const float* y, float factor, int64_t n);
  void (*to_half)(const float* x, int64_t n, uint16_t* out);
  // Turns the pairs of x by the angles whose cosines and sines are given, `dims / 2` of each.
  void (*rope)(float* x, const float* cosines, const float* sines, int dims, bool interleaved);
  void (*attend)(const Attention& attention);
  // The same in bfloat16 for many rows at once; null: not on this machine. head_dim is a multiple of 32. `scores` has room for
  // attend_tiles_floats(rows, tokens, head_dim).
  void (*attend_tiles)(const Attention& attention);
  // What attend does to the scores of one row between its two multiplications: scale, cap, mask, softmax over [begin, end).
  void (*soften)(float* scores, int32_t begin, int32_t end, float scale, float softcap);

  void (*logit_moments)(const float* logits, int64_t n, LogitMoments* out);
  // out = e^((logit - peak) * inverse) where that exponent is at least `floor`, else 0; floor >= -87.
  void (*weigh)(const float* logits, int64_t n, float peak, float inverse, float floor, float* out);

  // Does nothing but the arithmetic of the widest multiplication, in registers: the machine's limit. Returns the number of
  // operations (a multiplication and an addition are two).
  double (*peak)(int64_t rounds);
};

constexpr int64_t attend_tiles_floats(int64_t rows, int64_t tokens, int64_t head_dim) {
  int64_t r = (rows + 15) / 16 * 16, t = (tokens + 31) / 32 * 32;
  return r * t + r * head_dim / 2 + r * t / 2 + head_dim * 32 + r * head_dim + 64;
}

constexpr size_t kBfloatScratch = size_t{8} * 2048 * 32 + 65536;

// Every set that this machine can run, the widest first; the last is portable code. Each has what it can.
std::span<const Kernels* const> all_kernels();
// The widest. A set by its name: null when it is unknown or cannot run here.
const Kernels& best_kernels();
const Kernels* find_kernels(std::string_view name);

// Before a thread first calls multiply_bfloat: AMX needs the kernel's leave. False: not to be had.
bool allow_tiles();

}  // namespace ajar::engine
