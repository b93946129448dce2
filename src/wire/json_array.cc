#include "wire/json_array.h"

#include "base/text.h"

namespace ajar::wire {
namespace {

bool space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

Status JsonArrayFramer::too_large() const {
  return fail(Code::kUpstream, "an element of the provider's JSON array is larger than " + std::to_string(max_frame_) +
                                   " bytes");
}

Status JsonArrayFramer::feed(std::string_view bytes, const OnFrame& on_frame) {
  size_t from = 0;  // where the value that is open began in `bytes`
  const auto emit = [&](size_t end) -> Status {
    std::string_view value = bytes.substr(from, end - from);
    if (partial_.size() + value.size() > max_frame_) return too_large();
    if (!partial_.empty()) value = partial_.append(value);
    const Status told = on_frame({{}, trim(value)});
    partial_.clear();
    return told;
  };
  for (size_t at = 0; at < bytes.size(); ++at) {
    const char c = bytes[at];
    if (state_ == State::kValue) {
      if (in_string_) {
        if (escaped_) escaped_ = false;
        else if (c == '\\') escaped_ = true;
        else if (c == '"') in_string_ = false;
        continue;
      }
      if (c == '"') {
        in_string_ = true;
      } else if (c == '{' || c == '[') {
        ++depth_;
      } else if (depth_ > 0 && (c == '}' || c == ']')) {
        if (--depth_ > 0) continue;
        if (array_) {
          state_ = State::kBetween;
          AJAR_TRY(emit(at + 1));
        } else {
          state_ = State::kEnd;
          if (partial_.size() + at + 1 - from > max_frame_) return too_large();
          partial_.append(bytes.substr(from, at + 1 - from));
        }
      } else if (depth_ == 0 && array_ && (c == ',' || c == ']')) {  // after a number, a word or a string
        state_ = c == ',' ? State::kBetween : State::kEnd;
        AJAR_TRY(emit(at));
      }
      continue;
    }
    if (space(c)) continue;
    if (state_ == State::kEnd) {
      return fail(Code::kUpstream, "the provider's answer goes on after the end of its JSON");
    }
    if (state_ == State::kStart && c == '[') {
      array_ = true;
      state_ = State::kBetween;
    } else if (state_ == State::kBetween && c == ']') {
      state_ = State::kEnd;
    } else if (!(state_ == State::kBetween && c == ',')) {
      state_ = State::kValue;
      from = at;
      depth_ = c == '{' || c == '[' ? 1 : 0;
      in_string_ = c == '"';
    }
  }
  if (state_ == State::kValue) {
    if (partial_.size() + bytes.size() - from > max_frame_) return too_large();
    partial_.append(bytes.substr(from));
  }
  return {};
}

Status JsonArrayFramer::finish(const OnFrame& on_frame) {
  const bool whole = state_ == State::kEnd || (state_ == State::kValue && depth_ == 0 && !in_string_);
  if (!array_ && whole) return on_frame({{}, trim(partial_)});
  if (state_ == State::kValue || state_ == State::kBetween) {
    return fail(Code::kCut, "the provider's JSON ended before its last bracket");
  }
  return {};
}

}  // namespace ajar::wire
