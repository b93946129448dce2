#pragma once
// Framers: the frames of a streamed reply from bytes that may be split anywhere. Server-sent events, one JSON text per
// line, the elements of a JSON array, AWS event streams. What a frame means is the dialect's business.

#include <functional>
#include <memory>
#include <string_view>

#include "base/error.h"

namespace ajar::wire {

// Views are valid during the call only.
struct Frame {
  std::string_view name;  // of the event, where the framing has names
  std::string_view data;
};
// An error ends the feed and is handed on.
using OnFrame = std::function<Status(const Frame&)>;

// One object per reply. After an error it must not be used.
class Framer {
 public:
  virtual ~Framer() = default;
  // Calls on_frame for each frame that is complete; those before a fault come before the error. kUpstream: the bytes
  // are not of this form, or a frame exceeds the limit.
  virtual Status feed(std::string_view bytes, const OnFrame& on_frame) = 0;
  // The bytes have ended properly. kCut when that was inside a frame.
  virtual Status finish(const OnFrame& on_frame) = 0;
};

enum class Framing : uint8_t { kNone, kSse, kJsonLines, kJsonArray, kAwsEvents };

inline constexpr size_t kMaxFrame = 8 << 20;

// How an answer of this content type is framed; kNone: it is one whole body. `json` is how the dialect streams where
// the server calls it plain JSON, and holds only when a stream was asked for.
Framing framing_of(std::string_view content_type, Framing json, bool stream);
// Null for kNone.
std::unique_ptr<Framer> new_framer(Framing framing, size_t max_frame = kMaxFrame);

}  // namespace ajar::wire
