#pragma once
// Dot products of 8-bit codes, compiled per instruction set and chosen at run time. Exact: all give the same integers.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ajar::index {

// out[i] = sum over d of (rows[i][d] - 128) * query[d], for `count` rows that lie one after the other, `stride` codes each, a
// multiple of 64. Codes of rows are stored with 128 added, as VNNI wants them.
struct DotKernel {
  std::string_view name;
  void (*dots)(const uint8_t* rows, size_t count, size_t stride, const int8_t* query, int32_t* out);
  // The same for rows here and there: places[i] of those that begin at `rows`.
  void (*dots_at)(const uint8_t* rows, const uint32_t* places, size_t count, size_t stride, const int8_t* query, int32_t* out);
};

std::span<const DotKernel> dot_kernels();  // those that run on this machine, the fastest first

}  // namespace ajar::index
