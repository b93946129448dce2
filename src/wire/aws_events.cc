#include "wire/aws_events.h"

#include <array>

#include "json/write.h"

namespace ajar::wire {
namespace {

constexpr size_t kPrelude = 12, kTrailer = 4;  // two lengths and their checksum; the message's checksum
constexpr size_t kMaxHeaders = 128 * 1024;

// Eight bytes a step: table[k][b] is the checksum of b followed by k zero bytes.
constexpr auto kTables = [] {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t crc = b;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320u : 0);
    tables[0][b] = crc;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (uint32_t b = 0; b < 256; ++b) tables[k][b] = (tables[k - 1][b] >> 8) ^ tables[0][tables[k - 1][b] & 0xFF];
  }
  return tables;
}();

uint32_t number(std::string_view bytes, size_t at, size_t width) {
  uint32_t value = 0;
  for (size_t i = 0; i < width; ++i) value = value << 8 | uint8_t(bytes[at + i]);
  return value;
}

std::unexpected<Error> corrupt(std::string_view why) {
  return fail(Code::kUpstream, "a message of the provider's event stream is corrupt: " + std::string(why));
}

struct Names {
  std::string_view message_type, event_type, exception_type, error_code, error_message;
};

// False: the headers do not fill their room exactly.
bool read_headers(std::string_view headers, Names& names) {
  // Bytes of a value by its type; strings and byte arrays say their own length.
  static constexpr int kWidths[] = {0, 0, 1, 2, 4, 8, -1, -1, 8, 16};
  size_t at = 0;
  while (at < headers.size()) {
    const size_t name_size = uint8_t(headers[at++]);
    if (name_size == 0 || headers.size() - at < name_size + 1) return false;
    const std::string_view name = headers.substr(at, name_size);
    at += name_size;
    const size_t type = uint8_t(headers[at++]);
    if (type >= std::size(kWidths)) return false;
    size_t size = size_t(kWidths[type]);
    if (kWidths[type] < 0) {
      if (headers.size() - at < 2) return false;
      size = number(headers, at, 2);
      at += 2;
    }
    if (headers.size() - at < size) return false;
    const std::string_view value = headers.substr(at, size);
    at += size;
    if (type != 7) continue;
    if (name == ":message-type") names.message_type = value;
    else if (name == ":event-type") names.event_type = value;
    else if (name == ":exception-type") names.exception_type = value;
    else if (name == ":error-code") names.error_code = value;
    else if (name == ":error-message") names.error_message = value;
  }
  return true;
}

}  // namespace

uint32_t crc32(std::string_view bytes) {
  uint32_t crc = ~0u;
  const auto byte = [&](size_t i) { return uint32_t(uint8_t(bytes[i])); };
  size_t at = 0;
  for (; bytes.size() - at >= 8; at += 8) {
    const uint32_t low = crc ^ (byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24);
    crc = kTables[7][low & 0xFF] ^ kTables[6][low >> 8 & 0xFF] ^ kTables[5][low >> 16 & 0xFF] ^
          kTables[4][low >> 24] ^ kTables[3][byte(at + 4)] ^ kTables[2][byte(at + 5)] ^ kTables[1][byte(at + 6)] ^
          kTables[0][byte(at + 7)];
  }
  for (; at < bytes.size(); ++at) crc = (crc >> 8) ^ kTables[0][(crc ^ byte(at)) & 0xFF];
  return ~crc;
}

Result<size_t> AwsEventFramer::size_at(std::string_view bytes) const {
  if (bytes.size() < kPrelude) return 0;
  const size_t size = number(bytes, 0, 4), headers = number(bytes, 4, 4);
  if (crc32(bytes.substr(0, 8)) != number(bytes, 8, 4)) return corrupt("the checksum of its prelude does not match");
  if (size > max_frame_) {
    return fail(Code::kUpstream, "a message of the provider's event stream is larger than " +
                                     std::to_string(max_frame_) + " bytes");
  }
  if (headers > kMaxHeaders || size < kPrelude + headers + kTrailer) return corrupt("its lengths contradict each other");
  return bytes.size() < size ? 0 : size;
}

Status AwsEventFramer::message(std::string_view bytes, const OnFrame& on_frame) {
  const size_t body = bytes.size() - kTrailer;
  if (crc32(bytes.substr(0, body)) != number(bytes, body, 4)) return corrupt("its checksum does not match");
  const size_t headers = number(bytes, 4, 4);
  Names names;
  if (!read_headers(bytes.substr(kPrelude, headers), names)) return corrupt("its headers cannot be read");
  const std::string_view payload = bytes.substr(kPrelude + headers, body - kPrelude - headers);
  if (names.message_type == "error") {
    std::string data;
    json::Writer w(data);
    w.begin_object();
    w.field("message", names.error_message);
    w.end_object();
    return on_frame({names.error_code.empty() ? "error" : names.error_code, data});
  }
  return on_frame({names.message_type == "exception" ? names.exception_type : names.event_type, payload});
}

Status AwsEventFramer::feed(std::string_view bytes, const OnFrame& on_frame) {
  // What is left of the last feed is completed first, with no more than it needs.
  while (!partial_.empty() && !bytes.empty()) {
    const size_t wanted = partial_.size() < kPrelude ? kPrelude : number(partial_, 0, 4);
    const size_t taken = std::min(wanted - partial_.size(), bytes.size());
    partial_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    AJAR_ASSIGN(const size_t size, size_at(partial_));
    if (size == 0) continue;
    AJAR_TRY(message(partial_, on_frame));
    partial_.clear();
  }
  while (!bytes.empty()) {
    AJAR_ASSIGN(const size_t size, size_at(bytes));
    if (size == 0) break;
    AJAR_TRY(message(bytes.substr(0, size), on_frame));
    bytes.remove_prefix(size);
  }
  partial_.append(bytes);
  return {};
}

Status AwsEventFramer::finish(const OnFrame&) {
  if (partial_.empty()) return {};
  return fail(Code::kCut, "the provider's event stream ended inside a message");
}

}  // namespace ajar::wire
