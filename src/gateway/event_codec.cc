#include "gateway/event_codec.h"

#include "base/varint.h"

namespace ajar {
namespace {

// Which members follow; most events have one or two.
enum Has : uint32_t {
  kFinish = 1 << 0, kOrigin = 1 << 1, kRedacted = 1 << 2, kChoice = 1 << 3, kIndex = 1 << 4, kCreated = 1 << 5, kText = 1 << 6,
  kId = 1 << 7, kName = 1 << 8, kRaw = 1 << 9, kTop = 1 << 10, kChoiceExtra = 1 << 11, kPart = 1 << 12, kUsage = 1 << 13,
  kAll = (1 << 14) - 1,
};

// Every number of a usage, in a fixed order.
template <class U, class F>
void each_number(U& u, F f) {
  f(u.input), f(u.output), f(u.cached_read), f(u.cached_write), f(u.cached_write_1h), f(u.reasoning), f(u.audio_input);
  f(u.audio_output), f(u.images), f(u.characters), f(u.audio_ms), f(u.searches);
}

void write_event(std::string& out, const Event& e) {
  uint32_t has = 0;
  const auto mark = [&](bool present, Has bit) { has |= present ? bit : 0u; };
  mark(e.finish != Finish::kNone, kFinish), mark(e.origin != DialectId::kNone, kOrigin), mark(e.redacted, kRedacted);
  mark(e.choice != 0, kChoice), mark(e.index != 0, kIndex), mark(e.created != 0, kCreated), mark(!e.text.empty(), kText);
  mark(!e.id.empty(), kId), mark(!e.name.empty(), kName), mark(!e.raw.empty(), kRaw), mark(!e.top_extra.empty(), kTop);
  mark(!e.choice_extra.empty(), kChoiceExtra), mark(!e.part_extra.empty(), kPart), mark(e.kind == Event::Kind::kUsage, kUsage);
  put_varint(out, uint64_t(e.kind)), put_varint(out, has);
  if (has & kFinish) put_varint(out, uint64_t(e.finish));
  if (has & kOrigin) put_varint(out, uint64_t(e.origin));
  if (has & kChoice) put_varint(out, uint64_t(e.choice));
  if (has & kIndex) put_varint(out, uint64_t(e.index));
  if (has & kCreated) put_varint(out, uint64_t(e.created));
  if (has & kText) put_text(out, e.text);
  if (has & kId) put_text(out, e.id);
  if (has & kName) put_text(out, e.name);
  if (has & kRaw) put_text(out, e.raw);
  if (has & kTop) put_text(out, e.top_extra);
  if (has & kChoiceExtra) put_text(out, e.choice_extra);
  if (has & kPart) put_text(out, e.part_extra);
  if (has & kUsage) {
    each_number(e.usage, [&](int64_t n) { put_varint(out, uint64_t(n)); });
    put_varint(out, e.usage.reported);
  }
}

Event read_event(VarintReader& in) {
  Event e;
  e.kind = Event::Kind(in.below(uint64_t(Event::Kind::kExtra) + 1));
  const uint64_t has = in.below(kAll + 1);
  if (has & kFinish) e.finish = Finish(in.below(uint64_t(Finish::kError) + 1));
  if (has & kOrigin) e.origin = DialectId(in.below(uint64_t(DialectId::kOpenAiCompletions) + 1));
  e.redacted = has & kRedacted;
  if (has & kChoice) e.choice = int32_t(in.below(INT32_MAX));
  if (has & kIndex) e.index = int32_t(in.below(INT32_MAX));
  if (has & kCreated) e.created = int64_t(in.below(INT64_MAX));
  if (has & kText) e.text = in.text();
  if (has & kId) e.id = in.text();
  if (has & kName) e.name = in.text();
  if (has & kRaw) e.raw = in.text();
  if (has & kTop) e.top_extra = in.text();
  if (has & kChoiceExtra) e.choice_extra = in.text();
  if (has & kPart) e.part_extra = in.text();
  if (has & kUsage) {
    each_number(e.usage, [&](int64_t& n) { n = int64_t(in.below(INT64_MAX)); });
    e.usage.reported = in.below(2) != 0;
  }
  return e;
}

bool joins(const Event& a, const Event& b) {
  using Kind = Event::Kind;
  if (a.kind != b.kind || (a.kind != Kind::kText && a.kind != Kind::kThought && a.kind != Kind::kRefusal && a.kind != Kind::kToolArgs)) return false;
  const auto plain = [](const Event& e) { return e.raw.empty() && e.top_extra.empty() && e.choice_extra.empty() && e.part_extra.empty(); };
  return a.choice == b.choice && a.index == b.index && a.id == b.id && a.name == b.name && a.origin == b.origin &&
         a.redacted == b.redacted && plain(a) && plain(b) && a.text.size() + b.text.size() <= EventWriter::kMaxJoined;
}

}  // namespace

void EventWriter::add(const Event& event) {
  if (has_pending_ && joins(pending_, event)) {
    pending_.text += event.text;
    return;
  }
  flush();
  pending_ = event;
  has_pending_ = true;
}

void EventWriter::flush() {
  if (has_pending_) write_event(out_, pending_);
  has_pending_ = false;
}

std::string EventWriter::take() {
  flush();
  pending_ = {};
  return std::exchange(out_, {});
}

Result<EventBatch> read_events(std::string_view bytes) {
  VarintReader in(bytes);
  EventBatch events;
  while (!in.empty()) {
    events.push_back(read_event(in));
    if (!in.good()) return fail(Code::kInvalid, "the bytes of a kept reply are damaged");
  }
  return events;
}

}  // namespace ajar
