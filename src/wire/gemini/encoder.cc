#include "wire/gemini/encoder.h"

#include "json/write.h"
#include "wire/fields.h"
#include "wire/gemini/gemini.h"
#include "wire/gemini/reply_out.h"
#include "wire/gemini/signature.h"

namespace ajar::wire::gemini {

using Kind = Event::Kind;

// What comes together is one response, so that a short answer is one as it is Gemini's.
void Encoder::encode(const EventBatch& events, std::string& out) {
  for (size_t at = 0; at < events.size(); ++at) event(events, at, out);
  flush(out);
}

Encoder::Candidate& Encoder::candidate(int32_t choice) {
  const size_t at = choice < 0 ? 0 : size_t(choice);
  if (candidates_.size() <= at) candidates_.resize(at + 1);
  return candidates_[at];
}

std::string& Encoder::parts(int32_t choice, std::string& out) {
  if (choice != choice_) flush(out);
  choice_ = choice;
  return parts_;
}

void Encoder::event(const EventBatch& events, size_t& at, std::string& out) {
  const Event& event = events[at];
  if (origin_ == DialectId::kNone) origin_ = event.origin;
  const bool own = event.origin == DialectId::kGemini;
  // A signature that follows at once stands on the part itself.
  const auto signature = [&]() -> std::string {
    if (at + 1 >= events.size()) return {};
    const Event& next = events[at + 1];
    if (next.kind != Kind::kThoughtEnd || next.choice != event.choice || next.redacted) return {};
    ++at;
    candidate(event.choice).in_thought = false;
    return mark_signature(next.origin, false, next.text);
  };
  switch (event.kind) {
    case Kind::kStart:
      if (any_) return;
      id_ = event.id;
      model_ = event.name;
      origin_ = event.origin;
      if (own) start_extra_ = event.top_extra;
      return;
    case Kind::kUsage:
      usage_.merge(event.usage);
      usage_seen_ = true;
      if (own) merge_members(usage_extra_, event.part_extra);
      return;
    case Kind::kText:
    case Kind::kRefusal:
    case Kind::kThought: {
      say_calls(event.choice, true, out);
      candidate(event.choice).in_thought = event.kind == Kind::kThought;
      std::string_view text = event.text;
      std::string joined;
      while (at + 1 < events.size() && events[at + 1].kind == event.kind && events[at + 1].choice == event.choice) {
        if (joined.empty()) joined = event.text;
        text = joined += events[++at].text;
      }
      add_text(parts(event.choice, out), text, event.kind == Kind::kThought, signature());
      return;
    }
    case Kind::kThoughtEnd: {
      say_calls(event.choice, true, out);
      Candidate& candidate = this->candidate(event.choice);
      const std::string mark = mark_signature(event.origin, event.redacted, event.redacted ? event.raw : event.text);
      add_text(parts(event.choice, out), "", candidate.in_thought || event.redacted, mark);
      candidate.in_thought = false;
      return;
    }
    case Kind::kToolCall: {
      Candidate& candidate = this->candidate(event.choice);
      candidate.in_thought = false;
      Call& call = candidate.calls.emplace_back();
      call.index = event.index;
      call.id = event.id;
      call.name = event.name;
      call.own = origin_ == DialectId::kGemini;
      if (own) call.signature = event.text;
      return say_calls(event.choice, false, out);
    }
    case Kind::kToolArgs:
      for (Call& call : candidate(event.choice).calls) {
        if (call.index != event.index) continue;
        call.arguments += event.text;
        call.json.feed(event.text);
      }
      return say_calls(event.choice, false, out);
    case Kind::kMedia:
      say_calls(event.choice, true, out);
      add_media(parts(event.choice, out), event.name, event.text, signature());
      return;
    case Kind::kOpaque: {
      if (!own) return;
      say_calls(event.choice, true, out);
      std::string& list = parts(event.choice, out);
      if (!list.empty()) list.push_back(',');
      list += event.raw;
      return;
    }
    case Kind::kLogprobs:
      parts(event.choice, out);
      if (!logprobs_.empty() && !event.raw.empty()) logprobs_.push_back(',');
      logprobs_ += event.raw;
      return;
    case Kind::kStop: {
      say_calls(event.choice, true, out);
      Candidate& candidate = this->candidate(event.choice);
      candidate.finish = event.finish;
      if (own) {
        candidate.native_finish = event.name;
        candidate.extra = event.choice_extra;
      }
      return;
    }
    case Kind::kAnnotation:  // Gemini's own are in groundingMetadata
    case Kind::kExtra:
      return;
  }
}

void Encoder::say_calls(int32_t choice, bool all, std::string& out) {
  std::vector<Call>& calls = candidate(choice).calls;
  size_t said = 0;
  while (said < calls.size() && (all || calls[said].json.reached())) {
    const Call& call = calls[said++];
    add_call(parts(choice, out), call.name, call.arguments, call.id, call.signature, call.own);
  }
  calls.erase(calls.begin(), calls.begin() + std::ptrdiff_t(said));
}

// Writes the parts that wait.
void Encoder::flush(std::string& out) {
  if (parts_.empty() && logprobs_.empty()) return;
  std::string candidate;
  json::Writer w(candidate);
  w.begin_object();
  w.raw_field("content", "{\"parts\":[" + parts_ + "],\"role\":\"model\"}");
  w.field("index", int64_t(choice_));
  if (!logprobs_.empty()) w.raw_field("logprobsResult", logprobs_result(logprobs_));
  w.end_object();
  parts_.clear();
  logprobs_.clear();
  chunk(candidate, false, {}, out);
}

void Encoder::chunk(std::string_view candidates, bool usage, const RawMembers& more, std::string& out) {
  std::string json;
  json::Writer w(json);
  w.begin_object();
  if (!candidates.empty()) {
    w.key("candidates");
    w.begin_array();
    w.members(candidates);
    w.end_array();
  }
  w.members(more);
  if (usage) {
    w.key("usageMetadata");
    write_usage(w, usage_, usage_extra_);
  }
  w.field("modelVersion", model_.empty() ? options_.model : model_);
  if (const std::string& id = id_.empty() ? options_.id : id_; !id.empty()) w.field("responseId", id);
  w.members(start_extra_);
  w.end_object();
  frame(json, out);
}

void Encoder::frame(std::string_view json, std::string& out) {
  if (array_) {
    out += any_ ? "\n,\n" : "[";
    out += json;
  } else {
    out.append("data: ").append(json).append("\n\n");
  }
  any_ = true;
}

// The reason to finish is held back until it is sure that the reply did.
void Encoder::finish(StreamEnd end, const Error* error, std::string& out) {
  if (end != StreamEnd::kComplete) {
    Error told = error != nullptr
                     ? *error
                     : Error{.code = Code::kUpstream, .message = "the stream did not end properly"};
    if (end == StreamEnd::kCut) told.code = Code::kCut;
    if (end == StreamEnd::kFiltered && told.code != Code::kBudget) told.code = Code::kFiltered;
    frame(write_error(told, 200, options_.id), out);
  } else {
    if (candidates_.empty()) candidate(0);
    for (size_t c = 0; c < candidates_.size(); ++c) say_calls(int32_t(c), true, out);
    flush(out);
    std::string list;
    RawMembers feedback;
    for (size_t c = 0; c < candidates_.size(); ++c) {
      const Candidate& candidate = candidates_[c];
      if (has_member(candidate.extra, "promptFeedback")) {  // there is no answer, only why
        feedback = candidate.extra;
        continue;
      }
      if (!list.empty()) list.push_back(',');
      json::Writer w(list);
      w.begin_object();
      w.raw_field("content", R"({"parts":[{"text":""}],"role":"model"})");
      w.field("finishReason", finish_reason(candidate.finish, candidate.native_finish));
      w.field("index", int64_t(c));
      w.members(candidate.extra);
      w.end_object();
    }
    chunk(list, usage_seen_, feedback, out);
  }
  if (array_) out += "]";
}

}  // namespace ajar::wire::gemini
