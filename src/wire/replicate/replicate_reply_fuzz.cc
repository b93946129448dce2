// The readers against any bytes: what must hold stands in wire/reply_fuzz.h. Lines are events, the first letter says which.
#include "wire/replicate/replicate.h"
#include "wire/reply_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ajar;
  wire::fuzz::reply(data, size, wire::replicate::new_decoder, wire::replicate::read_error);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto decoder = wire::replicate::new_decoder();
  EventBatch out;
  bool ok = true;
  for (const std::string_view line : split(text, '\n')) {
    static constexpr std::string_view kNames[] = {"output", "done", "error", "logs"};
    if (decoder->done() || line.empty() || !ok) break;
    ok = decoder->on_event(kNames[uint8_t(line[0]) % 4], line.substr(1), out).has_value();
  }
  if (ok) wire::fuzz::need(decoder->on_end(out).has_value() == decoder->done());
  wire::fuzz::check(out);
  EventBatch events;
  (void)wire::replicate::read_prediction(text, events);
  wire::replicate::read_usage(text, out);
  return 0;
}
