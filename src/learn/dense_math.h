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

// out[i] = the product of row i and the query, exact up to 100,000 columns. No byte is -128: a row with one has another product, and nothing worse.
void dots(const int8_t* rows, size_t count, size_t width, const int8_t* query, int32_t* out);

// Of such products, rows in units of `scales` and the query of `unit`: out[i] = kLoudest * exp(sharp * (cosine - 1)), rounded, and at most
// kLoudest. sharp > 0.
inline constexpr int kLoudest = 16383;
void loudness(const int32_t* products, const float* scales, size_t count, float unit, float sharp, int16_t* out);

float dot(const float* a, const float* b, size_t n);

// out[j] = sum over k of in[k] * rows[k][j].
void multiply(const float* in, size_t count, const float* rows, size_t width, float* out);

// Rows in pairs, [pair][column][row of the pair]: out[x] += sum over i of by[i] * rows[i][x]. `width` is a multiple of kPairedColumns;
// the sums of a call fit in 32 bits (the caller's to see to), and -32768 is not by itself.
inline constexpr size_t kPairedColumns = 16;
void add_pairs(const int16_t* rows, size_t pairs, size_t width, const int16_t* by, float* out);

}  // namespace ajar::learn
