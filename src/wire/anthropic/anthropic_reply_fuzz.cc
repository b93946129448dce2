// Bytes as a stream of server-sent event data, one per line, and as a whole body: no crash, and
// what comes out is well-formed: UTF-8 text, valid raw JSON, arguments only for calls that were
// opened, one start, one stop a choice.
#include <cstdlib>
#include <map>
#include <string_view>

#include "base/text.h"
#include "core/reply.h"
#include "json/read.h"
#include "wire/anthropic/anthropic.h"

namespace {

using ajar::Event;

void need(bool condition) {
  if (!condition) std::abort();
}

void check(const ajar::EventBatch& events) {
  std::map<int, int> calls, stops;
  int starts = 0;
  for (const Event& event : events) {
    need(ajar::valid_utf8(event.text));
    for (const std::string* extra : {&event.top_extra, &event.choice_extra, &event.part_extra}) {
      need(extra->empty() || ajar::json::explain("{" + *extra + "}").empty());
    }
    switch (event.kind) {
      case Event::Kind::kStart:
        need(++starts == 1);
        break;
      case Event::Kind::kText:
      case Event::Kind::kThought:
        need(!event.text.empty());
        break;
      case Event::Kind::kToolCall:
        need(event.index == calls[event.choice]++);
        break;
      case Event::Kind::kToolArgs:
        need(event.index >= 0 && event.index < calls[event.choice]);
        break;
      case Event::Kind::kOpaque:
      case Event::Kind::kAnnotation:
        need(ajar::json::explain(event.raw).empty());
        break;
      case Event::Kind::kLogprobs:
        need(ajar::json::explain("[" + event.raw + "]").empty());
        break;
      case Event::Kind::kStop:
        need(++stops[event.choice] == 1);
        break;
      case Event::Kind::kUsage: {
        const ajar::Usage& u = event.usage;
        need(u.cached_read + u.cached_write <= u.input && u.cached_write_1h <= u.cached_write);
        need(u.reasoning <= u.output && u.input >= 0 && u.cached_read >= 0);
        break;
      }
      default:
        break;
    }
  }
  ajar::Fold fold;
  fold.add(events);
  ajar::unfold(fold.take());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  {
    auto decoder = ajar::wire::anthropic::new_decoder();
    ajar::EventBatch out;
    bool ok = true;
    for (const std::string_view line : ajar::split(text, '\n')) {
      if (!decoder->on_event("", line, out)) {
        ok = false;
        break;
      }
    }
    if (ok) need(decoder->on_end(out).has_value() == decoder->done());
    check(out);
  }
  auto decoder = ajar::wire::anthropic::new_decoder();
  ajar::EventBatch out;
  if (decoder->on_body(text, out)) need(decoder->done());
  check(out);
  (void)ajar::wire::anthropic::read_error(size > 0 ? 400 + data[0] : 500, "application/json", text);
  return 0;
}
