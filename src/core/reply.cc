#include "core/reply.h"

#include <algorithm>

#include "json/members.h"
#include "json/read.h"
#include "json/write.h"

namespace ajar {

std::string Choice::text() const {
  std::string out;
  for (const Part& part : parts) {
    if (part.kind == Part::Kind::kText) out += part.text;
  }
  return out;
}

namespace {

std::string joined_lists(std::string_view head, std::string_view tail) {
  if (head == "[]" || tail == "[]") return std::string(head == "[]" ? tail : head);
  return std::string(head.substr(0, head.size() - 1)).append(",").append(tail.substr(1));
}

}  // namespace

void merge_members(RawMembers& into, const RawMembers& later) {
  if (later.empty()) return;
  if (later == into && later.find("\"reasoning_details\"") == later.npos) return;
  if (into.empty()) {
    into = later;
    return;
  }
  std::vector<json::Member> fresh;
  for (std::string_view rest = later; const auto member = json::next_member(rest);) fresh.push_back(*member);
  RawMembers merged;
  merged.reserve(into.size() + later.size() + 1);
  const auto append = [&](std::string_view key, std::string_view value) {
    if (!merged.empty()) merged.push_back(',');
    merged.append(key).append(":").append(value);
  };
  std::string details;
  for (std::string_view rest = into; const auto old = json::next_member(rest);) {
    const auto replaced = std::ranges::find(fresh, old->key, &json::Member::key);
    if (replaced == fresh.end()) append(old->key, old->value);
    // The one list that comes in pieces: OpenRouter's clients send all of it back.
    else if (old->key == "\"reasoning_details\"" && old->value.starts_with('[') && replaced->value.starts_with('['))
      details = joined_lists(old->value, replaced->value), replaced->value = details;
  }
  for (const json::Member& member : fresh) append(member.key, member.value);
  into = std::move(merged);
}

Choice& Fold::choice(int index) {
  const size_t wanted = size_t(index < 0 ? 0 : index);
  if (reply_.choices.size() <= wanted) reply_.choices.resize(wanted + 1);
  return reply_.choices[wanted];
}

// The last part if it is of this kind, of this item or block and still open, otherwise a new one.
Part& Fold::open(Choice& choice, Part::Kind kind, const Event& event) {
  const size_t at = size_t(&choice - reply_.choices.data());
  if (open_index_.size() <= at) open_index_.resize(at + 1);
  const bool ends = event.kind == Event::Kind::kThoughtEnd;
  if (!choice.parts.empty()) {
    Part& last = choice.parts.back();
    const bool closed = kind == Part::Kind::kThought && (!last.signature.empty() || last.redacted);
    // Blocks of text have numbers; blocks of other kinds only where they belong to an item.
    const bool numbered = !event.id.empty() || kind == Part::Kind::kText;
    const bool same_item = event.id.empty() || (last.id == event.id && (ends || last.detail == event.name));
    const bool same_block = ends || !numbered || open_index_[at] == event.index;
    if (last.kind == kind && same_item && same_block && !closed) return last;
  }
  Part& part = choice.parts.emplace_back(Part{.kind = kind});
  part.id = event.id;
  if (!event.id.empty() && !ends) part.detail = event.name;
  open_index_[at] = event.index;
  return part;
}

static Part* last_text(Choice& choice) {
  for (auto part = choice.parts.rbegin(); part != choice.parts.rend(); ++part) {
    if (part->kind == Part::Kind::kText) return &*part;
  }
  return nullptr;
}

static void append_raw(std::string& list, const std::string& raw) {
  if (!list.empty() && !raw.empty()) list.push_back(',');
  list += raw;
}

// Members of an item go to its last part. An item that said nothing leaves an empty one.
void Fold::add_item_members(Choice& choice, const Event& event) {
  for (auto part = choice.parts.rbegin(); part != choice.parts.rend(); ++part) {
    if (part->id == event.id) return merge_members(part->extra, event.part_extra);
  }
  if (event.finish == Finish::kNone) return;
  if (event.name != "message" && event.name != "reasoning") return;
  Part& part = choice.parts.emplace_back(
      Part{.kind = event.name == "message" ? Part::Kind::kText : Part::Kind::kThought, .origin = event.origin});
  part.id = event.id;
  part.extra = event.part_extra;
}

Part* Fold::find_call(Choice& choice, int index) {
  const int which = int(&choice - reply_.choices.data());
  for (const OpenCall& call : calls_) {
    if (call.choice == which && call.index == index) return &choice.parts[call.part];
  }
  return nullptr;
}

void Fold::add(const Event& event) {
  bytes_ += event.text.size() + event.raw.size() + event.top_extra.size() + event.choice_extra.size() +
            event.part_extra.size();
  // A signature inside the reply may be another's; the reply is of who began it.
  if (reply_.origin == DialectId::kNone || event.kind == Event::Kind::kStart) reply_.origin = event.origin;
  merge_members(reply_.extra, event.top_extra);
  if (event.kind == Event::Kind::kStart) {
    reply_.id = event.id;
    reply_.model = event.name;
    reply_.created = event.created;
    return;
  }
  if (event.kind == Event::Kind::kUsage) {
    reply_.usage.merge(event.usage);
    merge_members(reply_.usage_extra, event.part_extra);
    return;
  }
  Choice& choice = this->choice(event.choice);
  merge_members(choice.extra, event.choice_extra);
  const bool of_item = !event.id.empty() && (event.kind == Event::Kind::kExtra || event.kind == Event::Kind::kThoughtEnd);
  const bool on_part = event.kind == Event::Kind::kToolCall || event.kind == Event::Kind::kToolArgs || of_item;
  if (!on_part) merge_members(choice.message_extra, event.part_extra);

  switch (event.kind) {
    case Event::Kind::kText: open(choice, Part::Kind::kText, event).text += event.text; break;
    case Event::Kind::kRefusal: open(choice, Part::Kind::kRefusal, event).text += event.text; break;
    case Event::Kind::kThought: open(choice, Part::Kind::kThought, event).text += event.text; break;
    case Event::Kind::kThoughtEnd: {
      Part& thought = event.redacted ? choice.parts.emplace_back(Part{.kind = Part::Kind::kThought})
                                     : open(choice, Part::Kind::kThought, event);
      if (of_item) merge_members(thought.extra, event.part_extra);
      thought.signature = event.text;
      thought.redacted = event.redacted;
      thought.data = event.raw;
      thought.origin = event.origin;
      break;
    }
    case Event::Kind::kToolCall: {
      Part call{.kind = Part::Kind::kToolCall, .origin = event.origin};
      call.id = event.id;
      call.name = event.name;
      call.signature = event.text;
      call.extra = event.part_extra;
      choice.parts.push_back(std::move(call));
      calls_.push_back({int(&choice - reply_.choices.data()), event.index, choice.parts.size() - 1});
      break;
    }
    case Event::Kind::kToolArgs:
      if (Part* call = find_call(choice, event.index)) call->arguments += event.text;
      break;
    case Event::Kind::kMedia: {
      const bool audio = event.name.starts_with("audio/");
      Part media{.kind = audio ? Part::Kind::kAudio : Part::Kind::kImage};
      media.media_type = event.name;
      media.data = event.text;
      choice.parts.push_back(std::move(media));
      break;
    }
    case Event::Kind::kLogprobs:
      append_raw(choice.logprobs, event.raw);
      if (Part* text = last_text(choice)) append_raw(text->raw, event.raw);
      break;
    case Event::Kind::kAnnotation:
      choice.annotations.push_back(event.raw);
      if (Part* text = last_text(choice)) {
        append_raw(text->annotations, event.raw);
        if (event.text.empty()) break;
        if (text->citations.empty()) {
          text->citations = "[" + event.text + "]";
        } else {
          text->citations.back() = ',';
          text->citations.append(event.text).push_back(']');
        }
        text->origin = event.origin;
      }
      break;
    case Event::Kind::kOpaque: {
      if (!event.id.empty()) {
        const auto known = std::ranges::find_if(choice.parts, [&](const Part& part) {
          return part.kind == Part::Kind::kOpaque && part.id == event.id;
        });
        if (known != choice.parts.end()) {
          known->raw = event.raw;
          break;
        }
      }
      Part opaque{.kind = Part::Kind::kOpaque, .origin = event.origin};
      opaque.raw = event.raw;
      opaque.id = event.id;
      choice.parts.push_back(std::move(opaque));
      break;
    }
    case Event::Kind::kStop:
      choice.finish = event.finish;
      choice.native_finish = event.name;
      choice.stop_sequence = event.text;
      break;
    case Event::Kind::kExtra:
      if (of_item) add_item_members(choice, event);
      break;
    case Event::Kind::kStart:
    case Event::Kind::kUsage: break;
  }
}

Reply Fold::take() {
  if (reply_.choices.empty()) reply_.choices.resize(1);
  for (Choice& choice : reply_.choices) {
    for (Part& part : choice.parts) {
      if (part.kind == Part::Kind::kToolCall && part.arguments.empty()) part.arguments = "{}";
    }
  }
  calls_.clear();
  return std::move(reply_);
}

namespace {

std::vector<std::string> items_of(const RawJson& list) {
  std::vector<std::string> out;
  if (list.empty()) return out;
  json::Document document;
  const auto value = document.parse(list);
  const auto items = value ? json::as_array(*value) : std::nullopt;
  if (!items) return out;
  for (const json::Value item : *items) out.push_back(json::raw(item));
  return out;
}

}  // namespace

EventBatch unfold(const Reply& reply) {
  using Kind = Event::Kind;
  EventBatch out;
  const auto emit = [&](Kind kind, int choice) -> Event& {
    Event& event = out.emplace_back();
    event.kind = kind;
    event.choice = choice;
    event.origin = reply.origin;
    return event;
  };
  Event& start = emit(Kind::kStart, 0);
  start.id = reply.id;
  start.name = reply.model;
  start.created = reply.created;
  start.top_extra = reply.extra;
  for (int c = 0; c < int(reply.choices.size()); ++c) {
    const Choice& choice = reply.choices[size_t(c)];
    int calls = 0, texts = 0, index = 0;
    bool logprobs = false;
    size_t annotations = 0;
    const auto annotate = [&](std::string text, DialectId origin) {
      Event& event = emit(Kind::kAnnotation, c);
      event.raw = choice.annotations[annotations++];
      event.text = std::move(text);
      event.origin = origin;
    };
    // Lists of raw members that we joined ourselves.
    const auto annotate_text = [&](const Part& part) {
      std::vector<std::string> theirs = items_of(part.citations);
      size_t at = 0;
      for (std::string_view rest = part.annotations; annotations < choice.annotations.size() && !rest.empty(); ++at) {
        const RawJson& next = choice.annotations[annotations];
        if (!rest.starts_with(next)) break;
        rest.remove_prefix(std::min(rest.size(), next.size() + 1));
        annotate(at < theirs.size() ? std::move(theirs[at]) : std::string(), at < theirs.size() ? part.origin : reply.origin);
      }
    };
    for (size_t p = 0; p < choice.parts.size(); ++p) {
      const Part& part = choice.parts[p];
      const Part* before = p > 0 ? &choice.parts[p - 1] : nullptr;
      const Part* after = p + 1 < choice.parts.size() ? &choice.parts[p + 1] : nullptr;
      index = before != nullptr && before->id == part.id && before->detail == part.detail ? index + 1 : 0;
      const auto say = [&](Kind kind) {
        if (part.text.empty() && (!part.id.empty() || kind == Kind::kThought)) return;
        Event& event = emit(kind, c);
        event.text = part.text;
        event.id = part.id;
        if (!part.id.empty()) event.index = index, event.name = part.detail;
        else if (kind == Kind::kText) event.index = texts;
      };
      // The end of an item, where it has an id.
      const auto end_item = [&](std::string_view sort) {
        if (part.id.empty() || (after != nullptr && after->id == part.id)) return;
        Event& end = emit(Kind::kExtra, c);
        end.id = part.id;
        end.name = sort;
        end.finish = Finish::kStop;
        end.part_extra = part.extra;
      };
      switch (part.kind) {
        case Part::Kind::kText:
          if (before != nullptr && before->kind == Part::Kind::kText) ++texts;
          say(Kind::kText);
          if (!part.raw.empty()) emit(Kind::kLogprobs, c).raw = part.raw, logprobs = true;
          annotate_text(part);
          end_item("message");
          break;
        case Part::Kind::kRefusal:
          say(Kind::kRefusal);
          end_item("message");
          break;
        case Part::Kind::kThought: {
          say(Kind::kThought);
          if (part.signature.empty() && !part.redacted) {
            end_item("reasoning");
            break;
          }
          Event& end = emit(Kind::kThoughtEnd, c);
          end.id = part.id;
          if (!part.id.empty()) end.part_extra = part.extra;
          end.text = part.signature;
          end.redacted = part.redacted;
          end.raw = part.data;
          end.origin = part.origin;
          break;
        }
        case Part::Kind::kToolCall: {
          Event& call = emit(Kind::kToolCall, c);
          call.index = calls;
          call.id = part.id;
          call.name = part.name;
          call.text = part.signature;
          call.part_extra = part.extra;
          call.origin = part.origin;
          Event& args = emit(Kind::kToolArgs, c);
          args.index = calls++;
          args.text = part.arguments;
          break;
        }
        case Part::Kind::kImage:
        case Part::Kind::kAudio:
        case Part::Kind::kFile: {
          Event& media = emit(Kind::kMedia, c);
          media.name = part.media_type;
          media.text = part.data;
          break;
        }
        case Part::Kind::kOpaque: {
          Event& opaque = emit(Kind::kOpaque, c);
          opaque.raw = part.raw;
          opaque.id = part.id;
          if (!part.id.empty()) opaque.finish = Finish::kStop;
          opaque.origin = part.origin;
          break;
        }
        case Part::Kind::kToolResult: break;  // not something a model says
      }
    }
    if (!choice.logprobs.empty() && !logprobs) emit(Kind::kLogprobs, c).raw = choice.logprobs;
    while (annotations < choice.annotations.size()) annotate({}, reply.origin);
    Event& stop = emit(Kind::kStop, c);
    stop.finish = choice.finish;
    stop.name = choice.native_finish;
    stop.text = choice.stop_sequence;
    stop.choice_extra = choice.extra;
    stop.part_extra = choice.message_extra;
  }
  if (reply.usage.reported) {
    Event& usage = emit(Kind::kUsage, 0);
    usage.usage = reply.usage;
    usage.part_extra = reply.usage_extra;
  }
  return out;
}

}  // namespace ajar
