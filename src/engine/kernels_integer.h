// No #pragma once, like kernels_vector.h: included within each set's flags. Inputs as 8-bit integers times panels of codes.
//
// The including file defines AJAR_KERNELS, AJAR_LANES (how many rows of a panel one register holds: 8 or 4), AJAR_ROWS (of input at
// once, for which codes are unpacked once) and AJAR_MOST_CODE (the largest that its dot takes); behind the include it defines `dot`
// and `look_up`. Where AJAR_UNPACKED is defined, more than AJAR_ROWS rows go through kernels_unpacked.h. AVX-512, whose register holds
// a whole panel, has kernels_vnni.cc instead.
//
// Every set adds up in the order below, so all that fuse multiplication and addition give the same bits.

#include <stdint.h>

#include "engine/kernels.h"

namespace ajar::engine {
namespace AJAR_KERNELS {

constexpr int kLanes = AJAR_LANES;
constexpr int kParts = kPanelRows / kLanes;
constexpr int kAhead = 6144;  // bytes
// Many rows go through a panel together, a stretch of its blocks at a time, which stays in the first cache meanwhile.
constexpr int kTogether = 64;
constexpr int kStretch = 8192;  // bytes of codes

typedef float Floats __attribute__((vector_size(4 * kLanes)));
typedef int32_t Ints __attribute__((vector_size(4 * kLanes)));
typedef uint32_t Words __attribute__((vector_size(4 * kLanes)));
typedef uint8_t Bytes __attribute__((vector_size(4 * kLanes)));
typedef int8_t Small __attribute__((vector_size(kLanes)));
typedef uint16_t Shorts __attribute__((vector_size(2 * kLanes)));
typedef _Float16 Halves __attribute__((vector_size(2 * kLanes)));

// For each row the sum over columns 4 * From to 4 * To - 1 of its codes, 0..Most, times x, -127..127. Exact.
template <int Most, int From, int To>
static inline __attribute__((always_inline)) Ints dot(const Bytes* codes, const int8_t* x);
// For `Rows` rows of x, `stride` apart, adds to sums[m] the sum over the block of (code - 128) * x. Exact; for codes that `dot` does not take.
template <int Rows>
static inline __attribute__((always_inline)) void dot_signed(const Bytes* codes, const int8_t* x, int64_t stride, Ints* sums);
static inline __attribute__((always_inline)) Bytes look_up(const uint8_t* table, Bytes codes);  // codes below 16

template <class To>
static inline To read_as(const uint8_t* p) {
  To v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

static inline Floats splat_floats(float v) { return v - Floats{}; }  // 0 + v would be an addition, for the sake of -0
static inline Floats half_floats(const uint8_t* p) { return __builtin_convertvector(read_as<Halves>(p), Floats); }
static inline Floats small_floats(const uint8_t* p) {
  return __builtin_convertvector(__builtin_convertvector(read_as<Small>(p), Ints), Floats);
}

// weight = scale[h] * code - minimum[h] for columns 16h..16h+15 of the rows of part `part`.
template <Dtype T>
static inline void part_scales(const uint8_t* scales, const uint8_t* supers, int part, Floats scale[2], Floats minimum[2]) {
  constexpr PanelForm form = panel_form(T);
  constexpr int halves = form.scale == ScaleForm::kSuper16 ? 2 : 1;
  const int row = part * kLanes;
  if constexpr (form.super()) {
    Floats d = half_floats(supers + 2 * row);
    for (int h = 0; h < halves; ++h) scale[h] = d * small_floats(scales + 16 * h + row);
    if constexpr (form.minimum) {
      Floats m = half_floats(supers + 32 + 2 * row);
      for (int h = 0; h < halves; ++h) minimum[h] = m * small_floats(scales + 16 * (halves + h) + row);
    }
  } else {
    if constexpr (form.scale == ScaleForm::kBfloat)
      scale[0] = reinterpret_cast<Floats>(__builtin_convertvector(read_as<Shorts>(scales + 2 * row), Words) << 16);
    else
      scale[0] = half_floats(scales + 2 * row);
    if constexpr (form.minimum) minimum[0] = half_floats(scales + 32 + 2 * row);
  }
  if constexpr (!form.minimum)
    for (int h = 0; h < halves; ++h) minimum[h] = scale[h] * static_cast<float>(form.zero);
}

// The fifth bits of 4 * kLanes codes, in place.
static inline Bytes fifth_bits(const uint8_t* p) {
  Words bits, shifts;
  for (int r = 0; r < kLanes; ++r) bits[r] = read_as<uint32_t>(p), shifts[r] = static_cast<uint32_t>(4 * r);
  bits = (bits >> shifts) & 15;
  return reinterpret_cast<Bytes>(((bits * 0x00204081) & 0x01010101) << 4);  // bit i to byte i
}

// The codes of one block: w[g] holds columns 4g..4g+3 of the rows of part `part`.
template <Dtype T>
static inline void part_codes(const uint8_t* c, int part, Bytes w[8]) {
  constexpr PanelForm form = panel_form(T);
  c += part * kLanes * 4;
  if constexpr (form.bits == 8) {
    for (int g = 0; g < 8; ++g) w[g] = read_as<Bytes>(c + g * 64);
    return;
  }
  for (int z = 0; z < 4; ++z) {
    Bytes v = read_as<Bytes>(c + z * 64);
    w[z] = v & 15, w[z + 4] = v >> 4;
  }
  if constexpr (form.bits == 5) {
    const uint8_t* bits = c + 256 - part * kLanes * 4 + part * kLanes / 2;
    for (int g = 0; g < 8; ++g) w[g] |= fifth_bits(bits + g * 8);
  }
  if constexpr (form.bits == 6) {
    for (int h = 0; h < 2; ++h) {
      Bytes v = read_as<Bytes>(c + 256 + h * 64);
      w[h * 4] |= (v & 3) << 4;
      w[h * 4 + 1] |= (v & 12) << 2;
      w[h * 4 + 2] |= v & 0x30;
      w[h * 4 + 3] |= (v & 0xc0) >> 2;
    }
  }
  if constexpr (form.table != CodeTable::kNone)
    for (int g = 0; g < 8; ++g) w[g] = look_up(form.table == CodeTable::kIq4Nl ? kIq4NlTable : kMxfp4Table, w[g]);
}

static constexpr int most_code(PanelForm form) {
  if (form.table == CodeTable::kMxfp4) return 24;
  return form.table == CodeTable::kIq4Nl ? 241 : (1 << form.bits) - 1;
}

template <int Most, int From, int To>
static inline __attribute__((always_inline)) Floats dot_floats(const Bytes* w, const int8_t* x) {
  return __builtin_convertvector((dot<Most, From, To>(w, x)), Floats);
}

// `Rows` rows of input from `row` on against `Parts` parts of a panel from `part` on; blocks from..to-1, added to what y has from those before.
template <Dtype T, int Rows, int Parts>
static inline __attribute__((always_inline)) void panel_integer(const uint8_t* panel, const PanelLayout& layout, const QuantizedRows& x, int row, int part,
                                                                int64_t from, int64_t to, float* y, int64_t ldy) {
  constexpr PanelForm form = panel_form(T);
  constexpr bool halves = form.scale == ScaleForm::kSuper16;
  constexpr int kMost = most_code(form);
  const int64_t columns = x.columns, blocks = columns / kBlock;
  const int8_t* codes = x.codes + row * columns;
  const float* scales = x.scales + row * blocks;
  const float* sums = x.sums + row * blocks * 2;
  const int32_t* totals = x.totals + row * blocks;
  Floats acc[Parts][Rows] = {};
  auto out = [&](int p, int m) { return y + m * ldy + (part + p) * kLanes; };
  if (from > 0)
    for (int p = 0; p < Parts; ++p)
      for (int m = 0; m < Rows; ++m) __builtin_memcpy(&acc[p][m], out(p, m), sizeof(Floats));
  for (int64_t b = from; b < to; ++b) {
    // Memory is what few rows wait for: the lines of some blocks ahead are asked for early, in this panel or the next.
    if (row % kTogether == 0 && part == 0) {
      for (int line = 0; line < form.code_bytes(); line += 64) __builtin_prefetch(panel + b * form.code_bytes() + line + kAhead, 0, 2);
    }
#pragma clang loop unroll(full)
    for (int p = 0; p < Parts; ++p) {
      Bytes w[8];
      Floats scale[2], minimum[2];
      part_codes<T>(panel + b * form.code_bytes(), part + p, w);
      part_scales<T>(panel + layout.scales + b * form.scale_bytes(), panel + layout.supers + b / 8 * form.super_bytes(), part + p, scale, minimum);
      Ints whole[Rows];
      if constexpr (kMost > AJAR_MOST_CODE) {
        static_assert(!halves);
        static_assert(form.zero == 128);
        for (int m = 0; m < Rows; ++m) whole[m] = Ints{};
        dot_signed<Rows>(w, codes + b * kBlock, columns, whole);
      }
#pragma clang loop unroll(full)
      for (int m = 0; m < Rows; ++m) {
        [[maybe_unused]] const int8_t* a = codes + m * columns + b * kBlock;
        const Floats s = splat_floats(scales[m * blocks + b]);
        const float* sum = sums + (m * blocks + b) * 2;
        Floats& sum_up = acc[p][m];
        if constexpr (halves) {
          sum_up += dot_floats<kMost, 0, 4>(w, a) * (scale[0] * s);
          sum_up += dot_floats<kMost, 4, 8>(w, a) * (scale[1] * s);
          sum_up -= minimum[0] * splat_floats(sum[0]);
          sum_up -= minimum[1] * splat_floats(sum[1]);
        } else {
          if constexpr (kMost <= AJAR_MOST_CODE) {
            whole[m] = dot<kMost, 0, 8>(w, a);
            if constexpr (form.whole_zero()) whole[m] -= Ints{} + totals[m * blocks + b] * form.zero;
          }
          sum_up += __builtin_convertvector(whole[m], Floats) * (scale[0] * s);
          if constexpr (!form.whole_zero()) sum_up -= minimum[0] * splat_floats(sum[0] + sum[1]);
        }
      }
    }
  }
  for (int p = 0; p < Parts; ++p)
    for (int m = 0; m < Rows; ++m) __builtin_memcpy(out(p, m), &acc[p][m], sizeof(Floats));
}

template <Dtype T, int Rows>
static inline void rows_integer(const uint8_t* panel, const PanelLayout& layout, const QuantizedRows& x, int row, int64_t from, int64_t to, float* y,
                                int64_t ldy) {
  if constexpr (Rows <= 2) {  // one pass over memory
    panel_integer<T, Rows, kParts>(panel, layout, x, row, 0, from, to, y, ldy);
  } else {  // as much as registers hold
    for (int part = 0; part < kParts; ++part) panel_integer<T, Rows, 1>(panel, layout, x, row, part, from, to, y, ldy);
  }
}

// Rows of input from..from+rows-1 against one panel.
template <Dtype T>
static inline void rows_by_panel(const uint8_t* panel, const PanelLayout& layout, const QuantizedRows& x, int from, int rows, int64_t first, int64_t last,
                                 float* y, int64_t ldy) {
  int m = 0;
  for (; m + AJAR_ROWS <= rows; m += AJAR_ROWS) rows_integer<T, AJAR_ROWS>(panel, layout, x, from + m, first, last, y + m * ldy, ldy);
  if constexpr (AJAR_ROWS > 4)
    if (m + 4 <= rows) rows_integer<T, 4>(panel, layout, x, from + m, first, last, y + m * ldy, ldy), m += 4;
  if (m + 2 <= rows) rows_integer<T, 2>(panel, layout, x, from + m, first, last, y + m * ldy, ldy), m += 2;
  if (m < rows) rows_integer<T, 1>(panel, layout, x, from + m, first, last, y + m * ldy, ldy);
}

}  // namespace AJAR_KERNELS
}  // namespace ajar::engine

#ifdef AJAR_UNPACKED
#include "engine/kernels_unpacked.h"
#endif

namespace ajar::engine {
namespace AJAR_KERNELS {

template <Dtype T>
static void multiply_integer_as(const Product& p, const QuantizedRows& x) {
  PanelLayout layout = panel_layout(T, p.columns);
  const int64_t blocks = p.columns / kBlock;
#ifdef AJAR_UNPACKED
  if (p.rows > AJAR_ROWS) {
    auto groups = [&]<int Input>() {
      for (int n = p.first; n < p.last; n += kGroup) group_unpacked<T, Input>(p, layout, x, n, n + kGroup < p.last ? n + kGroup : p.last);
    };
    if constexpr (most_code(panel_form(T)) > AJAR_MOST_CODE)
      if (x.most <= kNarrowInput) return groups.template operator()<kNarrowInput>();
    return groups.template operator()<kWideInput>();
  }
#endif
  for (int row = 0; row < p.rows; row += kTogether) {
    const int rows = p.rows - row < kTogether ? p.rows - row : kTogether;
    for (int n = p.first; n < p.last; ++n) {
      const auto* panel = reinterpret_cast<const uint8_t*>(p.panels) + n * layout.stride;
      float* y = p.y + row * p.ldy + n * kPanelRows;
      if (rows <= AJAR_ROWS) {
        rows_by_panel<T>(panel, layout, x, row, rows, 0, blocks, y, p.ldy);
        continue;
      }
      alignas(64) float sums[kTogether][kPanelRows];  // rows of y lie far apart
      constexpr int kStep = kStretch / panel_form(T).code_bytes() / 8 * 8;  // super-blocks stay whole
      for (int64_t from = 0; from < blocks; from += kStep)
        rows_by_panel<T>(panel, layout, x, row, rows, from, from + kStep < blocks ? from + kStep : blocks, sums[0], kPanelRows);
      for (int m = 0; m < rows; ++m) __builtin_memcpy(y + m * p.ldy, sums[m], sizeof sums[m]);
    }
  }
}

static void multiply_integer(const Product& p, const QuantizedRows& x) {
  for_quantised(p.dtype, [&]<Dtype T>() { multiply_integer_as<T>(p, x); });
}

}  // namespace AJAR_KERNELS
}  // namespace ajar::engine
