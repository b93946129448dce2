#include "wire/framer.h"

#include "base/text.h"
#include "http/sse.h"
#include "json/read.h"
#include "wire/aws_events.h"
#include "wire/json_array.h"

namespace ajar::wire {
namespace {

class SseFramer final : public Framer {
 public:
  explicit SseFramer(size_t max_frame) : parser_(max_frame) {}
  Status feed(std::string_view bytes, const OnFrame& on_frame) override {
    return parser_.feed(bytes, [&](const SseEvent& event) { return on_frame({event.event, event.data}); });
  }
  // An unfinished event is discarded, as the specification says: the dialect's end mark tells whether that matters.
  Status finish(const OnFrame&) override { return {}; }

 private:
  SseParser parser_;
};

// One JSON text per line. https://github.com/ndjson/ndjson-spec
class LineFramer final : public Framer {
 public:
  explicit LineFramer(size_t max_frame) : max_frame_(max_frame) {}

  Status feed(std::string_view bytes, const OnFrame& on_frame) override {
    while (true) {
      const size_t end = bytes.find('\n');
      if (end == bytes.npos) break;
      std::string_view line = bytes.substr(0, end);
      bytes.remove_prefix(end + 1);
      if (partial_.size() + line.size() > max_frame_) return too_large();
      if (!partial_.empty()) line = partial_.append(line);
      if (line = trim(line); !line.empty()) AJAR_TRY(on_frame({{}, line}));
      partial_.clear();
    }
    if (partial_.size() + bytes.size() > max_frame_) return too_large();
    partial_.append(bytes);
    return {};
  }

  // The last line may lack its end.
  Status finish(const OnFrame& on_frame) override {
    const std::string_view line = trim(partial_);
    if (line.empty()) return {};
    if (!json::explain(line).empty()) return fail(Code::kCut, "the provider's stream ended inside a line");
    return on_frame({{}, line});
  }

 private:
  Status too_large() const {
    return fail(Code::kUpstream, "a line of the provider's stream is larger than " + std::to_string(max_frame_) + " bytes");
  }
  const size_t max_frame_;
  std::string partial_;
};

}  // namespace

Framing framing_of(std::string_view content_type, Framing json, bool stream) {
  const std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  if (iequals(type, "text/event-stream")) return Framing::kSse;
  if (iequals(type, "application/vnd.amazon.eventstream")) return Framing::kAwsEvents;
  for (const char* lines : {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}) {
    if (iequals(type, lines)) return Framing::kJsonLines;
  }
  return stream && iequals(type, "application/json") ? json : Framing::kNone;
}

std::unique_ptr<Framer> new_framer(Framing framing, size_t max_frame) {
  switch (framing) {
    case Framing::kSse: return std::make_unique<SseFramer>(max_frame);
    case Framing::kJsonLines: return std::make_unique<LineFramer>(max_frame);
    case Framing::kJsonArray: return std::make_unique<JsonArrayFramer>(max_frame);
    case Framing::kAwsEvents: return std::make_unique<AwsEventFramer>(max_frame);
    case Framing::kNone: break;
  }
  return nullptr;
}

}  // namespace ajar::wire
