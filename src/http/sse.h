#pragma once
// SseParser: server-sent events from bytes that may be split anywhere.
// Source: WHATWG HTML, section 9.2.6 "Interpreting an event stream",
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/error.h"

namespace ajar {

struct SseEvent {
  std::string_view event;  // empty means "message"
  std::string_view data;   // the data lines joined by LF
  std::string_view id;     // the stream's last event id, this event's included
};

class SseParser {
 public:
  explicit SseParser(size_t max_event_bytes = 8 * 1024 * 1024) : max_event_bytes_(max_event_bytes) {}

  // Calls on_event(const SseEvent&) for each complete event; its views are valid during the call only, and point
  // into `bytes` when the whole event lies there. on_event returns void, or a Status whose error ends feed().
  // kUpstream when one event exceeds the limit. After an error the parser must not be used.
  template <class F>
  Status feed(std::string_view bytes, F&& on_event) {
    const char* at = bytes.data();
    const char* end = at + bytes.size();
    if (bom_ >= 0) at = skip_bom(at, end);
    if (skip_lf_ && at < end) {
      at += *at == '\n';
      skip_lf_ = false;
    }
    const char* cr = find(at, end, '\r');
    while (at < end) {
      const char* stop = find(at, cr, '\n');  // cr when there is no LF before it
      if (stop == end) break;
      std::string_view line(at, size_t(stop - at));
      at = stop + 1;
      if (stop == cr) {
        if (at == end) skip_lf_ = true;
        else if (*at == '\n') ++at;
        cr = find(at, end, '\r');
      }
      if (event_bytes_ + partial_.size() + line.size() > max_event_bytes_) return too_large();
      bool ready = partial_.empty() ? take_line(line) : take_partial(line);
      if (!ready) continue;
      SseEvent event{event_, data_owned_ ? std::string_view(data_) : data_view_, id_};
      if constexpr (std::is_void_v<std::invoke_result_t<F&, const SseEvent&>>) {
        on_event(event);
      } else if (Status status = on_event(event); !status) {
        return status;
      }
      reset_event();
    }
    if (at < end) partial_.append(at, size_t(end - at));
    if (has_data_ && !data_owned_) own_data();
    if (event_bytes_ + partial_.size() > max_event_bytes_) return too_large();
    return {};
  }

  // True when the bytes so far end inside an event; at the end of a stream it is to be discarded, which for a
  // model's reply means that it was cut.
  bool finish() const { return !partial_.empty() || event_bytes_ > 0; }

  uint64_t comments() const { return comments_; }  // comment lines so far (pings)
  int64_t retry_ms() const { return retry_ms_; }   // the last `retry` field, -1 before one

 private:
  static const char* find(const char* from, const char* to, char c) {
    const void* at = from < to ? std::memchr(from, c, size_t(to - from)) : nullptr;
    return at ? static_cast<const char*>(at) : to;
  }
  const char* skip_bom(const char* at, const char* end);
  // Takes one line without its end. True when it completes an event that has data.
  bool take_line(std::string_view line);
  bool take_partial(std::string_view rest);
  void add_data(std::string_view value);
  void own_data();
  void reset_event();
  Status too_large() const;

  size_t max_event_bytes_;
  std::string partial_;         // an unfinished line
  std::string_view data_view_;  // the only data line so far, inside the fed bytes; else:
  std::string data_;            // the data lines, joined
  std::string event_;
  std::string id_;
  size_t event_bytes_ = 0;  // of the lines of the current event
  bool has_data_ = false;
  bool data_owned_ = false;
  bool skip_lf_ = false;  // the last feed ended in CR
  int bom_ = 0;           // bytes seen of the byte order mark, -1 once past the start of the stream
  uint64_t comments_ = 0;
  int64_t retry_ms_ = -1;
};

}  // namespace ajar
