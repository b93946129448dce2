#pragma once
// Byte-level vocabularies write every byte as a printable character, so that their files are text.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace ajar::engine {

// GPT-2 writes bytes as printable characters: those that print stand for themselves, the others are U+0100 and on.
class PrintableBytes {
 public:
  PrintableBytes() {
    std::fill_n(of_, kSize, -1);
    int next = 256;
    for (int byte = 0; byte < 256; ++byte) {
      const bool prints = (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
      of_[prints ? byte : next++] = byte;
    }
  }
  // The bytes that `text` stands for. A character outside the table stays what it is: added tokens are plain text.
  std::string decode(std::string_view text) const {
    std::string out;
    for (size_t at = 0; at < text.size();) {
      const auto lead = uint8_t(text[at]);
      if (lead < 0x80) {
        out.push_back(text[at++]);
        continue;
      }
      const int code = lead < 0xe0 && at + 1 < text.size() ? (lead & 0x1f) << 6 | (uint8_t(text[at + 1]) & 0x3f) : -1;
      if (code >= 0 && code < kSize && of_[code] >= 0) {
        out.push_back(char(of_[code]));
        at += 2;
      } else {
        out.push_back(text[at++]);
      }
    }
    return out;
  }

 private:
  static constexpr int kSize = 256 + 68;
  int of_[kSize];  // -1: stands for nothing
};

}  // namespace ajar::engine
