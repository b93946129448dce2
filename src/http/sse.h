#pragma once
// SseParser: server-sent events from bytes that may be split anywhere.
// Source: WHATWG HTML, section 9.2.6 "Interpreting an event stream",
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/error.h"

namespace ajar {

struct SseEvent {
  std::string_view event;  // empty means "message"
  std::string_view data;   // lines joined by LF; never empty lines only
  std::string_view id;     // the last id of the stream so far, this event's included
};

class SseParser {
 public:
  explicit SseParser(size_t max_event_bytes = 8 * 1024 * 1024) : max_event_bytes_(max_event_bytes) {}

  // Calls on_event(const SseEvent&) for each event that is complete; its views are valid during the call only.
  // kUpstream when one event exceeds the limit; the parser must not be used afterwards.
  template <class F>
  Status feed(std::string_view bytes, F&& on_event);

  // True if the stream ended in the middle of an event, which the specification says to discard.
  bool unfinished() const { return !line_.empty() || has_data_ || !event_.empty(); }

  uint64_t comments() const { return comments_; }    // comment lines so far (pings)
  int64_t retry_ms() const { return retry_ms_; }     // the last `retry` field, -1 before one

 private:
  // Takes one line without its end. True when it was empty and an event is ready in event_view().
  bool take_line(std::string_view line);
  void field(std::string_view name, std::string_view value);
  SseEvent event_view() const;
  void reset_event();
  void keep_views();  // copies what still points into the fed bytes
  Status check_size(size_t more) const;

  size_t max_event_bytes_;
  std::string line_;     // an unfinished line
  std::string data_;     // owned data, used once an event has several data lines or is split over feeds
  std::string event_;    // owned event name
  std::string id_;
  std::string_view data_view_;  // the only data line so far, inside the fed bytes
  std::string_view event_view_;
  bool has_data_ = false;
  bool data_owned_ = false;
  bool skip_lf_ = false;  // the last line ended in CR at the end of a feed
  int bom_ = 0;           // bytes of the byte order mark seen; -1 when past the stream's start
  uint64_t comments_ = 0;
  int64_t retry_ms_ = -1;
};

}  // namespace ajar
