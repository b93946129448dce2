#pragma once
// Puts originals back into the events of an answer. One per reply, fed with its batches in order, by one thread at a
// time.
//
// Text, thoughts, refusals and arguments of calls have a state for each choice and place, so fragments of different
// calls may interleave. Only the longest end of a text that may still become a placeholder is held back, at most
// kMaxPlaceholder bytes and always ASCII, so characters are never split. It is let go by the next fragment, by what
// ends the part (a call, another block, kStop) or by finish().

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "core/event.h"
#include "guard/pseudonym.h"

namespace ajar::guard {

class Restorer {
 public:
  explicit Restorer(const Pseudonyms& map) : map_(map) {}  // `map` outlives this

  // Rewrites the batch in place: texts are restored, what was held may come as events before the one that ended it.
  void restore(EventBatch& events);
  // What is still held, as events; when the stream ends, however it ends.
  void finish(EventBatch& events);
  // A whole text. `json`: originals are escaped as inside a string literal.
  std::string restore_text(std::string_view text, bool json = false);

  struct Stats {
    int64_t restored = 0;
    int64_t unknown = 0;   // look like placeholders and are not of this conversation; left as they are
    size_t held_most = 0;  // bytes held back at once by one text
  };
  const Stats& stats() const { return stats_; }

 private:
  struct Place {
    int32_t choice;
    Event::Kind kind;
    int32_t index;
    std::string id;
    auto operator<=>(const Place&) const = default;
  };
  struct Held {
    std::string text;
    char before = ' ';  // the last byte that was let go
    Event form;         // the members of its fragments, without text
  };
  void append(std::string& out, std::string_view& text, char& before, bool json, bool ends);
  void release(std::map<Place, Held>::iterator held, EventBatch& out);
  void release_before(const Event& event, EventBatch& out);

  const Pseudonyms& map_;
  std::map<Place, Held> held_;
  Stats stats_;
};

}  // namespace ajar::guard
