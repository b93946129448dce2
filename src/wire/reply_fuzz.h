#pragma once
// For the reply fuzzers of the dialects. Bytes as a stream of server-sent event data, one per line, and as a whole
// body: no crash, and what comes out is well-formed: UTF-8 text, valid raw JSON, arguments only for calls that were
// opened, one start, one stop a choice.

#include <cstdlib>
#include <map>
#include <string_view>

#include "base/text.h"
#include "core/reply.h"
#include "json/read.h"
#include "wire/dialect.h"

namespace ajar::wire::fuzz {

inline void need(bool condition) {
  if (!condition) std::abort();
}

inline void check(const EventBatch& events) {
  std::map<int, int> calls, stops;
  int starts = 0;
  for (const Event& event : events) {
    need(valid_utf8(event.text));
    for (const std::string* extra : {&event.top_extra, &event.choice_extra, &event.part_extra}) {
      need(extra->empty() || json::explain("{" + *extra + "}").empty());
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
        need(json::explain(event.raw).empty());
        break;
      case Event::Kind::kLogprobs:
        need(json::explain("[" + event.raw + "]").empty());
        break;
      case Event::Kind::kStop:
        need(++stops[event.choice] == 1);
        break;
      case Event::Kind::kUsage: {
        const Usage& u = event.usage;
        need(u.cached_read + u.cached_write <= u.input && u.cached_write_1h <= u.cached_write);
        need(u.reasoning <= u.output && u.input >= 0 && u.cached_read >= 0);
        break;
      }
      default:
        break;
    }
  }
  Fold fold;
  fold.add(events);
  unfold(fold.take());
}


// `new_decoder` and `read_error` are the dialect's.
template <class NewDecoder, class ReadError>
void reply(const uint8_t* data, size_t size, NewDecoder new_decoder, ReadError read_error) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  {
    auto decoder = new_decoder();
    EventBatch out;
    bool ok = true;
    for (const std::string_view line : split(text, '\n')) {
      if (!decoder->on_event("", line, out)) {
        ok = false;
        break;
      }
    }
    if (ok) need(decoder->on_end(out).has_value() == decoder->done());
    check(out);
  }
  auto decoder = new_decoder();
  EventBatch out;
  if (decoder->on_body(text, out)) need(decoder->done());
  check(out);
  (void)read_error(size > 0 ? 400 + data[0] : 500, "application/json", text);
}

}  // namespace ajar::wire::fuzz
