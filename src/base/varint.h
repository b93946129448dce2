#pragma once
// Numbers and texts as bytes, for files and keys that only this program reads: LEB128, and text with its length before it.

#include <cstdint>
#include <string>
#include <string_view>

namespace ajar {

inline void put_varint(std::string& out, uint64_t n) {
  for (; n >= 0x80; n >>= 7) out.push_back(char(n | 0x80));
  out.push_back(char(n));
}
inline void put_text(std::string& out, std::string_view text) { put_varint(out, text.size()), out += text; }

// Reads them back. What is damaged reads as 0 or nothing, and good() says so.
class VarintReader {
 public:
  explicit VarintReader(std::string_view rest) : rest_(rest) {}
  bool empty() const { return rest_.empty(); }
  bool good() const { return good_; }

  uint64_t number() {
    uint64_t n = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      n |= uint64_t(byte & 0x7f) << shift;
      if (byte < 0x80) return n;
    }
    good_ = false;
    return 0;
  }
  uint64_t below(uint64_t limit) {
    const uint64_t n = number();
    if (n < limit) return n;
    good_ = false;
    return 0;
  }
  std::string_view text() {  // of the bytes that are being read
    const uint64_t size = number();
    if (!good_ || size > rest_.size()) return good_ = false, std::string_view();
    const std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }

 private:
  std::string_view rest_;
  bool good_ = true;
};

}  // namespace ajar
