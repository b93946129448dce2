// The response parser and the chunk decoder: split anywhere they must do what they do unsplit.

#include <cstdint>
#include <cstdlib>

#include "http/parser.h"

namespace ajar {
namespace {

std::string parse(std::string_view bytes, size_t step, bool to_head) {
  ResponseParser parser(1024);
  parser.reset(to_head);
  ChunkDecoder chunks(200);
  std::string body;
  size_t used = 0;
  while (!bytes.empty()) {
    std::string piece(bytes.substr(0, step));
    std::string_view rest = piece;
    bytes.remove_prefix(piece.size());
    if (!parser.done()) {
      auto n = parser.feed(rest);
      if (!n) return n.error().message;
      used += *n;
      rest.remove_prefix(*n);
      if (!rest.empty() && !parser.done()) std::abort();
    }
    while (!rest.empty() && parser.framing() == Framing::kChunked && !chunks.done()) {
      auto got = chunks.next(rest);
      if (!got) return got.error().message;
      if (got->consumed == 0) std::abort();
      body.append(got->data);
      used += got->consumed;
      rest.remove_prefix(got->consumed);
    }
  }
  std::string out = std::to_string(parser.done()) + std::to_string(parser.status) + '|' + std::to_string(used) + '|' +
                    std::to_string(int(parser.framing())) + std::to_string(parser.content_length()) + '|' + body;
  if (parser.done())
    for (auto [name, value] : parser.headers) out.append("|").append(name).append("=").append(value);
  return out;
}

}  // namespace
}  // namespace ajar

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  bool to_head = data[0] & 0x80;
  if (ajar::parse(bytes, bytes.size(), to_head) != ajar::parse(bytes, 1 + data[0] % 32, to_head)) std::abort();
  return 0;
}
