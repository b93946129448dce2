#pragma once
// Events to the responses of streamGenerateContent: as server-sent events, or as the elements of one JSON array.
// https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent

#include <string>
#include <vector>

#include "wire/dialect.h"
#include "wire/json_end.h"

namespace ajar::wire::gemini {

class Encoder final : public ReplyEncoder {
 public:
  Encoder(ReplyOptions options, bool array) : options_(std::move(options)), array_(array) {}

  void encode(const EventBatch& events, std::string& out) override;
  void finish(StreamEnd end, const Error* error, std::string& out) override;

 private:
  // A call is only said whole.
  struct Call {
    int32_t index = 0;
    std::string id, name, signature, arguments;
    bool own = false;
    JsonEnd json;
  };
  struct Candidate {
    std::vector<Call> calls;  // not written yet, in order
    bool in_thought = false;
    Finish finish = Finish::kNone;
    std::string native_finish;
    RawMembers extra;
  };

  void event(const EventBatch& events, size_t& at, std::string& out);
  Candidate& candidate(int32_t choice);
  // Where the parts of this choice go; what waits of another is written first.
  std::string& parts(int32_t choice, std::string& out);
  void say_calls(int32_t choice, bool all, std::string& out);
  void flush(std::string& out);
  void chunk(std::string_view candidates, bool usage, const RawMembers& more, std::string& out);
  void frame(std::string_view json, std::string& out);

  ReplyOptions options_;
  const bool array_;
  std::string id_, model_;
  RawMembers start_extra_, usage_extra_;
  DialectId origin_ = DialectId::kNone;
  Usage usage_;
  bool usage_seen_ = false, any_ = false;
  std::vector<Candidate> candidates_;
  int32_t choice_ = 0;           // whose parts wait
  std::string parts_, logprobs_;
};

}  // namespace ajar::wire::gemini
