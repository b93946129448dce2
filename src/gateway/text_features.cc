#include "gateway/text_features.h"

#include <bit>
#include <cstring>

namespace ajar {
namespace {

// 64 bytes at a time; a comparison gives one bit per byte. Clang makes SSE2, AVX2 or NEON of it.
using Block = uint8_t __attribute__((ext_vector_type(64)));
using Bits = bool __attribute__((ext_vector_type(64)));

template <class Mask>
[[gnu::always_inline]] inline uint64_t bits(const Mask& mask) {
  return __builtin_bit_cast(uint64_t, __builtin_convertvector(mask, Bits));
}

constexpr int64_t kPerImage = 1'600;  // a full-size tile grid; what the large APIs charge at most by default
constexpr int64_t kPerFile = 3'000;

void add_part(const Part& part, TextFeatures& out) {
  switch (part.kind) {
    case Part::Kind::kImage: out.media_tokens += kPerImage; return;
    case Part::Kind::kAudio: out.media_tokens += 100 + int64_t(part.data.size()) / 1'000; return;  // ~10 a second
    case Part::Kind::kFile:
      if (part.text.empty()) out.media_tokens += kPerFile + int64_t(part.data.size()) / 40;
      else out.add_text(part.text);
      return;
    default: break;
  }
  out.add_text(part.text);
  out.add_text(part.name);
  out.add_text(part.arguments);
  out.add_text(part.raw);
  for (const Part& inner : part.content) add_part(inner, out);
}

// The whole count, compiled once for every processor and once for those with AVX2, where it takes half the instructions.
[[gnu::always_inline]] inline void count(std::string_view text, int64_t* n) {
  using enum TextFeatures::Index;
  uint64_t letter_before = 0, digit_before = 0, mark_before = 0, blank_before = 0, space_before = 0;
  for (size_t at = 0; at < text.size(); at += 64) {
    Block c;
    if (text.size() - at >= 64) {
      std::memcpy(&c, text.data() + at, 64);
    } else {
      uint8_t last[64];
      std::memset(last, 'a', 64);  // cut off below by `valid`
      std::memcpy(last, text.data() + at, text.size() - at);
      std::memcpy(&c, last, 64);
    }
    const size_t left = text.size() - at;
    const uint64_t valid = left >= 64 ? ~uint64_t{0} : (uint64_t{1} << left) - 1;
    const Block folded = c | uint8_t(0x20);
    const uint64_t letter = bits(folded - uint8_t('a') < uint8_t(26)) & valid;
    const uint64_t upper = bits(c - uint8_t('A') < uint8_t(26)) & valid;
    const uint64_t digit = bits(c - uint8_t('0') < uint8_t(10)) & valid;
    const uint64_t space = bits(c == uint8_t(' ')) & valid;
    const uint64_t blank = bits(c < uint8_t(' ')) & valid;
    const uint64_t high = bits(c >= uint8_t(0x80)) & valid;
    const uint64_t mark = valid & ~(letter | digit | space | blank | high);

    n[kWords] += std::popcount(letter & ~(letter << 1 | letter_before));
    const uint64_t two = letter & letter << 1, four = two & two << 2;
    n[kLongLetters] += std::popcount(four & letter << 4);  // a run that crosses the block counts a little less
    n[kUpper] += std::popcount(upper);
    n[kDigitRuns] += std::popcount(digit & ~(digit << 1 | digit_before));
    n[kDigits] += std::popcount(digit);
    n[kMarkRuns] += std::popcount(mark & ~(mark << 1 | mark_before));
    n[kMarks] += std::popcount(mark);
    n[kBlankRuns] += std::popcount(blank & ~(blank << 1 | blank_before));
    n[kDoubleSpaces] += std::popcount(space & (space << 1 | space_before));
    if (high != 0) {
      const uint64_t latin = bits(c >= uint8_t(0xc2) & c <= uint8_t(0xc9)) & valid;
      const uint64_t lead2 = bits(c >= uint8_t(0xc2) & c <= uint8_t(0xdf)) & valid;
      const uint64_t indic = bits(c >= uint8_t(0xe0) & c <= uint8_t(0xe2)) & valid;
      const uint64_t cjk = bits(c >= uint8_t(0xe3) & c <= uint8_t(0xe9)) & valid;
      const uint64_t hangul = bits(c >= uint8_t(0xea) & c <= uint8_t(0xef)) & valid;
      n[kLatin2] += std::popcount(latin);
      n[kOther2] += std::popcount(lead2 & ~latin);
      n[kIndic3] += std::popcount(indic);
      n[kCjk3] += std::popcount(cjk);
      n[kHangul3] += std::popcount(hangul);
      n[kFour] += std::popcount(bits(c >= uint8_t(0xf0)) & valid);
    }
    letter_before = letter >> 63;
    digit_before = digit >> 63;
    mark_before = mark >> 63;
    blank_before = blank >> 63;
    space_before = space >> 63;
  }
}

void count_anywhere(std::string_view text, int64_t* n) { count(text, n); }
#if defined(__x86_64__)
[[gnu::target("avx2,popcnt")]] void count_avx2(std::string_view text, int64_t* n) { count(text, n); }
#endif

auto best_count() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt")) return &count_avx2;
#endif
  return &count_anywhere;
}

}  // namespace

void TextFeatures::add_text(std::string_view text) {
  if (text.empty()) return;
  static const auto count = best_count();
  int64_t n[kMessages] = {};
  count(text, n);
  for (size_t i = 0; i < kMessages; ++i) values[i] += float(n[i]);
}

TextFeatures features_of(const Request& request) {
  TextFeatures out;
  out[TextFeatures::kRequest] = 1;
  out[TextFeatures::kMessages] = float(request.messages.size());
  out[TextFeatures::kTools] = float(request.tools.size());
  for (const Message& message : request.messages) {
    out.add_text(message.name);
    for (const Part& part : message.parts) add_part(part, out);
  }
  for (const Tool& tool : request.tools) {
    out.add_text(tool.name);
    out.add_text(tool.description);
    out.add_text(tool.parameters);
    out.add_text(tool.raw);
  }
  out.add_text(request.response_format.schema);
  return out;
}

}  // namespace ajar
