#pragma once
// A reply's events as bytes, to be kept and said again. Not a wire format: only this process and its own files read it.

#include <string>
#include <string_view>

#include "base/error.h"
#include "core/event.h"

namespace ajar {

// Appends events as they come. Neighbouring fragments of one text, thought or call are joined up to kMaxJoined bytes, so that a
// reply of single tokens does not cost an event for each.
class EventWriter {
 public:
  static constexpr size_t kMaxJoined = 512;

  void add(const EventBatch& events) {
    for (const Event& event : events) add(event);
  }
  void add(const Event& event);
  size_t bytes() const { return out_.size() + pending_.text.size(); }
  std::string take();

 private:
  void flush();
  std::string out_;
  Event pending_;
  bool has_pending_ = false;
};

// The events of what EventWriter::take gave. kInvalid: the bytes are damaged.
Result<EventBatch> read_events(std::string_view bytes);

}  // namespace ajar
