#pragma once
// A reply is the fold of its events; a non-streaming answer is fold(stream), never a second code path.

#include <string>
#include <vector>

#include "core/event.h"

namespace ajar {

struct Choice {
  // In order of arrival: kText, kRefusal, kThought, kToolCall, kImage/kAudio (media), kOpaque. Adjacent text
  // fragments of one item, or of one block where the provider's answer has several in a row, are one part. A text part
  // also has its own annotations and log probabilities (`raw`), comma-separated, which the choice's lists repeat, and
  // its maker's own form of the annotations (`citations`).
  std::vector<Part> parts;
  Finish finish = Finish::kNone;
  std::string native_finish;
  std::string stop_sequence;
  std::string logprobs;           // comma-separated items, or empty
  std::vector<RawJson> annotations;
  RawMembers extra;               // of the choice
  RawMembers message_extra;       // of the message

  std::string text() const;  // all kText parts together
};

struct Reply {
  std::string id;
  std::string model;
  int64_t created = 0;
  std::vector<Choice> choices;  // always at least one once folded
  Usage usage;
  RawMembers usage_extra;  // unknown members of the provider's usage (cost, ...)
  DialectId origin = DialectId::kNone;
  RawMembers extra;
};

// Folds events in order. Repeated extra members keep the last value.
class Fold {
 public:
  void add(const Event& event);
  void add(const EventBatch& events) {
    for (const Event& event : events) add(event);
  }
  const Reply& reply() const { return reply_; }
  Reply take();
  size_t bytes() const { return bytes_; }  // text held, for bounding memory

 private:
  Choice& choice(int index);
  Part& open(Choice& choice, Part::Kind kind, const Event& event);
  Part* find_call(Choice& choice, int index);
  void add_item_members(Choice& choice, const Event& event);
  struct OpenCall { int choice; int index; size_t part; };

  Reply reply_;
  std::vector<OpenCall> calls_;
  size_t bytes_ = 0;
  std::vector<int32_t> open_index_;  // per choice: Event::index of the part that was opened last
};

// The events that a whole reply stands for: fold(unfold(reply)) == reply.
EventBatch unfold(const Reply& reply);

// Merges raw members, later ones replacing earlier ones of the same name (lists of reasoning_details grow).
void merge_members(RawMembers& into, const RawMembers& later);

}  // namespace ajar
