#include "engine/dtype.h"

#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <string>

#include "base/text.h"
#include "engine/blocks.h"

namespace ajar::engine {
namespace {

constexpr std::array<DtypeInfo, 15> kDtypes = {{
    {Dtype::kF32, "F32", 1, 4},
    {Dtype::kF16, "F16", 1, 2},
    {Dtype::kQ4_0, "Q4_0", 32, 18},
    {Dtype::kQ4_1, "Q4_1", 32, 20},
    {Dtype::kQ5_0, "Q5_0", 32, 22},
    {Dtype::kQ5_1, "Q5_1", 32, 24},
    {Dtype::kQ8_0, "Q8_0", 32, 34},
    {Dtype::kQ2_K, "Q2_K", 256, 84},
    {Dtype::kQ3_K, "Q3_K", 256, 110},
    {Dtype::kQ4_K, "Q4_K", 256, 144},
    {Dtype::kQ5_K, "Q5_K", 256, 176},
    {Dtype::kQ6_K, "Q6_K", 256, 210},
    {Dtype::kIQ4_NL, "IQ4_NL", 32, 18},
    {Dtype::kBF16, "BF16", 1, 2},
    {Dtype::kMXFP4, "MXFP4", 32, 17},
}};

// The rows of plain numbers. Their bytes may lie at any address.
template <class Bits, class F>
void widen(const void* from, float* to, int64_t elements, F f) {
  for (int64_t i = 0; i < elements; ++i) {
    Bits bits;
    std::memcpy(&bits, static_cast<const char*>(from) + i * sizeof(Bits), sizeof(Bits));
    to[i] = f(bits);
  }
}
template <class F>
void narrow(const float* from, void* to, int64_t elements, F f) {
  for (int64_t i = 0; i < elements; ++i) {
    const uint16_t bits = f(from[i]);
    std::memcpy(static_cast<char*>(to) + i * sizeof bits, &bits, sizeof bits);
  }
}

// Calls f with a null pointer of the format's block type.
template <class F>
void with_block(Dtype dtype, F f) {
  switch (dtype) {
    case Dtype::kQ4_0: return f(static_cast<BlockQ4_0*>(nullptr));
    case Dtype::kQ4_1: return f(static_cast<BlockQ4_1*>(nullptr));
    case Dtype::kQ5_0: return f(static_cast<BlockQ5_0*>(nullptr));
    case Dtype::kQ5_1: return f(static_cast<BlockQ5_1*>(nullptr));
    case Dtype::kQ8_0: return f(static_cast<BlockQ8_0*>(nullptr));
    case Dtype::kQ2_K: return f(static_cast<BlockQ2_K*>(nullptr));
    case Dtype::kQ3_K: return f(static_cast<BlockQ3_K*>(nullptr));
    case Dtype::kQ4_K: return f(static_cast<BlockQ4_K*>(nullptr));
    case Dtype::kQ5_K: return f(static_cast<BlockQ5_K*>(nullptr));
    case Dtype::kQ6_K: return f(static_cast<BlockQ6_K*>(nullptr));
    case Dtype::kIQ4_NL: return f(static_cast<BlockIQ4_NL*>(nullptr));
    case Dtype::kMXFP4: return f(static_cast<BlockMXFP4*>(nullptr));
    case Dtype::kF32:
    case Dtype::kF16:
    case Dtype::kBF16: break;
  }
  assert(false);
}

}  // namespace

const DtypeInfo* dtype_info(uint32_t ggml_type) {
  for (const DtypeInfo& info : kDtypes) {
    if (uint32_t(info.dtype) == ggml_type) return &info;
  }
  return nullptr;
}

const DtypeInfo& dtype_info(Dtype dtype) {
  const DtypeInfo* info = dtype_info(uint32_t(dtype));
  assert(info != nullptr);
  return *info;
}

Result<Dtype> dtype_of_name(std::string_view name) {
  std::string names;
  for (const DtypeInfo& info : kDtypes) {
    if (iequals(info.name, name)) return info.dtype;
    names += (names.empty() ? "" : ", ") + std::string(info.name);
  }
  return invalid("type", "'" + std::string(name) + "' is not a number format; they are " + names);
}

void dequantize_row(Dtype dtype, const void* from, float* to, int64_t elements) {
  switch (dtype) {
    case Dtype::kF32: std::memcpy(to, from, size_t(elements) * sizeof(float)); return;
    case Dtype::kF16: return widen<uint16_t>(from, to, elements, half_to_float);
    case Dtype::kBF16: return widen<uint16_t>(from, to, elements, bfloat_to_float);
    default: break;
  }
  assert(elements % dtype_info(dtype).block_elements == 0);
  with_block(dtype, [&]<class Block>(Block*) {
    dequantize(static_cast<const Block*>(from), to, elements / dtype_info(dtype).block_elements);
  });
}

void quantize_row(Dtype dtype, const float* from, void* to, int64_t elements) {
  switch (dtype) {
    case Dtype::kF32: std::memcpy(to, from, size_t(elements) * sizeof(float)); return;
    case Dtype::kF16: return narrow(from, to, elements, float_to_half);
    case Dtype::kBF16: return narrow(from, to, elements, float_to_bfloat);
    default: break;
  }
  assert(elements % dtype_info(dtype).block_elements == 0);
  with_block(dtype, [&]<class Block>(Block*) {
    quantize(from, static_cast<Block*>(to), elements / dtype_info(dtype).block_elements);
  });
}

float half_to_float(uint16_t bits) {
  const uint32_t sign = uint32_t(bits & 0x8000) << 16, rest = bits & 0x7fff;
  uint32_t out;
  if (rest < 0x0400) {  // subnormal: rest * 2^-24, by the float whose last bit is worth that
    out = std::bit_cast<uint32_t>(std::bit_cast<float>(0x3f000000 | rest) - 0.5f);
  } else {
    out = (rest << 13) + (rest < 0x7c00 ? 112u << 23 : 224u << 23);
  }
  return std::bit_cast<float>(sign | out);
}

uint16_t float_to_half(float value) {
  const uint32_t all = std::bit_cast<uint32_t>(value), sign = all >> 16 & 0x8000;
  uint32_t bits = all & 0x7fffffff;
  if (bits > 0x7f800000) return uint16_t(sign | 0x7e00 | (bits >> 13 & 0x1ff));
  if (bits >= 0x47800000) return uint16_t(sign | 0x7c00);
  if (bits < 0x38800000) {  // the sum's last bit is worth 2^-24, so the addition rounds
    return uint16_t(sign | (std::bit_cast<uint32_t>(std::bit_cast<float>(bits) + 0.5f) - 0x3f000000));
  }
  bits += 0xfff + (bits >> 13 & 1);
  return uint16_t(sign | ((bits - (112u << 23)) >> 13));
}

uint16_t float_to_bfloat(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return uint16_t(bits >> 16 | 0x40);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

}  // namespace ajar::engine
