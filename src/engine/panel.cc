#include "engine/panel.h"

#include <cstring>

namespace ajar::engine {
namespace {

uint16_t read16(const uint8_t* p) {
  uint16_t v;
  std::memcpy(&v, p, 2);
  return v;
}

// What 32 columns of one row say. The small integers of K-quants are per 16 columns; those with one per 32 say it twice.
struct BlockOfRow {
  uint8_t code[kBlock];
  uint16_t scale = 0, minimum = 0;        // bits of the half (or bfloat) of the block, or of the 256 columns
  int8_t small_scale[2], small_minimum[2];
};

void nibbles(const uint8_t* qs, uint8_t* code) {  // low ones first
  for (int j = 0; j < 16; ++j) code[j] = qs[j] & 15, code[j + 16] = qs[j] >> 4;
}

void fifth_bits(const uint8_t* qh, uint8_t* code) {
  uint32_t bits;
  std::memcpy(&bits, qh, 4);
  for (int j = 0; j < 32; ++j) code[j] |= (bits >> j & 1) << 4;
}

// The 6-bit scales and minima of Q4_K and Q5_K, eight of each in 12 bytes.
void k4_scale(const uint8_t* s, int j, BlockOfRow& out) {
  int scale = j < 4 ? s[j] & 63 : (s[j + 4] & 15) | (s[j - 4] >> 6) << 4;
  int minimum = j < 4 ? s[j + 4] & 63 : s[j + 4] >> 4 | (s[j] >> 6) << 4;
  out.small_scale[0] = out.small_scale[1] = static_cast<int8_t>(scale);
  out.small_minimum[0] = out.small_minimum[1] = static_cast<int8_t>(minimum);
}

void read_block(Dtype dtype, const uint8_t* row, int64_t block, BlockOfRow& out) {
  const uint8_t* p = row + block * dtype_info(dtype).block_bytes;           // of formats with blocks of 32
  const uint8_t* s = row + block / 8 * dtype_info(dtype).block_bytes;       // of formats with blocks of 256
  int b = static_cast<int>(block % 8);
  switch (dtype) {
    case Dtype::kQ4_0:
    case Dtype::kIQ4_NL:
      out.scale = read16(p);
      return nibbles(p + 2, out.code);
    case Dtype::kQ4_1:
      out.scale = read16(p), out.minimum = read16(p + 2) ^ 0x8000;  // GGUF adds it
      return nibbles(p + 4, out.code);
    case Dtype::kQ5_0:
      out.scale = read16(p);
      nibbles(p + 6, out.code);
      return fifth_bits(p + 2, out.code);
    case Dtype::kQ5_1:
      out.scale = read16(p), out.minimum = read16(p + 2) ^ 0x8000;
      nibbles(p + 8, out.code);
      return fifth_bits(p + 4, out.code);
    case Dtype::kQ8_0:
      out.scale = read16(p);
      for (int j = 0; j < 32; ++j) out.code[j] = p[2 + j] ^ 0x80;
      return;
    case Dtype::kMXFP4: {
      // 2^(e - 127) / 2 as a bfloat; the smallest ones are subnormal.
      uint8_t e = p[0];
      out.scale = e > 1 ? static_cast<uint16_t>((e - 1) << 7) : e == 1 ? 0x40 : 0x20;
      return nibbles(p + 1, out.code);
    }
    case Dtype::kQ4_K:
    case Dtype::kQ5_K: {
      bool five = dtype == Dtype::kQ5_K;
      out.scale = read16(s), out.minimum = read16(s + 2);
      k4_scale(s + 4, b, out);
      const uint8_t* q = s + (five ? 48 : 16) + b / 2 * 32;
      int shift = b % 2 * 4;
      for (int j = 0; j < 32; ++j) out.code[j] = q[j] >> shift & 15;
      if (five) for (int j = 0; j < 32; ++j) out.code[j] |= (s[16 + j] >> b & 1) << 4;
      return;
    }
    case Dtype::kQ6_K: {
      const uint8_t *low = s + b / 4 * 64 + b % 2 * 32, *high = s + 128 + b / 4 * 32;
      int low_shift = b % 4 / 2 * 4, high_shift = b % 4 * 2;
      for (int j = 0; j < 32; ++j) out.code[j] = (low[j] >> low_shift & 15) | (high[j] >> high_shift & 3) << 4;
      out.small_scale[0] = static_cast<int8_t>(s[192 + b * 2]);
      out.small_scale[1] = static_cast<int8_t>(s[193 + b * 2]);
      out.scale = read16(s + 208);
      return;
    }
    case Dtype::kQ3_K: {
      const uint8_t* q = s + 32 + b / 4 * 32;
      for (int j = 0; j < 32; ++j) out.code[j] = (q[j] >> b % 4 * 2 & 3) | (s[j] >> b & 1) << 2;
      for (int h = 0; h < 2; ++h) {
        int is = b * 2 + h;
        const uint8_t* scales = s + 96;
        int low = is < 8 ? scales[is] & 15 : scales[is - 8] >> 4, high = scales[8 + is % 4] >> is / 4 * 2 & 3;
        out.small_scale[h] = static_cast<int8_t>((low | high << 4) - 32);
      }
      out.scale = read16(s + 108);
      return;
    }
    case Dtype::kQ2_K: {
      const uint8_t* q = s + 16 + b / 4 * 32;
      for (int j = 0; j < 32; ++j) out.code[j] = q[j] >> b % 4 * 2 & 3;
      for (int h = 0; h < 2; ++h) {
        out.small_scale[h] = static_cast<int8_t>(s[b * 2 + h] & 15);
        out.small_minimum[h] = static_cast<int8_t>(s[b * 2 + h] >> 4);
      }
      out.scale = read16(s + 80), out.minimum = read16(s + 82);
      return;
    }
    default: return;
  }
}

void write_codes(int bits, const uint8_t* code, int r, uint8_t* to) {
  if (bits == 8) {
    for (int g = 0; g < 8; ++g) std::memcpy(to + g * 64 + r * 4, code + g * 4, 4);
    return;
  }
  uint8_t packed[16];
  for (int j = 0; j < 16; ++j) packed[j] = (code[j] & 15) | code[j + 16] << 4;
  for (int z = 0; z < 4; ++z) std::memcpy(to + z * 64 + r * 4, packed + z * 4, 4);
  if (bits == 5) {
    for (int g = 0; g < 8; ++g) {
      const uint8_t* c = code + g * 4;
      int four = (c[0] >> 4) | (c[1] >> 4) << 1 | (c[2] >> 4) << 2 | (c[3] >> 4) << 3;
      to[256 + g * 8 + r / 2] |= static_cast<uint8_t>(four << r % 2 * 4);
    }
  } else if (bits == 6) {
    for (int h = 0; h < 2; ++h) {
      for (int i = 0; i < 4; ++i) {
        int byte = 0;
        for (int t = 0; t < 4; ++t) byte |= (code[(h * 4 + t) * 4 + i] >> 4) << 2 * t;
        to[256 + h * 64 + r * 4 + i] = static_cast<uint8_t>(byte);
      }
    }
  }
}

void write_scales(const PanelForm& form, const BlockOfRow& in, int64_t block, int r, uint8_t* scales, uint8_t* supers) {
  uint8_t* s = scales + block * form.scale_bytes();
  if (!form.super()) {
    std::memcpy(s + r * 2, &in.scale, 2);
    if (form.minimum) std::memcpy(s + 32 + r * 2, &in.minimum, 2);
    return;
  }
  int halves = form.scale == ScaleForm::kSuper16 ? 2 : 1;
  for (int h = 0; h < halves; ++h) {
    s[h * 16 + r] = static_cast<uint8_t>(in.small_scale[h]);
    if (form.minimum) s[(halves + h) * 16 + r] = static_cast<uint8_t>(in.small_minimum[h]);
  }
  uint8_t* super = supers + block / 8 * form.super_bytes();
  std::memcpy(super + r * 2, &in.scale, 2);
  if (form.minimum) std::memcpy(super + 32 + r * 2, &in.minimum, 2);
}

template <class T>
void pack_floats(const std::byte* from, int64_t stride, int rows, int64_t columns, std::byte* to, bool pairs) {
  auto* out = reinterpret_cast<T*>(to);
  for (int r = 0; r < rows; ++r) {
    const std::byte* row = from + r * stride;
    for (int64_t k = 0; k < columns; ++k) {
      T value;
      std::memcpy(&value, row + k * static_cast<int64_t>(sizeof(T)), sizeof(T));
      out[pairs ? (k / 2 * kPanelRows + r) * 2 + k % 2 : k * kPanelRows + r] = value;
    }
  }
}

int code_of(const PanelForm& form, const uint8_t* codes, int r, int column) {
  int g = column / 4, i = column % 4;
  if (form.bits == 8) return codes[g * 64 + r * 4 + i];
  int byte = codes[g % 4 * 64 + r * 4 + i], code = g < 4 ? byte & 15 : byte >> 4;
  if (form.bits == 5) code |= (codes[256 + g * 8 + (r * 4 + i) / 8] >> (r * 4 + i) % 8 & 1) << 4;
  if (form.bits == 6) code |= (codes[256 + g / 4 * 64 + r * 4 + i] >> g % 4 * 2 & 3) << 4;
  if (form.table == CodeTable::kIq4Nl) return kIq4NlTable[code];
  if (form.table == CodeTable::kMxfp4) return kMxfp4Table[code];
  return code;
}

}  // namespace

void pack_panel(Dtype dtype, const std::byte* from, int64_t stride, int rows, int64_t columns, std::byte* to) {
  PanelLayout layout = panel_layout(dtype, columns);
  if (dtype == Dtype::kF32) return pack_floats<uint32_t>(from, stride, rows, columns, to, false);
  if (dtype == Dtype::kF16) return pack_floats<uint16_t>(from, stride, rows, columns, to, false);
  if (dtype == Dtype::kBF16) return pack_floats<uint16_t>(from, stride, rows, columns, to, true);
  PanelForm form = panel_form(dtype);
  auto* out = reinterpret_cast<uint8_t*>(to);
  BlockOfRow block_of_row{};
  for (int r = 0; r < rows; ++r) {
    const auto* row = reinterpret_cast<const uint8_t*>(from + r * stride);
    for (int64_t block = 0; block < columns / kBlock; ++block) {
      read_block(dtype, row, block, block_of_row);
      write_codes(form.bits, block_of_row.code, r, out + block * form.code_bytes());
      write_scales(form, block_of_row, block, r, out + layout.scales, out + layout.supers);
    }
  }
}

void unpack_block(Dtype dtype, const std::byte* panel, int64_t columns, int64_t block, float out[kBlock][kPanelRows]) {
  PanelForm form = panel_form(dtype);
  PanelLayout layout = panel_layout(dtype, columns);
  const auto* p = reinterpret_cast<const uint8_t*>(panel);
  const uint8_t* codes = p + block * form.code_bytes();
  const uint8_t* scales = p + layout.scales + block * form.scale_bytes();
  const uint8_t* supers = p + layout.supers + block / 8 * form.super_bytes();
  for (int r = 0; r < kPanelRows; ++r) {
    float scale[2], minimum[2] = {0, 0};
    if (form.super()) {
      int halves = form.scale == ScaleForm::kSuper16 ? 2 : 1;
      float d = half_to_float(read16(supers + r * 2));
      float m = form.minimum ? half_to_float(read16(supers + 32 + r * 2)) : 0;
      for (int h = 0; h < 2; ++h) {
        scale[h] = d * static_cast<int8_t>(scales[h % halves * 16 + r]);
        if (form.minimum) minimum[h] = m * static_cast<int8_t>(scales[(halves + h % halves) * 16 + r]);
      }
    } else {
      uint16_t bits = read16(scales + r * 2);
      scale[0] = scale[1] = form.scale == ScaleForm::kBfloat ? bfloat_to_float(bits) : half_to_float(bits);
      if (form.minimum) minimum[0] = minimum[1] = half_to_float(read16(scales + 32 + r * 2));
    }
    for (int k = 0; k < kBlock; ++k)
      out[k][r] = scale[k / 16] * static_cast<float>(code_of(form, codes, r, k) - form.zero) - minimum[k / 16];
  }
}

void unpack_row(Dtype dtype, const std::byte* panel, int64_t columns, int row, float* out) {
  if (is_float(dtype)) {
    for (int64_t k = 0; k < columns; ++k) {
      if (dtype == Dtype::kF32) out[k] = reinterpret_cast<const float*>(panel)[k * kPanelRows + row];
      const auto* halves = reinterpret_cast<const uint16_t*>(panel);
      if (dtype == Dtype::kF16) out[k] = half_to_float(halves[k * kPanelRows + row]);
      if (dtype == Dtype::kBF16) out[k] = bfloat_to_float(halves[(k / 2 * kPanelRows + row) * 2 + k % 2]);
    }
    return;
  }
  float block[kBlock][kPanelRows];
  for (int64_t b = 0; b < columns / kBlock; ++b) {
    unpack_block(dtype, panel, columns, b, block);
    for (int k = 0; k < kBlock; ++k) out[b * kBlock + k] = block[k][row];
  }
}

}  // namespace ajar::engine
