// AVX2. No #pragma once, like kernels_integer.h, which includes it where AJAR_UNPACKED is defined: several rows of input against a panel.
// A stretch of the panel is unpacked once for all of them and then read from the first cache, four rows of input and a whole panel at
// a time, so that what is broadcast of the input meets all of the panel's registers. What limits is the number of instructions: 133
// for 1,024 codes of 4 bits, 176 where four rows meet half a panel that is unpacked in registers. Sums are those of panel_integer.

namespace ajar::engine {
namespace AJAR_KERNELS {

// Codes, 0..most, times input, -input..input, added up in pairs of columns; exact for so many registers. None: their sign goes over
// to the input.
static constexpr int run_of(int most, int input) { return 32767 / (2 * input * most); }
static inline __m256i times(Bytes codes, __m256i x) { return _mm256_maddubs_epi16(reinterpret_cast<__m256i>(codes), x); }
static inline Ints widen(__m256i pairs) { return reinterpret_cast<Ints>(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1))); }

static inline __m256i four_columns(const int8_t* x) {
  int32_t four;
  __builtin_memcpy(&four, x, 4);
  return _mm256_set1_epi32(four);
}

// Some blocks of a panel of format T, as they are multiplied by inputs of up to Input.
template <Dtype T, int Input>
struct Unpacked {
  static constexpr PanelForm kForm = panel_form(T);
  static constexpr int kMost = most_code(kForm);
  static constexpr int kRun = run_of(kMost, Input);
  static constexpr bool kSigned = kRun == 0;
  static_assert(!kSigned || kForm.zero == 128);
  static constexpr int kHalves = kForm.scale == ScaleForm::kSuper16 ? 2 : 1;
  static constexpr int kBlocks = 16;

  Bytes codes[kBlocks][8][kParts];  // less 128 where signed
  Floats scales[kBlocks][kHalves][kParts], minimums[kBlocks][kHalves][kParts];

  void unpack(const uint8_t* panel, const PanelLayout& layout, int64_t from, int64_t to) {
    for (int64_t b = from; b < to; ++b) {
      const uint8_t* c = panel + b * kForm.code_bytes();
      const int64_t to_block = b - from;
      for (int p = 0; p < kParts; ++p) {
        Bytes w[8];
        Floats scale[2], minimum[2];
        part_codes<T>(c, p, w);
        part_scales<T>(panel + layout.scales + b * kForm.scale_bytes(), panel + layout.supers + b / 8 * kForm.super_bytes(), p, scale, minimum);
        for (int g = 0; g < 8; ++g) codes[to_block][g][p] = kSigned ? w[g] ^ 128 : w[g];
        for (int h = 0; h < kHalves; ++h) scales[to_block][h][p] = scale[h], minimums[to_block][h][p] = minimum[h];
      }
    }
  }
};

// total[m][p] = the sum over groups of columns first..last-1 of block b of code times input, `a` being that block of the first row. Exact.
template <int First, int Last, int Rows, class U>
static inline __attribute__((always_inline)) void dot_unpacked(const U& w, int64_t b, const int8_t* a, int64_t columns, Ints total[][kParts]) {
  constexpr int kRun = U::kRun;
#pragma clang loop unroll(full)
  for (int from = First; from < Last; from += kRun) {
    __m256i run[Rows][kParts];
#pragma clang loop unroll(full)
    for (int g = from; g < from + kRun && g < Last; ++g) {
#pragma clang loop unroll(full)
      for (int m = 0; m < Rows; ++m) {
        const __m256i x = four_columns(a + m * columns + g * 4);
        for (int p = 0; p < kParts; ++p) {
          const __m256i product = times(w.codes[b][g][p], x);
          run[m][p] = g == from ? product : _mm256_add_epi16(run[m][p], product);
        }
        for (int p = 0; p < kParts; ++p) asm volatile("" : "+x"(run[m][p]));  // one group after the other, or registers run out
      }
    }
#pragma clang loop unroll(full)
    for (int m = 0; m < Rows; ++m)
      for (int p = 0; p < kParts; ++p) total[m][p] = from == First ? widen(run[m][p]) : total[m][p] + widen(run[m][p]);
  }
}

// The same of a whole block, added to `total`, where a register at a time is widened: codes with signs, or a run of one.
template <int Rows, class U>
static inline __attribute__((always_inline)) void dot_unpacked_singly(const U& w, int64_t b, const int8_t* a, int64_t columns, Ints total[][kParts]) {
#pragma clang loop unroll(full)
  for (int g = 0; g < 8; ++g) {
#pragma clang loop unroll(full)
    for (int m = 0; m < Rows; ++m) {
      const __m256i x = four_columns(a + m * columns + g * 4);
      for (int p = 0; p < kParts; ++p) {
        const __m256i code = reinterpret_cast<__m256i>(w.codes[b][g][p]);
        total[m][p] += widen(U::kSigned ? times(reinterpret_cast<Bytes>(_mm256_abs_epi8(code)), _mm256_sign_epi8(x, code)) : times(w.codes[b][g][p], x));
      }
      for (int p = 0; p < kParts; ++p) asm volatile("" : "+x"(total[m][p]));
    }
  }
}

// The codes of the next stretch, asked for while this one is multiplied, some bytes with each block: few rows wait for memory, and
// asking while unpacking would leave it idle meanwhile.
struct Ahead {
  const uint8_t* next;
  int64_t each;
  int64_t asked = 0;

  void ask() {
    const int64_t until = asked + each;
    for (int64_t line = asked / 64; line < until / 64; ++line) __builtin_prefetch(next + line * 64, 0, 2);
    asked = until;
  }
};

// Adds to out, `Rows` rows, what rows `row` and on of the input make with blocks from..to-1, those of `w`.
template <int Rows, class U>
static inline void rows_unpacked(const U& w, const QuantizedRows& x, int row, int64_t from, int64_t to, float (*out)[kPanelRows],
                                 Ahead* ahead) {
  const int64_t columns = x.columns, blocks = columns / kBlock;
  for (int64_t b = 0; b < to - from; ++b) {
    const int64_t at = row * blocks + from + b;  // of the first row's block
    const int8_t* a = x.codes + at * kBlock;
    if (ahead) ahead->ask();
    Ints total[U::kHalves][Rows][kParts];
    if constexpr (U::kRun < 2) {
      for (int m = 0; m < Rows; ++m)
        for (int p = 0; p < kParts; ++p) total[0][m][p] = U::kSigned ? Ints{} : (Ints{} + x.totals[at + m * blocks]) * -U::kForm.zero;
      dot_unpacked_singly<Rows>(w, b, a, columns, total[0]);
    } else if constexpr (U::kHalves == 2) {
      dot_unpacked<0, 4, Rows>(w, b, a, columns, total[0]);
      dot_unpacked<4, 8, Rows>(w, b, a, columns, total[1]);
    } else {
      dot_unpacked<0, 8, Rows>(w, b, a, columns, total[0]);
    }
    if constexpr (U::kForm.whole_zero() && U::kRun >= 2) {  // not where the sums begin: the zeros would take registers from the products
      for (int m = 0; m < Rows; ++m) {
        const Ints zero = (Ints{} + x.totals[at + m * blocks]) * U::kForm.zero;
        for (int p = 0; p < kParts; ++p) total[0][m][p] -= zero;
      }
    }
#pragma clang loop unroll(full)
    for (int m = 0; m < Rows; ++m) {
      const Floats s = splat_floats(x.scales[at + m * blocks]);
      const float* sum = x.sums + (at + m * blocks) * 2;
#pragma clang loop unroll(full)
      for (int p = 0; p < kParts; ++p) {
        Floats sum_up = *reinterpret_cast<Floats*>(&out[m][p * kLanes]);
        for (int h = 0; h < U::kHalves; ++h) sum_up += __builtin_convertvector(total[h][m][p], Floats) * (w.scales[b][h][p] * s);
        if constexpr (U::kHalves == 2) {
          for (int h = 0; h < 2; ++h) sum_up -= w.minimums[b][h][p] * splat_floats(sum[h]);
        } else if constexpr (!U::kForm.whole_zero()) {
          sum_up -= w.minimums[b][0][p] * splat_floats(sum[0] + sum[1]);
        }
        *reinterpret_cast<Floats*>(&out[m][p * kLanes]) = sum_up;
      }
    }
  }
}

// Adds to out what `rows` rows of x make with blocks from..to-1 of a panel; x begins with its first row and block `from`. The same
// blocks of the panel behind it are taken to come next. Stretches are of one length, so that memory is asked for evenly.
template <Dtype T, int Input>
static void panel_unpacked(const uint8_t* panel, const PanelLayout& layout, const QuantizedRows& x, int rows, int64_t from, int64_t to,
                           float (*out)[kPanelRows]) {
  Unpacked<T, Input> w;
  constexpr int kCode = w.kForm.code_bytes(), kScale = w.kForm.scale_bytes(), kWhole = w.kForm.super() ? 8 : 1;  // super-blocks stay whole
  const int64_t stretches = (to - from + w.kBlocks - 1) / w.kBlocks, length = ((to - from - 1) / stretches / kWhole + 1) * kWhole;
  for (int64_t first = from; first < to; first += length) {
    const int64_t last = first + length < to ? first + length : to;
    w.unpack(panel, layout, first, last);
    const uint8_t* after = last < to ? panel : panel + layout.stride;
    const int64_t next = last < to ? last : from, count = next + length < to ? length : to - next;
    for (int64_t line = 0; line < count * kScale; line += 64) __builtin_prefetch(after + layout.scales + next * kScale + line, 0, 2);
    const int askers = rows < 8 ? 1 : 2;  // groups of four rows
    Ahead ahead{after + next * kCode, count * kCode / askers / (last - first)};
    int m = 0;
    for (; m + 4 <= rows; m += 4) rows_unpacked<4>(w, x, m, first - from, last - from, out + m, m < 8 ? &ahead : nullptr);
    if (m + 2 <= rows) rows_unpacked<2>(w, x, m, first - from, last - from, out + m, nullptr), m += 2;
    if (m < rows) rows_unpacked<1>(w, x, m, first - from, last - from, out + m, nullptr);
  }
}

// Some columns of some rows of input, side by side: in the input itself rows lie a power of two apart, often enough, and push each
// other out of the caches. Short rows lie side by side as they are.
struct NearRows {
  static constexpr int kShort = 32, kApart = 2;             // blocks
  static constexpr int kBlocks = kTogether * (kShort + kApart);  // of all rows: 68 KiB of codes, they stay in the second cache

  int8_t codes[kBlocks * kBlock];
  float scales[kBlocks], sums[kBlocks * 2];
  int32_t totals[kBlocks];

  // How many blocks of each row there is room for; super-blocks stay whole.
  static int64_t room(int rows) { return (kBlocks / rows - kApart) / 8 * 8; }

  QuantizedRows take(const QuantizedRows& x, int row, int rows, int64_t from, int64_t to) {
    const int64_t blocks = to - from, all = x.columns / kBlock, apart = blocks + kApart;
    if (blocks == all && all <= kShort)
      return {x.codes + row * x.columns, x.scales + row * all, x.sums + row * all * 2, x.totals + row * all, x.columns, x.most};
    for (int m = 0; m < rows; ++m) {
      const int64_t at = (row + m) * all + from;
      __builtin_memcpy(codes + m * apart * kBlock, x.codes + at * kBlock, static_cast<size_t>(blocks * kBlock));
      __builtin_memcpy(scales + m * apart, x.scales + at, static_cast<size_t>(blocks) * sizeof(float));
      __builtin_memcpy(sums + m * apart * 2, x.sums + at * 2, static_cast<size_t>(blocks) * 2 * sizeof(float));
      __builtin_memcpy(totals + m * apart, x.totals + at, static_cast<size_t>(blocks) * sizeof(int32_t));
    }
    return {codes, scales, sums, totals, apart * kBlock, x.most};
  }
};

// All rows of input against panels first..last-1, at most kGroup.
constexpr int kGroup = 8;
template <Dtype T, int Input>
static void group_unpacked(const Product& p, const PanelLayout& layout, const QuantizedRows& x, int first, int last) {
  alignas(64) float sums[kGroup][kTogether][kPanelRows];
  NearRows near;
  const int64_t blocks = p.columns / kBlock;
  for (int row = 0; row < p.rows; row += kTogether) {
    const int rows = p.rows - row < kTogether ? p.rows - row : kTogether;
    const int64_t room = near.room(rows);
    for (int n = 0; n < last - first; ++n) __builtin_memset(sums[n], 0, static_cast<size_t>(rows) * sizeof sums[n][0]);
    for (int64_t from = 0; from < blocks; from += room) {
      const int64_t to = from + room < blocks ? from + room : blocks;
      const QuantizedRows part = near.take(x, row, rows, from, to);
      for (int n = first; n < last; ++n)
        panel_unpacked<T, Input>(reinterpret_cast<const uint8_t*>(p.panels) + n * layout.stride, layout, part, rows, from, to, sums[n - first]);
    }
    for (int n = first; n < last; ++n)
      for (int m = 0; m < rows; ++m) __builtin_memcpy(p.y + (row + m) * p.ldy + n * kPanelRows, sums[n - first][m], sizeof sums[0][0]);
  }
}

}  // namespace AJAR_KERNELS
}  // namespace ajar::engine
