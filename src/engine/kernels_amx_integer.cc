// Several rows of input, 8-bit integers in tiles: AMX. One tile multiplication is a block of 32 columns of a panel times up to 16
// rows of input, exact; its sums are then scaled and added up in the order of kernels_vnni.cc, so both give the same bits.
#if defined(__x86_64__) && !defined(AJAR_PORTABLE_KERNELS)

#include <immintrin.h>

#include "engine/kernels_x86.h"

namespace ajar::engine {
namespace {

constexpr int64_t kChunk = 64;  // blocks of which the inputs are gathered at once: they stay in the first-level cache
constexpr int64_t kPrefetch = 6144;  // bytes ahead
constexpr int kFewest = 3;      // rows; below, vectors alone do as well

// What goes through the tiles in one step is a unit: for up to 8 rows two groups of columns with a scale of their own each, the first
// times the upper rows of the tile of inputs, the second times the lower ones, which are zero elsewhere; a step costs the same
// however full it is. For more rows it is one group.
template <Dtype T, int Rows>
struct Unit {
  static constexpr bool halves = panel_form(T).scale == ScaleForm::kSuper16;
  static constexpr int group = halves ? kBlock / 2 : kBlock;  // columns
  static constexpr int groups = Rows <= 8 ? 2 : 1;
  static constexpr int columns = group * groups;
  static constexpr int rows = Rows * groups;  // of the tile of inputs
  static constexpr int codes = columns * kPanelRows;
};

// Tiles 0 and 1: sums. 2 and 3: inputs. 4 and 5: codes.
TileConfig tile_config(int rows, int columns) {
  TileConfig config;
  for (int odd = 0; odd < 2; ++odd) {
    config.rows[odd] = config.rows[2 + odd] = static_cast<uint8_t>(rows), config.rows[4 + odd] = static_cast<uint8_t>(columns / 4);
    config.columns[odd] = config.columns[4 + odd] = 64, config.columns[2 + odd] = static_cast<uint16_t>(columns);
  }
  return config;
}

// What up to `Rows` rows of input say about a chunk.
template <Dtype T, int Rows>
struct Inputs {
  using U = Unit<T, Rows>;
  static constexpr int64_t kUnits = (kChunk * kBlock + U::columns - 1) / U::columns;
  alignas(64) int8_t tiles[kUnits][U::rows * U::columns];
  alignas(64) float scales[kChunk][Rows];
  alignas(64) float sums[kChunk][Rows * (U::halves ? 2 : 1)];
  alignas(64) int32_t zeros[kChunk][Rows];  // what a whole zero makes with the codes

  // Rows row..row+rows-1, blocks from..from+blocks-1.
  void gather(const QuantizedRows& x, int row, int rows, int64_t from, int64_t blocks) {
    const int64_t all = x.columns / kBlock, groups = blocks * kBlock / U::group;
    if (U::groups > 1 && from == 0) __builtin_memset(tiles, 0, static_cast<size_t>((groups + 1) / 2) * sizeof tiles[0]);
    for (int m = 0; m < Rows; ++m) {
      const bool there = m < rows;
      const int8_t* codes = x.codes + (row + m) * x.columns + from * kBlock;
      for (int64_t g = 0; g < groups; ++g) {
        int8_t* to = tiles[g / U::groups] + (g % U::groups * Rows + m) * U::columns + g % U::groups * U::group;
        if (there) __builtin_memcpy(to, codes + g * U::group, U::group);
        else __builtin_memset(to, 0, U::group);
      }
      if (U::groups > 1 && groups % U::groups != 0) __builtin_memset(tiles[groups / U::groups] + (Rows + m) * U::columns, 0, U::columns);
      for (int64_t b = 0; b < blocks; ++b) {
        const int64_t at = (row + m) * all + from + b;
        scales[b][m] = there ? x.scales[at] : 0;
        if constexpr (panel_form(T).whole_zero()) zeros[b][m] = there ? panel_form(T).zero * x.totals[at] : 0;
        else if constexpr (U::halves) sums[b][m] = there ? x.sums[at * 2] : 0, sums[b][Rows + m] = there ? x.sums[at * 2 + 1] : 0;
        else sums[b][m] = there ? x.sums[at * 2] + x.sums[at * 2 + 1] : 0;
      }
    }
  }
};

template <Dtype T, int Rows>
void multiply_rows(const Product& p, const QuantizedRows& x, int row, int rows) {
  using U = Unit<T, Rows>;
  constexpr PanelForm form = panel_form(T);
  constexpr bool as_they_lie = form.bits == 8;
  // How far unpacking is ahead of the tiles, and they of the vectors, in units: what was just stored is slow to load.
  constexpr int kAhead = 4, kBehind = U::columns < kBlock ? 4 : 3;
  constexpr int64_t kRing = 8, kUnitBytes = U::columns * form.code_bytes() / kBlock;
  constexpr bool two_blocks = U::columns > kBlock, half_block = U::columns < kBlock;
  const PanelLayout layout = panel_layout(T, p.columns);
  const int64_t all = p.columns / kBlock;
  const TileConfig config = tile_config(U::rows, U::columns);
  _tile_loadconfig(&config);
  Inputs<T, Rows> in;
  alignas(64) uint8_t unpacked[kRing][U::codes];
  alignas(64) int32_t dots[kRing][U::rows * kPanelRows];
  for (int64_t from = 0; from < all; from += kChunk) {
    const int64_t blocks = all - from < kChunk ? all - from : kChunk, units = (blocks * kBlock + U::columns - 1) / U::columns;
    in.gather(x, row, rows, from, blocks);

    // The units of all panels are one stream; each step of their way has its place in it.
    struct Place {
      const uint8_t* panel;
      int64_t unit = 0;
    };
    auto advance = [&](Place& place) __attribute__((always_inline)) {
      if (++place.unit == units) place.unit = 0, place.panel += layout.stride;
    };
    const auto* first = reinterpret_cast<const uint8_t*>(p.panels) + p.first * layout.stride;
    Place unpacking{first}, loading{first}, adding{first};
    auto codes_of = [&](const Place& place) __attribute__((always_inline)) { return place.panel + from * form.code_bytes() + place.unit * kUnitBytes; };
    // Of two blocks the second may not be there.
    auto alone = [&](const Place& place) __attribute__((always_inline)) { return two_blocks && place.unit * 2 + 1 == blocks; };

    auto unpack = [&](int64_t slot) __attribute__((always_inline)) {
      // Memory is slower than the tiles: lines are asked for early, at the end of a chunk those of the next panel.
      const uint8_t* codes = codes_of(unpacking);
      const bool over = unpacking.unit * kUnitBytes + kPrefetch >= blocks * form.code_bytes();
      const auto* line = reinterpret_cast<const char*>(codes + kPrefetch + (over ? layout.stride - blocks * form.code_bytes() : 0));
      for (int64_t i = 0; i < kUnitBytes; i += 64) _mm_prefetch(line + i, _MM_HINT_T1);
      _mm_prefetch(reinterpret_cast<const char*>(unpacking.panel + layout.stride + layout.scales + (from + unpacking.unit * U::columns / kBlock) * form.scale_bytes()),
                   _MM_HINT_T1);
      if (!as_they_lie || alone(unpacking)) {
        const int count = two_blocks && !alone(unpacking) ? 2 : 1;
        if (!half_block || unpacking.unit % 2 == 0) {
          if (half_block) codes = unpacking.panel + (from + unpacking.unit / 2) * form.code_bytes();
          for (int i = 0; i < count; ++i) {
            __m512i w[8];
            load_codes<T>(codes + i * form.code_bytes(), w);
            for (int g = 0; g < 8; ++g) _mm512_store_si512(unpacked[slot % kRing] + i * 512 + g * 64, w[g]);  // of a half: its slot and the next
          }
        }
      }
      advance(unpacking);
    };
    auto load = [&]<int Odd>(int64_t slot) __attribute__((always_inline)) {
      const uint8_t* w = as_they_lie && !alone(loading) ? codes_of(loading) : unpacked[slot % kRing];
      _tile_loadd(2 + Odd, in.tiles[loading.unit], U::columns);
      _tile_loadd(4 + Odd, w, 64);
      advance(loading);
    };

    __m512 acc[Rows];
    float* y = p.y + row * p.ldy + p.first * kPanelRows;
    auto add_block = [&](int64_t b, const int32_t* dot0, const int32_t* dot1) __attribute__((always_inline)) {
      __m512 scale[2], minimum[2];
      load_scales<T>(adding.panel + layout.scales + (from + b) * form.scale_bytes(), adding.panel + layout.supers + (from + b) / 8 * form.super_bytes(), scale,
                     minimum);
#pragma clang loop unroll(full)
      for (int m = 0; m < Rows; ++m) {
        __m512 s = _mm512_set1_ps(in.scales[b][m]);
        __m512i dot = _mm512_load_si512(dot0 + m * 16);
        if constexpr (form.whole_zero()) dot = _mm512_sub_epi32(dot, _mm512_set1_epi32(in.zeros[b][m]));
        acc[m] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), _mm512_mul_ps(scale[0], s), acc[m]);
        if constexpr (U::halves) acc[m] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_load_si512(dot1 + m * 16)), _mm512_mul_ps(scale[1], s), acc[m]);
        if constexpr (!form.whole_zero()) acc[m] = _mm512_fnmadd_ps(minimum[0], _mm512_set1_ps(in.sums[b][m]), acc[m]);
        if constexpr (U::halves) acc[m] = _mm512_fnmadd_ps(minimum[1], _mm512_set1_ps(in.sums[b][Rows + m]), acc[m]);
      }
    };
    auto add = [&](int64_t slot) __attribute__((always_inline)) {
      const int64_t u = adding.unit;
      if (u == 0)
        for (int m = 0; m < Rows; ++m) acc[m] = from > 0 && m < rows ? _mm512_loadu_ps(y + m * p.ldy) : _mm512_setzero_ps();
      const int32_t* dot = dots[slot % kRing];
      if constexpr (two_blocks) {
        add_block(u * 2, dot, dot);
        if (!alone(adding)) add_block(u * 2 + 1, dot + Rows * kPanelRows, dot);
      } else if constexpr (!half_block) {
        add_block(u, dot, dot + Rows * kPanelRows);  // the second of halves only
      } else if (u % 2 != 0) {
        add_block(u / 2, dots[(slot - 1) % kRing], dot);
      }
      if (u + 1 == units) {
        for (int m = 0; m < Rows; ++m)
          if (m < rows) _mm512_storeu_ps(y + m * p.ldy, acc[m]);
        y += kPanelRows;
      }
      advance(adding);
    };

    const int64_t total = (p.last - p.first) * units;
    auto step = [&]<int Odd>(int64_t i) __attribute__((always_inline)) {
      if (i + kAhead < total) unpack(i + kAhead);
      if (i > 0 && i <= total) _tile_stored(1 - Odd, dots[(i - 1) % kRing], 64);
      if (i >= 0 && i < total) {
        _tile_zero(Odd);
        _tile_dpbsud(Odd, 2 + Odd, 4 + Odd);
      }
      if (i >= -1 && i + 1 < total) load.template operator()<1 - Odd>(i + 1);
      if (i >= kBehind) add(i - kBehind);
    };
    static_assert(kAhead % 2 == 0);
    for (int64_t i = -kAhead; i < total + kBehind; i += 2) {
      step.template operator()<0>(i);
      if (i + 1 < total + kBehind) step.template operator()<1>(i + 1);
    }
  }
  _tile_release();
}

template <Dtype T>
void multiply(const Product& p, const QuantizedRows& x) {
  for (int m = 0; m < p.rows; m += 16) {
    int rows = p.rows - m < 16 ? p.rows - m : 16;
    if (rows <= 4) multiply_rows<T, 4>(p, x, m, rows);
    else if (rows <= 8) multiply_rows<T, 8>(p, x, m, rows);
    else if (rows <= 12) multiply_rows<T, 12>(p, x, m, rows);
    else multiply_rows<T, 16>(p, x, m, rows);
  }
}

}  // namespace

void multiply_amx_integer(const Product& p, const QuantizedRows& x) {
  if (p.rows < kFewest) return multiply_vnni(p, x);
  for_quantised(p.dtype, [&]<Dtype T>() { multiply<T>(p, x); });
}

}  // namespace ajar::engine

#endif
