// Every framer against any bytes: no crash, and the frames do not depend on where the bytes were split.
#include <cstdlib>
#include <string>

#include "wire/framer.h"

namespace {

using namespace ajar::wire;

std::string hear(Framing framing, std::string_view bytes, size_t step) {
  const auto framer = new_framer(framing, 1024);
  std::string out;
  const OnFrame on_frame = [&](const Frame& frame) -> ajar::Status {
    out.append(frame.name).append("\x01").append(frame.data).append("\x02");
    return {};
  };
  for (size_t at = 0; at < bytes.size(); at += step) {
    const std::string piece(bytes.substr(at, step));
    if (const auto fed = framer->feed(piece, on_frame); !fed) return out + std::string(fed.error().message);
  }
  const auto end = framer->finish(on_frame);
  return end ? out : out + std::string(end.error().message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  static constexpr Framing kAll[] = {Framing::kSse, Framing::kJsonLines, Framing::kJsonArray, Framing::kAwsEvents};
  const Framing framing = kAll[data[0] % 4];
  const std::string whole = hear(framing, bytes, bytes.size() + 1);
  // A frame over the limit is noticed at once or at its end; only the frames before it are sure.
  const std::string pieces = hear(framing, bytes, 1 + data[1] % 7);
  if (bytes.size() <= 1024 && whole != pieces) std::abort();
  return 0;
}
