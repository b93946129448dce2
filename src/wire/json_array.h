#pragma once
// The elements of one JSON array as they come, each checked by whoever reads it. A single value that is no array is one
// frame, told when the bytes have ended: a server that was asked for a stream may answer with one object, an error for
// example, and that is a whole body.

#include <string>

#include "wire/framer.h"

namespace ajar::wire {

class JsonArrayFramer final : public Framer {
 public:
  explicit JsonArrayFramer(size_t max_frame) : max_frame_(max_frame) {}
  Status feed(std::string_view bytes, const OnFrame& on_frame) override;
  Status finish(const OnFrame& on_frame) override;

 private:
  enum class State : uint8_t { kStart, kBetween, kValue, kEnd };
  Status too_large() const;

  const size_t max_frame_;
  std::string partial_;  // the beginning of a value
  size_t depth_ = 0;     // brackets open inside the value
  State state_ = State::kStart;
  bool array_ = false;
  bool in_string_ = false, escaped_ = false;
};

}  // namespace ajar::wire
