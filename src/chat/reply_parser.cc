#include "chat/reply_parser.h"

#include <algorithm>
#include <utility>

#include "base/random.h"
#include "base/text.h"

namespace ajar::chat {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kChannel = "<|channel|>", kMessage = "<|message|>", kStart = "<|start|>";
constexpr std::string_view kHarmonyEnds[] = {"<|end|>", "<|return|>", "<|call|>", kStart, kChannel};

struct Mark {
  size_t at = std::string_view::npos;
  std::string_view text;
};

// The first of `marks` in the text, of those that start there the longest.
template <class Marks>
Mark first_mark(std::string_view text, const Marks& marks) {
  Mark best;
  for (const std::string_view mark : marks) {
    if (mark.empty()) continue;
    const size_t at = text.find(mark);
    if (at == text.npos) continue;
    if (at < best.at || (at == best.at && mark.size() > best.text.size())) best = {at, mark};
  }
  return best;
}

// Bytes at the end that may become a mark, or are no whole character.
template <class Marks>
size_t may_become(std::string_view text, const Marks& marks) {
  size_t held = 0;
  for (const std::string_view mark : marks) {
    for (size_t n = std::min(mark.empty() ? 0 : mark.size() - 1, text.size()); n > held; --n) {
      if (text.ends_with(mark.substr(0, n))) held = n;
    }
  }
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto c = uint8_t(text[text.size() - back]);
    if ((c & 0xc0) == 0x80) continue;
    const size_t length = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (length > back) held = std::max(held, back);
    break;
  }
  return held;
}

size_t without_spaces(std::string_view text) { return text.find_last_not_of(kSpace) + 1; }  // 0: nothing else

// Whether nothing but what headers are made of stands there.
bool is_header(std::string head) {
  for (const std::string_view mark : {kChannel, kStart, std::string_view("<|constrain|>")}) {
    for (size_t at; (at = head.find(mark)) != head.npos;) head.replace(at, mark.size(), " ");
  }
  for (const std::string_view word : split(head, ' ')) {
    constexpr std::string_view kKnown[] = {"", "assistant", "analysis", "commentary", "final", "json", "code"};
    if (std::ranges::find(kKnown, trim(word)) == std::end(kKnown) && !trim(word).starts_with("to=")) return false;
  }
  return true;
}

std::string random_id() {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  std::string out;
  for (uint64_t bits = fast_random(); out.size() < 9; bits /= kLetters.size()) out += kLetters[bits % kLetters.size()];
  return out;
}

}  // namespace

ReplyParser::ReplyParser(const ReplySyntax& syntax, KnownTools tools, ReplyStart start, std::function<std::string()> new_id)
    : syntax_(syntax), tools_(std::move(tools)), with_tools_(!tools_.types.empty()),
      new_id_(new_id ? std::move(new_id) : random_id), state_(State::kContent) {
  if (harmony()) state_ = State::kHeader;
  else if (start == ReplyStart::kThought) state_ = State::kThought, skip_space_ = true;
  else if (start == ReplyStart::kCall && with_tools_) state_ = State::kCall;
}

void ReplyParser::feed(std::string_view text, EventBatch& out) {
  pending_.append(text);
  fresh_ += text.size();
  run(false, out);
}

void ReplyParser::finish(EventBatch& out) {
  run(true, out);
  if (calls_ > 0 && without_spaces(held_) == 0) held_.clear();
  if (!held_.empty()) out.push_back(Event::of_text(std::exchange(held_, {})));
}

void ReplyParser::run(bool whole, EventBatch& out) {
  bool more = true;
  while (more) {
    switch (state_) {
      case State::kContent: more = content(whole, out); break;
      case State::kThought: more = thought(whole, out); break;
      case State::kCall: more = call(whole, out); break;
      case State::kHeader:
      case State::kBetween: more = header(whole, out); break;
      case State::kHarmonyText:
      case State::kHarmonyThought: more = harmony_body(whole, out); break;
      case State::kHarmonyCall: more = harmony_call(whole, out); break;
    }
  }
}

void ReplyParser::say(std::string_view text, EventBatch& out) {
  held_.append(text);
  if (without_spaces(text) == 0) return;
  const size_t end = without_spaces(held_);
  out.push_back(Event::of_text(held_.substr(0, end)));
  held_.erase(0, end);
}

void ReplyParser::think(std::string_view text, EventBatch& out) {
  held_.append(text);
  const size_t end = without_spaces(held_);
  if (end == 0) return;
  Event event{.kind = Event::Kind::kThought};
  event.text = held_.substr(0, end);
  out.push_back(std::move(event));
  held_.erase(0, end);
}

void ReplyParser::say_calls(std::vector<ParsedCall> calls, EventBatch& out) {
  held_.clear();
  skip_space_ = true;
  for (ParsedCall& call : calls) {
    Event opening{.kind = Event::Kind::kToolCall};
    opening.index = calls_;
    opening.id = call.id.empty() ? new_id_() : std::move(call.id);
    opening.name = std::move(call.name);
    out.push_back(std::move(opening));
    Event arguments{.kind = Event::Kind::kToolArgs};
    arguments.index = calls_++;
    arguments.text = std::move(call.arguments);
    out.push_back(std::move(arguments));
  }
}

bool ReplyParser::content(bool whole, EventBatch& out) {
  if (skip_space_) {
    pending_.erase(0, std::min(pending_.find_first_not_of(kSpace), pending_.size()));
    if (!pending_.empty()) skip_space_ = false;
  }
  if (at_start_ && syntax_.bare_json && with_tools_) {
    const size_t first = pending_.find_first_not_of(kSpace);
    if (first == std::string::npos && !whole) return false;
    if (first != std::string::npos && (pending_[first] == '{' || pending_[first] == '[')) return bare_json(whole, out);
  }
  if (!pending_.empty()) at_start_ = false;
  const ToolSyntax& tools = syntax_.tools;
  const auto tool_mark = [&](std::string_view mark) { return with_tools_ ? mark : std::string_view(); };
  const std::string_view marks[] = {syntax_.think_begin, tool_mark(tools.begin), tool_mark(tools.section_begin),
                                    tool_mark(tools.section_end), syntax_.skipped[0], syntax_.skipped[1], syntax_.skipped[2],
                                    syntax_.skipped[3]};
  const Mark mark = first_mark(pending_, marks);
  if (mark.text.empty()) {
    const size_t held = whole ? 0 : may_become(pending_, marks);
    say(std::string_view(pending_).substr(0, pending_.size() - held), out);
    pending_.erase(0, pending_.size() - held);
    return false;
  }
  say(std::string_view(pending_).substr(0, mark.at), out);
  pending_.erase(0, mark.at + mark.text.size());
  if (mark.text == syntax_.think_begin) {
    if (without_spaces(held_) == 0) held_.clear();
    if (!held_.empty()) out.push_back(Event::of_text(std::exchange(held_, {})));
    state_ = State::kThought;
    skip_space_ = true;
  } else if (with_tools_ && mark.text == tools.begin) {
    state_ = State::kCall;
    mark_ = mark.text;
    tried_ = 0;
    fresh_ = pending_.size();
  } else if (with_tools_ && mark.text == tools.section_begin) {
    held_ += mark.text;
  } else if (with_tools_ && mark.text == tools.section_end) {
    if (calls_ == 0) held_ += mark.text;
  }
  return true;
}

bool ReplyParser::bare_json(bool whole, EventBatch& out) {
  const size_t begin = pending_.find_first_not_of(kSpace);
  // Only a bracket can end it: what came without one needs no look at all that came before.
  if (!whole && pending_.find_first_of("]}", pending_.size() - std::min(fresh_, pending_.size())) == std::string::npos) {
    fresh_ = 0;
    return false;
  }
  fresh_ = 0;
  const size_t end = json_end(std::string_view(pending_).substr(begin));
  if (end == 0 && !whole) return false;
  at_start_ = false;
  if (end == 0 || end == std::string::npos) return true;
  auto calls = calls_of_json(std::string_view(pending_).substr(begin, end), syntax_.tools);
  if (calls.empty() || !std::ranges::all_of(calls, [&](const ParsedCall& call) { return tools_.has(call.name); })) return true;
  say_calls(std::move(calls), out);
  pending_.erase(0, begin + end);
  return true;
}

bool ReplyParser::thought(bool whole, EventBatch& out) {
  if (skip_space_) {
    pending_.erase(0, std::min(pending_.find_first_not_of(kSpace), pending_.size()));
    if (!pending_.empty()) skip_space_ = false;
  }
  at_start_ = at_start_ && syntax_.bare_json;
  const std::string_view marks[] = {syntax_.think_end};
  const Mark mark = first_mark(pending_, marks);
  if (mark.text.empty()) {
    const size_t held = whole ? 0 : may_become(pending_, marks);
    think(std::string_view(pending_).substr(0, pending_.size() - held), out);
    pending_.erase(0, pending_.size() - held);
    if (whole) held_.clear();
    return false;
  }
  think(std::string_view(pending_).substr(0, mark.at), out);
  held_.clear();
  pending_.erase(0, mark.at + mark.text.size());
  state_ = State::kContent;
  skip_space_ = true;
  return true;
}

bool ReplyParser::call(bool whole, EventBatch& out) {
  // A call ends with one of these, so most fragments need no new look; the growth finds what is no call.
  const size_t from = pending_.size() - std::min(fresh_, pending_.size());
  const bool worth = tried_ == 0 || pending_.find_first_of("}])>`", from) != std::string::npos || pending_.size() > tried_ + tried_ / 4 + 16;
  if (!whole && !worth) return false;
  tried_ = pending_.size();
  fresh_ = 0;
  CallText read = parse_call(syntax_.tools, pending_, whole, tools_);
  if (read.status == CallText::Status::kMore && !whole) return false;
  state_ = State::kContent;
  at_start_ = false;
  if (read.status != CallText::Status::kDone) {
    say(std::exchange(mark_, {}), out);
    return true;
  }
  pending_.erase(0, read.used);
  mark_.clear();
  if (!read.calls.empty()) say_calls(std::move(read.calls), out);
  return true;
}

// OpenAI's harmony format: [to=...] <|channel|> name [to=...] [format] <|message|> text, then one of the ends.
bool ReplyParser::header(bool whole, EventBatch& out) {
  if (state_ == State::kBetween) {
    pending_.erase(0, std::min(pending_.find_first_not_of(kSpace), pending_.size()));
  }
  const std::string_view text = pending_;
  const size_t message = text.find(kMessage);
  const auto begins = [&](std::string_view word) { return text.starts_with(word) || (!whole && word.starts_with(text)); };
  if (!begins(kChannel) && !begins(kStart) && !begins(" to=") && !begins("assistant")) {  // text without a header
    state_ = State::kHarmonyText;
    return true;
  }
  if (message == text.npos) {
    if (!whole) return false;
    say(text, out);
    pending_.clear();
    return false;
  }
  const std::string head(text.substr(0, message));
  size_t to = head.find("to=");
  std::string recipient;
  if (to != head.npos) recipient = head.substr(to + 3, std::min(head.find_first_of(" <", to), head.size()) - to - 3);
  const size_t channel = head.find(kChannel);
  const bool analysis = channel != head.npos && head.compare(channel + kChannel.size(), 8, "analysis") == 0;
  pending_.erase(0, message + kMessage.size());
  if (!is_header(head)) {
    say(head, out);
    state_ = State::kHarmonyText;
  } else if (recipient.starts_with("functions.")) {
    mark_ = head;
    state_ = State::kHarmonyCall;
  } else {
    state_ = analysis ? State::kHarmonyThought : State::kHarmonyText;
  }
  return true;
}

bool ReplyParser::harmony_body(bool whole, EventBatch& out) {
  const bool thinks = state_ == State::kHarmonyThought;
  const Mark mark = first_mark(pending_, kHarmonyEnds);
  const size_t end = mark.text.empty() ? pending_.size() - (whole ? 0 : may_become(pending_, kHarmonyEnds)) : mark.at;
  const std::string body = pending_.substr(0, end);
  if (thinks) think(body, out); else say(body, out);
  pending_.erase(0, end);
  if (mark.text.empty()) {
    if (whole && thinks) held_.clear();
    return false;
  }
  if (thinks) held_.clear();
  if (mark.text != kStart && mark.text != kChannel) pending_.erase(0, mark.text.size());
  state_ = State::kBetween;
  return true;
}

bool ReplyParser::harmony_call(bool whole, EventBatch& out) {
  // What stands within the arguments is no mark, even if it looks like one.
  const size_t begin = std::min(pending_.find_first_not_of(kSpace), pending_.size());
  size_t json = json_end(std::string_view(pending_).substr(begin));
  if (json == 0 && !whole) return false;
  json = json == std::string::npos ? 0 : begin + json;
  Mark mark = first_mark(std::string_view(pending_).substr(json), kHarmonyEnds);
  mark.at += json;
  if (mark.text.empty() && !whole) return false;
  const size_t end = mark.text.empty() ? pending_.size() : mark.at;
  const std::string body = pending_.substr(0, end);
  const size_t to = mark_.find("to=functions.") + 13;
  const std::string name = mark_.substr(to, std::min(mark_.find_first_of(" <", to), mark_.size()) - to);
  // Read as a call of the plain form, which checks the name and the arguments.
  constexpr ToolSyntax kPlain{.layout = CallLayout::kNameThenJson, .name_end = "\n"};
  CallText read = parse_call(kPlain, name + "\n" + (body.find_first_not_of(kSpace) == body.npos ? "{}" : body), true, tools_);
  if (read.status == CallText::Status::kDone) {
    say_calls(std::move(read.calls), out);
  } else {
    say(mark_ + std::string(kMessage) + body, out);
  }
  mark_.clear();
  pending_.erase(0, end);
  if (!mark.text.empty() && mark.text != kStart && mark.text != kChannel) pending_.erase(0, mark.text.size());
  state_ = State::kBetween;
  return !mark.text.empty();
}

}  // namespace ajar::chat
