#pragma once
// How weight matrices lie in memory: in panels of 16 output rows, so that one vector register holds the same input
// column of 16 rows, and multiplying is a broadcast of the input. Every quantised format of a checkpoint becomes one of
// a few panel forms without loss: codes of 4, 5, 6 or 8 bits, which mean
//     weight = scale * (table[code] - zero)      or      weight = scale * code - minimum.
//
// A panel of K columns is three arrays, each padded to 64 bytes: codes (a block of 32 columns after the other), scales, and for
// K-quants super-scales (one per 256 columns). Columns are a whole number of blocks.
//
// Codes of one block, r = row in the panel, i = 0..3:
//   4 bits   256 B   byte z*64 + r*4 + i:  low nibble column z*4 + i, high nibble column 16 + z*4 + i   (z = 0..3)
//   5 bits   + 64 B  the fifth bits: of column g*4 + i in bit r*4 + i of the 64-bit word g              (g = 0..7)
//   6 bits   +128 B  two high bits of column (h*4 + s)*4 + i in bits 2s, 2s+1 of byte h*64 + r*4 + i    (h = 0..1)
//   8 bits   512 B   byte g*64 + r*4 + i:  column g*4 + i
// It is the order in which VNNI (vpdpbusd) and AMX (tdpbusd) take their operands.
//
// Panels of floats: F32 and F16 [column][16 rows]; BF16 [column pair][16 rows][2], the order of vdpbf16ps and tdpbf16ps; an odd
// last column has a zero beside it.

#include <cstddef>
#include <cstdint>

#include "engine/dtype.h"

namespace ajar::engine {

constexpr int kPanelRows = 16;
constexpr int kBlock = 32;

enum class ScaleForm : uint8_t {
  kHalf,     // one half per row and block
  kBfloat,   // the same as bfloat16, for MXFP4's powers of two
  kSuper32,  // a small integer per row and block, times a half per row and 256 columns
  kSuper16,  // two small integers per row and block, for 16 columns each
};
enum class CodeTable : uint8_t { kNone, kIq4Nl, kMxfp4 };

struct PanelForm {
  int bits;         // 4, 5, 6, 8
  int zero;         // what is subtracted from a code; 0 where there is a minimum
  bool minimum;
  ScaleForm scale;
  CodeTable table;

  constexpr int code_bytes() const { return bits * 64; }                 // of a block
  constexpr int scale_bytes() const {                                    // of a block, minimum included
    int one = scale == ScaleForm::kHalf || scale == ScaleForm::kBfloat ? 32 : scale == ScaleForm::kSuper32 ? 16 : 32;
    return one * (minimum ? 2 : 1);
  }
  // The zero goes with the integers, and a block needs no minimum: its sum is the scale times (codes times inputs - zero times inputs).
  constexpr bool whole_zero() const { return !minimum && scale != ScaleForm::kSuper16; }
  constexpr bool super() const { return scale == ScaleForm::kSuper32 || scale == ScaleForm::kSuper16; }
  constexpr int super_bytes() const { return super() ? 32 * (minimum ? 2 : 1) : 0; }  // per 256 columns
};

static constexpr bool is_float(Dtype dtype) { return dtype == Dtype::kF32 || dtype == Dtype::kF16 || dtype == Dtype::kBF16; }

// Of quantised formats only.
static constexpr PanelForm panel_form(Dtype dtype) {
  using enum ScaleForm;
  switch (dtype) {
    case Dtype::kQ4_0: return {4, 8, false, kHalf, CodeTable::kNone};
    case Dtype::kQ4_1: return {4, 0, true, kHalf, CodeTable::kNone};
    case Dtype::kQ5_0: return {5, 16, false, kHalf, CodeTable::kNone};
    case Dtype::kQ5_1: return {5, 0, true, kHalf, CodeTable::kNone};
    case Dtype::kQ2_K: return {4, 0, true, kSuper16, CodeTable::kNone};
    case Dtype::kQ3_K: return {4, 4, false, kSuper16, CodeTable::kNone};
    case Dtype::kQ4_K: return {4, 0, true, kSuper32, CodeTable::kNone};
    case Dtype::kQ5_K: return {5, 0, true, kSuper32, CodeTable::kNone};
    case Dtype::kQ6_K: return {6, 32, false, kSuper16, CodeTable::kNone};
    case Dtype::kIQ4_NL: return {4, 128, false, kHalf, CodeTable::kIq4Nl};
    case Dtype::kMXFP4: return {4, 12, false, kBfloat, CodeTable::kMxfp4};
    default: return {8, 128, false, kHalf, CodeTable::kNone};  // Q8_0
  }
}

// body.operator()<T>() for the quantised format `dtype`; nothing for others.
template <class Body>
static inline void for_quantised(Dtype dtype, const Body& body) {
  switch (dtype) {
    case Dtype::kQ4_0: return body.template operator()<Dtype::kQ4_0>();
    case Dtype::kQ4_1: return body.template operator()<Dtype::kQ4_1>();
    case Dtype::kQ5_0: return body.template operator()<Dtype::kQ5_0>();
    case Dtype::kQ5_1: return body.template operator()<Dtype::kQ5_1>();
    case Dtype::kQ8_0: return body.template operator()<Dtype::kQ8_0>();
    case Dtype::kQ2_K: return body.template operator()<Dtype::kQ2_K>();
    case Dtype::kQ3_K: return body.template operator()<Dtype::kQ3_K>();
    case Dtype::kQ4_K: return body.template operator()<Dtype::kQ4_K>();
    case Dtype::kQ5_K: return body.template operator()<Dtype::kQ5_K>();
    case Dtype::kQ6_K: return body.template operator()<Dtype::kQ6_K>();
    case Dtype::kIQ4_NL: return body.template operator()<Dtype::kIQ4_NL>();
    case Dtype::kMXFP4: return body.template operator()<Dtype::kMXFP4>();
    default: return;
  }
}

// The tables with their zero added, so that entries are unsigned.
constexpr uint8_t kIq4NlTable[16] = {1,   24,  45,  63,  79,  93,  106, 118, 129, 141, 153, 166, 181, 197, 217, 241};
constexpr uint8_t kMxfp4Table[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};

static constexpr int64_t pad64(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// Where the arrays of one panel lie, in bytes from its beginning.
struct PanelLayout {
  int64_t scales = 0, supers = 0, stride = 0;
};
static constexpr PanelLayout panel_layout(Dtype dtype, int64_t columns) {
  if (dtype == Dtype::kF32) return {0, 0, pad64(columns * 64)};
  if (dtype == Dtype::kF16) return {0, 0, pad64(columns * 32)};
  if (dtype == Dtype::kBF16) return {0, 0, (columns + 1) / 2 * 64};
  PanelForm form = panel_form(dtype);
  int64_t blocks = columns / kBlock;
  int64_t scales = blocks * form.code_bytes();
  int64_t supers = scales + pad64(blocks * form.scale_bytes());
  return {scales, supers, supers + pad64((blocks + 7) / 8 * form.super_bytes())};
}

// Writes one panel from up to 16 rows as the checkpoint has them, `stride` bytes apart; rows beyond are zero. `to` has
// panel_layout(...).stride bytes.
void pack_panel(Dtype dtype, const std::byte* from, int64_t stride, int rows, int64_t columns, std::byte* to);

// The weights of block `block` of a quantised panel: out[column][row]. The reference of every kernel.
void unpack_block(Dtype dtype, const std::byte* panel, int64_t columns, int64_t block, float out[kBlock][kPanelRows]);
// One row of a panel of any format.
void unpack_row(Dtype dtype, const std::byte* panel, int64_t columns, int row, float* out);

}  // namespace ajar::engine
