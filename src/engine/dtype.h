#pragma once
// The number formats in which checkpoints hold weights, byte for byte as GGUF lays them out (ggml-common.h of the ggml
// project; MXFP4: OCP Microscaling Formats 1.0). Plain code, the reference of every kernel; any thread.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace ajar::engine {

// The values are GGUF's ggml_type.
enum class Dtype : uint32_t {
  kF32 = 0, kF16 = 1, kQ4_0 = 2, kQ4_1 = 3, kQ5_0 = 6, kQ5_1 = 7, kQ8_0 = 8, kQ2_K = 10, kQ3_K = 11, kQ4_K = 12,
  kQ5_K = 13, kQ6_K = 14, kIQ4_NL = 20, kBF16 = 30, kMXFP4 = 39,
};

struct DtypeInfo {
  Dtype dtype;
  std::string_view name;   // "Q4_K"
  int32_t block_elements;  // a row is a whole number of blocks
  int32_t block_bytes;
};
// Null: a number that is none of ours.
const DtypeInfo* dtype_info(uint32_t ggml_type);
const DtypeInfo& dtype_info(Dtype dtype);
Result<Dtype> dtype_of_name(std::string_view name);  // any case; kInvalid lists the names
inline int64_t row_bytes(Dtype dtype, int64_t elements) {
  const DtypeInfo& info = dtype_info(dtype);
  return elements / info.block_elements * info.block_bytes;
}

// `elements` is a multiple of the block. Exact: every stored value is a float.
void dequantize_row(Dtype dtype, const void* from, float* to, int64_t elements);
// The nearest that the format can say; for the K-quants by a search for the scales that lose least.
void quantize_row(Dtype dtype, const float* from, void* to, int64_t elements);

float half_to_float(uint16_t bits);
uint16_t float_to_half(float value);    // to nearest even; too large becomes infinity
inline float bfloat_to_float(uint16_t bits) { return __builtin_bit_cast(float, static_cast<uint32_t>(bits) << 16); }
uint16_t float_to_bfloat(float value);  // to nearest even; a NaN stays one

}  // namespace ajar::engine
