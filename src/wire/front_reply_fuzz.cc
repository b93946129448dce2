// Whatever an upstream says, the clients of the other dialects get well-formed streams: every payload is JSON, Anthropic's
// blocks are opened, filled and closed one after the other, and only a complete stream has its proper end.
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "http/sse.h"
#include "json/read.h"
#include "wire/anthropic/anthropic.h"
#include "wire/gemini/gemini.h"
#include "wire/openai/chat.h"

namespace {

using namespace ajar;
using namespace ajar::wire;

void need(bool condition) {
  if (!condition) std::abort();
}

void check_messages(std::string_view bytes, bool complete) {
  SseParser sse;
  int64_t open = -1, next = 0;
  bool started = false, stopped = false;
  json::Document document;
  (void)sse.feed(bytes, [&](const SseEvent& event) {
    const auto object = document.parse_object(event.data);
    need(object.has_value());
    const std::string_view type = json::string_or(*object, "type");
    const int64_t index = json::int_or(*object, "index");
    need(type == event.event && !stopped);
    if (type == "message_start") {
      need(!started);
      started = true;
    } else if (type == "content_block_start") {
      need(started && open < 0 && index == next);
      open = next++;
    } else if (type == "content_block_delta") {
      need(open == index && open >= 0);
    } else if (type == "content_block_stop") {
      need(open == index && open >= 0);
      open = -1;
    } else if (type == "message_delta") {
      need(open < 0);
    } else if (type == "message_stop") {
      stopped = true;
    }
  });
  need(stopped == complete);
}

void check_gemini(std::string_view bytes, bool complete) {
  SseParser sse;
  json::Document document;
  (void)sse.feed(bytes, [&](const SseEvent& event) {
    const auto object = document.parse_object(event.data);
    need(object.has_value());
    const auto list = json::find(*object, "candidates");
    const auto candidates = list ? json::as_array(*list) : std::nullopt;
    if (complete || !candidates) return;
    for (const json::Value item : *candidates) need(!json::find(*json::as_object(item), "finishReason"));
  });
}

using NewDecoder = std::unique_ptr<ReplyDecoder> (*)();

void run(std::string_view text, NewDecoder new_decoder) {
  const auto decoder = new_decoder();
  const auto messages = anthropic::front().new_encoder({});
  const auto chunks = gemini::front().new_encoder({});
  const auto array = gemini::array_front().new_encoder({});
  const auto chat = openai::front().new_encoder({});
  std::string to_messages, to_chunks, to_array, to_chat;
  Fold fold;
  Status status;
  const auto tell = [&](const EventBatch& events) {
    messages->encode(events, to_messages);
    chunks->encode(events, to_chunks);
    array->encode(events, to_array);
    chat->encode(events, to_chat);
    fold.add(events);
  };
  for (const std::string_view line : split(text, '\n')) {
    EventBatch events;
    status = decoder->on_event("", line, events);
    tell(events);
    if (!status) break;
  }
  if (status) {
    EventBatch events;
    status = decoder->on_end(events);
    tell(events);
  }
  const StreamEnd end = status ? StreamEnd::kComplete : StreamEnd::kCut;
  const Error* error = status ? nullptr : &status.error();
  messages->finish(end, error, to_messages);
  chunks->finish(end, error, to_chunks);
  array->finish(end, error, to_array);
  chat->finish(end, error, to_chat);
  check_messages(to_messages, status.has_value());
  check_gemini(to_chunks, status.has_value());
  need(json::explain(to_array).empty());
  const Reply reply = fold.take();
  need(json::explain(anthropic::write_reply(reply, {})).empty());
  need(json::explain(gemini::write_reply(reply, {})).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static constexpr NewDecoder kDecoders[] = {openai::new_decoder, anthropic::new_decoder, gemini::new_decoder};
  run({reinterpret_cast<const char*>(data) + 1, size - 1}, kDecoders[data[0] % 3]);
  return 0;
}
