#pragma once
// Feeding recorded bytes to a decoder, and putting into text what came out.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "wire/dialect.h"
#include "wire/framer.h"

namespace ajar::wiretest {

struct Replay {
  EventBatch events;
  std::vector<EventBatch> batches;  // the same, one batch per server-sent event
  Status end;                       // why it stopped
  bool done = false;
};

using NewDecoder = std::function<std::unique_ptr<wire::ReplyDecoder>()>;

// `cut` splits the bytes in two at that position; `step` > 0 feeds them in pieces of that size
// instead.
Replay replay_stream(const NewDecoder& new_decoder, std::string_view bytes, size_t cut = 0,
                     size_t step = 0, wire::Framing framing = wire::Framing::kSse);
Replay replay_body(const NewDecoder& new_decoder, std::string_view body);

std::string describe(const EventBatch& events);  // one line per event, everything in it
std::string describe(const Status& status);

// Every payload of a stream.
std::vector<std::string> payloads(std::string_view bytes, wire::Framing framing = wire::Framing::kSse);

// JSON texts, one per line, as a stream of that framing. An event stream of AWS is written as the API's documentation
// shows it, {"NAME": payload}; a NAME that ends in Exception makes an exception.
std::string framed(const std::vector<std::string>& lines, wire::Framing framing, bool named);

// "" or a complaint: the stream comes as the same frames at every split (long ones at a stride), and decodes alike at
// every split (at a wider stride), byte by byte, and with CRLF and CR line ends.
std::string check_splits(const NewDecoder& new_decoder, std::string_view bytes, const Replay& whole,
                         wire::Framing framing = wire::Framing::kSse);

}  // namespace ajar::wiretest
