// Replies: no provider's bytes may crash us, and whatever they were, our own frames are valid JSON.
#include <cstdlib>

#include "base/text.h"
#include "json/read.h"
#include "wire/openai/chat.h"
#include "wire/openai/embeddings.h"

namespace {

void check_frames(std::string_view bytes) {
  static ajar::json::Document document;
  while (!bytes.empty()) {
    if (!bytes.starts_with("data: ")) std::abort();
    const size_t end = bytes.find("\n\n");
    if (end == bytes.npos) std::abort();
    const std::string_view payload = bytes.substr(6, end - 6);
    if (payload != "[DONE]" && !document.parse_object(payload)) std::abort();
    bytes.remove_prefix(end + 2);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ajar;
  using namespace ajar::wire;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const ReplyOptions options{
      .include_usage = (data[0] & 1) != 0, .model = "m", .legacy_functions = (data[0] & 2) != 0};
  const auto decoder = openai::new_decoder();
  const auto encoder = openai::new_encoder(options);
  std::string out;
  Fold fold;
  Status status;
  if ((data[0] & 4) != 0) {
    EventBatch events;
    status = decoder->on_body(text, events);
    encoder->encode(events, out);
    fold.add(events);
  } else {
    for (const std::string_view line : split(text, '\n')) {  // one event per line
      EventBatch events;
      status = decoder->on_event(line.starts_with('!') ? "error" : "", line, events);
      encoder->encode(events, out);
      fold.add(events);
      if (!status) break;
    }
    if (status) {
      EventBatch events;
      status = decoder->on_end(events);
      encoder->encode(events, out);
      fold.add(events);
    }
  }
  if (status)
    encoder->finish(StreamEnd::kComplete, nullptr, out);
  else
    encoder->finish(StreamEnd::kUpstreamError, &status.error(), out);
  check_frames(out);
  static json::Document document;
  const Reply reply = fold.take();
  if (!document.parse_object(openai::write_reply(reply, options))) std::abort();
  Fold again;
  again.add(unfold(reply));
  if (!document.parse_object(openai::write_reply(again.take(), options))) std::abort();
  const Error error = openai::read_error(400 + data[0], "application/json", text);
  if (!document.parse_object(openai::write_error(error, 400, "r"))) std::abort();
  (void)openai::read_embedding_reply(text);
  return 0;
}
