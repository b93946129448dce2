#include "guard/restorer.h"

#include <algorithm>

#include "guard/json_text.h"
#include "guard/placeholder.h"

namespace ajar::guard {
namespace {

bool is_textual(Event::Kind kind) {
  return kind == Event::Kind::kText || kind == Event::Kind::kRefusal || kind == Event::Kind::kThought ||
         kind == Event::Kind::kToolArgs;
}

}  // namespace

// Moves what is decided from `text` to `out`. `ends`: nothing follows, so everything is decided.
void Restorer::append(std::string& out, std::string_view& text, char& before, bool json, bool ends) {
  const auto let_go = [&](size_t n) {
    if (n == 0) return;
    out.append(text, 0, n);
    before = text[n - 1];
    text.remove_prefix(n);
  };
  while (!text.empty()) {
    const size_t start = find_placeholder_start(text, 0, before);
    let_go(std::min(start, text.size()));
    if (text.empty()) return;
    auto match = match_placeholder(text);
    if (match.state == PlaceholderMatch::State::kMaybe && ends) match = match_placeholder(std::string(text) + ' ');
    if (match.state == PlaceholderMatch::State::kMaybe && !ends) return;
    if (match.state == PlaceholderMatch::State::kNo || match.state == PlaceholderMatch::State::kMaybe) {
      let_go(1);
      continue;
    }
    const auto original = map_.original(match.canonical);
    if (original.empty()) {
      stats_.unknown += text.starts_with(match.canonical);
      let_go(match.length);
      continue;
    }
    ++stats_.restored;
    out += json ? json_escaped(original) : std::string(original);
    before = 'x';  // what follows is no beginning
    text.remove_prefix(match.length);
  }
}

std::string Restorer::restore_text(std::string_view text, bool json) {
  std::string out;
  char before = ' ';
  append(out, text, before, json, true);
  return out;
}

void Restorer::release(std::map<Place, Held>::iterator held, EventBatch& out) {
  Held& state = held->second;
  std::string text;
  std::string_view rest = state.text;
  append(text, rest, state.before, held->first.kind == Event::Kind::kToolArgs, true);
  if (!text.empty()) {
    Event event = state.form;
    event.text = std::move(text);
    out.push_back(std::move(event));
  }
  held_.erase(held);
}

// Lets go what `event` ends: a stop everything of its choice, another part the texts before it. Arguments of several
// calls may interleave.
void Restorer::release_before(const Event& event, EventBatch& out) {
  if (event.kind == Event::Kind::kUsage || event.kind == Event::Kind::kLogprobs ||
      event.kind == Event::Kind::kAnnotation || event.kind == Event::Kind::kExtra)
    return;
  for (auto it = held_.begin(); it != held_.end();) {
    const auto now = it++;
    const Place& place = now->first;
    if (place.choice != event.choice) continue;
    const bool same = place.kind == event.kind && place.index == event.index && place.id == event.id;
    const bool both_arguments = place.kind == Event::Kind::kToolArgs &&
                                (event.kind == Event::Kind::kToolArgs || event.kind == Event::Kind::kToolCall);
    if (!same && !both_arguments) release(now, out);
  }
}

void Restorer::restore(EventBatch& events) {
  EventBatch out;
  out.reserve(events.size());
  for (Event& event : events) {
    release_before(event, out);
    if (!is_textual(event.kind)) {
      if (event.kind == Event::Kind::kStop) event.text = restore_text(event.text);
      if (event.kind == Event::Kind::kAnnotation || event.kind == Event::Kind::kOpaque)
        event.raw = restore_text(event.raw, true);
      out.push_back(std::move(event));
      continue;
    }
    const bool json = event.kind == Event::Kind::kToolArgs;
    const auto held = held_.try_emplace(Place{event.choice, event.kind, event.index, event.id}).first;
    Held& state = held->second;
    if (state.text.empty() && event.text.empty()) {
      out.push_back(std::move(event));
      continue;
    }
    state.text += event.text;
    std::string text;
    std::string_view rest = state.text;
    append(text, rest, state.before, json, false);
    state.text = std::string(rest);
    stats_.held_most = std::max(stats_.held_most, state.text.size());
    state.form = Event{.kind = event.kind,
                       .origin = event.origin,
                       .choice = event.choice,
                       .index = event.index,
                       .id = event.id,
                       .name = event.name};
    event.text = std::move(text);
    // A fragment that was held whole says nothing, unless it carries something else.
    if (!event.text.empty() || !event.raw.empty() || !event.top_extra.empty() || !event.choice_extra.empty() ||
        !event.part_extra.empty()) {
      out.push_back(std::move(event));
    }
  }
  events = std::move(out);
}

void Restorer::finish(EventBatch& events) {
  while (!held_.empty()) release(held_.begin(), events);
}

}  // namespace ajar::guard
