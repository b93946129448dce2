#include "guard/output_guard.h"

#include <algorithm>
#include <list>

#include "guard/json_text.h"

namespace ajar::guard {

using Kind = Event::Kind;

// One run of text within a choice: an answer's text, a thought, a refusal, or the arguments of a call.
struct OutputGuard::Channel {
  Event form;  // kind, place and members of its fragments, without text
  std::string where;
  TextJudge judge;
  std::string pending;  // not yet passed; arguments: all of them
  size_t passed = 0;    // bytes that were decided, before rewriting
  bool is(const Event& e) const { return form.kind == e.kind && form.index == e.index && form.id == e.id; }
};

struct OutputGuard::Choice {
  int32_t index = 0;
  bool refused = false, stopped = false;
  std::list<Channel> open;
  EventBatch held;  // block mode: everything of this choice, in order
  size_t held_bytes = 0;
  std::string whole;  // its text, where a check needs all of it
};

namespace {

bool is_text(Kind kind) {
  return kind == Kind::kText || kind == Kind::kThought || kind == Kind::kRefusal || kind == Kind::kToolArgs;
}
// Members of the stream rather than of a choice.
bool is_common(Kind kind) { return kind == Kind::kStart || kind == Kind::kUsage; }

std::string where_of(const Event& event) {
  std::string where = "choices[" + std::to_string(event.choice) + "].";
  if (event.kind == Kind::kToolArgs) return where + "tool_calls[" + std::to_string(event.index) + "].arguments";
  return where + (event.kind == Kind::kThought ? "thought" : event.kind == Kind::kRefusal ? "refusal" : "text");
}

}  // namespace

OutputGuard::OutputGuard(std::shared_ptr<const Guard> guard) : guard_(std::move(guard)), detectors_(guard_->output()) {}
OutputGuard::~OutputGuard() = default;

OutputGuard::Choice& OutputGuard::choice(int32_t index) {
  auto& slot = choices_[index];
  if (!slot) slot = std::make_unique<Choice>(), slot->index = index;
  return *slot;
}

bool OutputGuard::refused() const {
  return !choices_.empty() &&
         std::all_of(choices_.begin(), choices_.end(), [](const auto& entry) { return entry.second->refused; });
}

OutputGuard::Channel& OutputGuard::channel(Choice& choice, const Event& event) {
  for (Channel& open : choice.open) {
    if (open.is(event)) return open;
  }
  Event form{.kind = event.kind,
             .origin = event.origin,
             .choice = event.choice,
             .index = event.index,
             .id = event.id,
             .name = event.name};
  choice.open.push_back({std::move(form), where_of(event), TextJudge(*detectors_, Origin::kAssistant), {}, 0});
  return choice.open.back();
}

// Judges `piece`, passes what is decided. False: refused.
bool OutputGuard::release(Choice& choice, Channel& channel, std::string_view piece, bool ends, EventBatch& out) {
  std::vector<Hit> hits;
  channel.pending += piece;
  channel.judge.feed(piece, ends, hits);
  const size_t decided = channel.judge.decided() - channel.passed;
  std::string text;
  const std::string_view ready = std::string_view(channel.pending).substr(0, decided);
  const bool refused =
      apply_hits(*detectors_, hits, channel.where, channel.passed, ready, text, verdict_) < ready.size();
  if (!text.empty()) {
    Event event = channel.form;
    event.text = std::move(text);
    out.push_back(std::move(event));
  }
  channel.pending.erase(0, decided);
  channel.passed += decided;
  stats_.held_most = std::max(stats_.held_most, channel.pending.size());
  return !refused;
}

void OutputGuard::refuse(Choice& choice, EventBatch& out) {
  choice.refused = choice.stopped = true;
  choice.open.clear();
  choice.held.clear();
  choice.whole.clear();
  std::string policy;
  for (const Reason& reason : verdict_.reasons) {
    if (reason.mode != Mode::kObserve && (reason.action == Action::kRefuse || reason.action == Action::kClimb))
      policy = reason.policy;
  }
  out.push_back({.kind = Kind::kStop, .finish = Finish::kContentFilter, .choice = choice.index, .name = policy});
}

// Window and observe: a fragment of text.
void OutputGuard::text(Choice& choice, Event event, EventBatch& out) {
  Channel& open = channel(choice, event);
  if (event.kind == Kind::kToolArgs) {
    open.pending += event.text;
    if (open.pending.size() > kMaxHeldBytes) {
      verdict_.note({detectors_->policies.front().name, "length", open.where, detectors_->strictest, Action::kRefuse,
                     open.pending.size()});
      verdict_.action = Action::kRefuse;
      return refuse(choice, out);
    }
    if (detectors_->strictest == Mode::kObserve) out.push_back(std::move(event));
    return;
  }
  if (detectors_->strictest == Mode::kObserve) {
    EventBatch nowhere;
    release(choice, open, event.text, false, nowhere);
    out.push_back(std::move(event));
    return;
  }
  const std::string piece = std::move(event.text);
  event.text.clear();
  // What comes with a fragment but is no text passes with it.
  if (!event.raw.empty() || !event.top_extra.empty() || !event.choice_extra.empty() || !event.part_extra.empty())
    out.push_back(event);
  if (!release(choice, open, piece, false, out)) refuse(choice, out);
}

void OutputGuard::end_channel(Choice& choice, Channel& channel, EventBatch& out) {
  const bool observe = detectors_->strictest == Mode::kObserve;
  EventBatch nowhere;
  if (channel.form.kind != Kind::kToolArgs) {
    if (!release(choice, channel, {}, true, observe ? nowhere : out)) refuse(choice, out);
    return;
  }
  // Arguments are judged string by string, as what they say rather than as they are escaped.
  Verdict all;
  rewrite_json(channel.pending, [&](std::string& value, std::string_view, bool) {
    std::vector<Hit> hits;
    judge_text(*detectors_, Origin::kAssistant, value, hits);
    std::string rewritten;
    Verdict one;
    apply_hits(*detectors_, hits, channel.where, 0, value, rewritten, one);
    const bool changed = one.action == Action::kRewrite && rewritten != value;
    all.merge(std::move(one));
    if (changed) value = std::move(rewritten);
    return changed;
  });
  const bool passes = all.passes();
  verdict_.merge(std::move(all));
  if (!passes) return refuse(choice, out);
  if (observe || channel.pending.empty()) return;
  Event event = channel.form;
  event.text = std::move(channel.pending);
  out.push_back(std::move(event));
}

void OutputGuard::end_choice(Choice& choice, EventBatch& out) {
  while (!choice.open.empty() && !choice.refused) {
    end_channel(choice, choice.open.front(), out);
    if (!choice.refused) choice.open.pop_front();
  }
}

// Window and observe: an event of a choice that goes on.
void OutputGuard::pass(Choice& choice, Event event, EventBatch& out) {
  // Another part ends the texts before it; arguments wait for the stop.
  for (auto it = choice.open.begin(); it != choice.open.end() && !choice.refused;) {
    const bool other = it->form.kind != Kind::kToolArgs && !it->is(event) && event.kind != Kind::kLogprobs &&
                       event.kind != Kind::kAnnotation && event.kind != Kind::kExtra;
    if (!other) {
      ++it;
      continue;
    }
    end_channel(choice, *it, out);
    if (!choice.refused) it = choice.open.erase(it);
  }
  if (choice.refused) return;
  if (is_text(event.kind)) {
    stats_.texts += static_cast<int64_t>(event.text.size());
    if (event.kind == Kind::kText && (detectors_->modelled || detectors_->schema)) choice.whole += event.text;
    return text(choice, std::move(event), out);
  }
  if (event.kind == Kind::kStop) {
    end_choice(choice, out);
    if (choice.refused) return;
    Verdict whole;
    const std::string where = "choices[" + std::to_string(choice.index) + "].text";
    if (detectors_->modelled) judge_by_models(*detectors_, choice.whole, where, whole);
    if (detectors_->schema) judge_schemas(*detectors_, choice.whole, where, whole);
    const bool passes = whole.passes();
    verdict_.merge(std::move(whole));
    if (!passes) return refuse(choice, out);
    choice.stopped = true;
  }
  out.push_back(std::move(event));
}

void OutputGuard::judge(EventBatch& events) {
  if (detectors_ == nullptr) return;
  EventBatch out;
  for (Event& event : events) {
    if (is_common(event.kind)) {
      out.push_back(std::move(event));
      continue;
    }
    Choice& of = choice(event.choice);
    if (of.refused) continue;
    if (detectors_->strictest != Mode::kBlock) {
      pass(of, std::move(event), out);
      continue;
    }
    of.held_bytes += event.text.size() + event.raw.size();
    const bool stop = event.kind == Kind::kStop;
    of.held.push_back(std::move(event));
    if (of.held_bytes > kMaxHeldBytes) {
      verdict_.note({detectors_->policies.front().name, "length", "choices[" + std::to_string(of.index) + "]",
                     Mode::kBlock, Action::kRefuse, of.held_bytes});
      verdict_.action = Action::kRefuse;
      refuse(of, out);
    } else if (stop) {
      // The same line as a window, over the whole; nothing passes unless all does.
      EventBatch held = std::move(of.held), ready;
      of.held.clear();
      for (Event& e : held) {
        if (!of.refused) pass(of, std::move(e), ready);
      }
      if (of.refused)
        out.push_back(std::move(ready.back()));
      else
        std::move(ready.begin(), ready.end(), std::back_inserter(out));
    }
  }
  events = std::move(out);
}

void OutputGuard::finish(EventBatch& events) {
  if (detectors_ == nullptr) return;
  for (auto& [index, of] : choices_) {
    if (of->refused || of->stopped) continue;
    EventBatch held = std::move(of->held), ready;
    of->held.clear();
    for (Event& e : held) {
      if (!of->refused) pass(*of, std::move(e), ready);
    }
    if (!of->refused) end_choice(*of, ready);
    if (of->refused && detectors_->strictest == Mode::kBlock)
      events.push_back(std::move(ready.back()));
    else
      std::move(ready.begin(), ready.end(), std::back_inserter(events));
  }
}

}  // namespace ajar::guard
