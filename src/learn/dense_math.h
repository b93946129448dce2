#pragma once
// The few loops of dense arithmetic that training by a kernel and answering with it spend their time in, compiled for what the machine
// has and chosen once. Pure functions, any thread. Sums are made in another order on another kind of machine.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ajar::learn {

inline constexpr size_t kTile = 64;  // a tile has kTile x kTile floats

// Adds the row to `out` in bytes; returns their unit, of which the largest is 127. 0: the row is all zeros.
float append_bytes(std::span<const float> row, std::vector<int8_t>& out);

// c[j][x] -= sum over k of a[k][x] * b[k][j]; tiles that do not overlap.
void subtract_product(float* c, const float* a, const float* b);

// out[i] = the product of row i and the query; |query[x]| <= 4096, so that 4,000 columns are exact.
void dots(const int8_t* rows, size_t count, size_t width, const int16_t* query, int32_t* out);

// out[x] += sum over i of by[i] * rows[i][x]
void add_weighted(const int16_t* rows, size_t count, size_t width, const float* by, float* out);

}  // namespace ajar::learn
