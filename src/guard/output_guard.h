#pragma once
// Judges the events of an answer while they pass. One per reply, fed with its batches in order, by one thread at a
// time; a non-streaming answer is the fold of what it lets pass, so both get the same verdict, however the stream is
// cut.
//
// How much is held is the strictest mode of the route's output policies:
//   observe: nothing; reasons are recorded.
//   window:  text that may still be part of a match. Arguments of calls until their choice stops, since nobody can use
//   a part of them. block:   all of a choice until it stops.
// A refused choice ends where the match begins: kStop with Finish::kContentFilter (`name` = the policy), and nothing
// more of it passes.

#include <map>
#include <memory>
#include <string>

#include "core/event.h"
#include "guard/detection.h"
#include "guard/policy.h"

namespace ajar::guard {

class OutputGuard {
 public:
  static constexpr size_t kMaxHeldBytes = 8 << 20;  // of a choice in block mode, or of arguments; more is refused

  explicit OutputGuard(std::shared_ptr<const Guard> guard);
  ~OutputGuard();

  // Rewrites the batch in place: what may pass now.
  void judge(EventBatch& events);
  // The stream has ended; what is still held is judged as it stands.
  void finish(EventBatch& events);
  const Verdict& verdict() const { return verdict_; }
  // All choices that have begun were refused: the upstream may be cut.
  bool refused() const;

  struct Stats {
    size_t held_most = 0;  // bytes of text held back at once by one channel
    int64_t texts = 0;     // bytes judged
  };
  const Stats& stats() const { return stats_; }

 private:
  struct Channel;
  struct Choice;
  Choice& choice(int32_t index);
  Channel& channel(Choice& choice, const Event& event);
  void pass(Choice& choice, Event event, EventBatch& out);
  void text(Choice& choice, Event event, EventBatch& out);
  void end_channel(Choice& choice, Channel& channel, EventBatch& out);
  void end_choice(Choice& choice, EventBatch& out);
  void refuse(Choice& choice, EventBatch& out);
  bool release(Choice& choice, Channel& channel, std::string_view piece, bool ends, EventBatch& out);

  std::shared_ptr<const Guard> guard_;
  const Detectors* detectors_;  // null: no output policies
  std::map<int32_t, std::unique_ptr<Choice>> choices_;
  Verdict verdict_;
  Stats stats_;
};

}  // namespace ajar::guard
