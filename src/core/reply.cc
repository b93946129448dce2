#include "core/reply.h"

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

void merge_members(RawMembers& into, const RawMembers& later) {
  if (later.empty()) return;
  if (later == into && later.find("\"reasoning_details\"") == later.npos) return;
  if (into.empty()) {
    into = later;
    return;
  }
  json::Document first, second;
  const auto old_members = first.parse_object("{" + into + "}");
  const auto new_members = second.parse_object("{" + later + "}");
  if (!old_members || !new_members) return;  // ours to keep valid: nothing to merge otherwise
  RawMembers merged;
  const auto append = [&](std::string_view key, const json::Value& value) {
    if (!merged.empty()) merged.push_back(',');
    json::append_string(merged, key);
    merged.push_back(':');
    // The one list that comes in pieces: OpenRouter's clients send all of it back.
    json::Value before;
    if (key == "reasoning_details" && old_members->at_key(key).get(before) == simdjson::SUCCESS &&
        before.is_array() && value.is_array()) {
      std::string head = json::raw(before), tail = json::raw(value);
      if (head == "[]" || tail == "[]") {
        merged += head == "[]" ? tail : head;
      } else {
        head.back() = ',';
        merged.append(head).append(tail, 1);
      }
      return;
    }
    json::append_raw(merged, value);
  };
  for (const auto field : *old_members) {
    json::Value replaced;
    if (new_members->at_key(field.key).get(replaced) != simdjson::SUCCESS) append(field.key, field.value);
  }
  for (const auto field : *new_members) append(field.key, field.value);
  into = std::move(merged);
}

Choice& Fold::choice(int index) {
  const size_t wanted = size_t(index < 0 ? 0 : index);
  if (reply_.choices.size() <= wanted) reply_.choices.resize(wanted + 1);
  return reply_.choices[wanted];
}

// The last part if it is of this kind and still open, otherwise a new one.
Part& Fold::open(Choice& choice, Part::Kind kind) {
  if (choice.parts.empty() || choice.parts.back().kind != kind ||
      (kind == Part::Kind::kThought &&
       (!choice.parts.back().signature.empty() || choice.parts.back().redacted))) {
    choice.parts.push_back(Part{.kind = kind});
  }
  return choice.parts.back();
}

Part& Fold::open_text(Choice& choice, int index) {
  const size_t at = size_t(&choice - reply_.choices.data());
  if (text_index_.size() <= at) text_index_.resize(at + 1);
  const bool another = text_index_[at] != index;
  text_index_[at] = index;
  if (another) return choice.parts.emplace_back();
  return open(choice, Part::Kind::kText);
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
  const bool on_part = event.kind == Event::Kind::kToolCall || event.kind == Event::Kind::kToolArgs;
  if (!on_part) merge_members(choice.message_extra, event.part_extra);

  switch (event.kind) {
    case Event::Kind::kText: open_text(choice, event.index).text += event.text; break;
    case Event::Kind::kRefusal: open(choice, Part::Kind::kRefusal).text += event.text; break;
    case Event::Kind::kThought: open(choice, Part::Kind::kThought).text += event.text; break;
    case Event::Kind::kThoughtEnd: {
      Part& thought = event.redacted ? choice.parts.emplace_back(Part{.kind = Part::Kind::kThought})
                                     : open(choice, Part::Kind::kThought);
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
      if (!choice.logprobs.empty() && !event.raw.empty()) choice.logprobs.push_back(',');
      choice.logprobs += event.raw;
      break;
    case Event::Kind::kAnnotation: {
      choice.annotations.push_back(event.raw);
      if (event.text.empty() || choice.parts.empty() || choice.parts.back().kind != Part::Kind::kText) break;
      Part& text = choice.parts.back();
      if (text.citations.empty()) {
        text.citations = "[" + event.text + "]";
      } else {
        text.citations.back() = ',';
        text.citations.append(event.text).push_back(']');
      }
      text.origin = event.origin;
      break;
    }
    case Event::Kind::kOpaque: {
      Part opaque{.kind = Part::Kind::kOpaque, .origin = event.origin};
      opaque.raw = event.raw;
      choice.parts.push_back(std::move(opaque));
      break;
    }
    case Event::Kind::kStop:
      choice.finish = event.finish;
      choice.native_finish = event.name;
      choice.stop_sequence = event.text;
      break;
    case Event::Kind::kStart:
    case Event::Kind::kUsage:
    case Event::Kind::kExtra: break;
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
    int calls = 0, texts = 0;
    const Part* before = nullptr;
    auto annotation = choice.annotations.begin();
    const auto annotate = [&](std::string text, DialectId origin) {
      Event& event = emit(Kind::kAnnotation, c);
      event.raw = *annotation++;
      event.text = std::move(text);
      event.origin = origin;
    };
    for (const Part& part : choice.parts) {
      switch (part.kind) {
        case Part::Kind::kText: {
          if (before != nullptr && before->kind == Part::Kind::kText) ++texts;
          Event& text = emit(Kind::kText, c);
          text.text = part.text;
          text.index = texts;
          for (std::string& citation : items_of(part.citations)) {
            if (annotation != choice.annotations.end()) annotate(std::move(citation), part.origin);
          }
          break;
        }
        case Part::Kind::kRefusal: emit(Kind::kRefusal, c).text = part.text; break;
        case Part::Kind::kThought: {
          if (!part.text.empty()) emit(Kind::kThought, c).text = part.text;
          if (part.signature.empty() && !part.redacted) break;
          Event& end = emit(Kind::kThoughtEnd, c);
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
          opaque.origin = part.origin;
          break;
        }
        case Part::Kind::kToolResult: break;  // not something a model says
      }
      before = &part;
    }
    if (!choice.logprobs.empty()) emit(Kind::kLogprobs, c).raw = choice.logprobs;
    while (annotation != choice.annotations.end()) annotate({}, reply.origin);
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
