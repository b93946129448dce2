#pragma once
// The client's side of a call: the gateway writes events in, the client's dialect comes out. One object per request,
// confined to its loop.

#include <string>

#include "core/reply.h"
#include "gateway/call.h"
#include "http/server.h"
#include "wire/dialect.h"

namespace ajar::api {

// What every endpoint says about a call in headers: x-request-id, x-ajar-route, -target, -attempts, -simulator, -cache, -ladder.
class CallHeaders {
 public:
  explicit CallHeaders(Exchange& exchange, std::string_view id_header = {})
      : exchange_(exchange), id_header_(id_header) {}
  void begin(const Answered& answered);
  Headers make(std::string_view content_type) const;

 private:
  Exchange& exchange_;
  const std::string_view id_header_;  // wire::Front's
  std::string route_, target_, cache_, cache_id_, ladder_;
  int64_t age_seconds_ = 0;
  size_t masked_ = 0;
  size_t attempts_ = 0;
  bool simulator_ = false, sure_ = true;
};

// The context of a request that has been admitted. `endpoint` is a literal.
Context new_context(Exchange& exchange, const std::shared_ptr<const Key>& key, std::string_view endpoint);

// A chat call: streams events as they come, or folds them into one answer of at most 64 MiB.
class ChatSink : public ReplySink {
 public:
  // `context` is that of the call, which outlives the sink.
  ChatSink(Exchange& exchange, const wire::Front& front, const Context& context, bool stream,
           wire::ReplyOptions options);

  void begin(const Answered& answered) override { headers_.begin(answered), whole_ = answered.whole; }
  Task<Status> keep_alive() override;
  Task<Status> write(EventBatch& events) override;
  Task<int> finish(StreamEnd end, const Error* error, const store::CallRow& call) override;

 protected:
  // The whole reply of a call that ended well, before the client has its last byte. Of streams only in dialects whose
  // streams end by repeating it.
  virtual void on_reply(std::string_view reply) {}

 private:
  wire::ReplyEncoder& encoder();
  Task<Status> start();

  Exchange& exchange_;
  const wire::Front& front_;
  const Context& context_;
  CallHeaders headers_;
  const bool stream_;
  wire::ReplyOptions options_;
  std::unique_ptr<wire::ReplyEncoder> encoder_;  // of a stream, from its first event on
  Fold fold_;                                    // of a whole answer
  bool whole_ = false;                           // the end comes right behind what is written, and may go with it
  std::string bytes_;                            // of a stream: encoded, and kept for the end
};

// A call whose answer comes whole and is written by the endpoint; only the end of the call matters here.
class WholeSink final : public ReplySink {
 public:
  WholeSink(Exchange& exchange, wire::WriteError write_error)
      : exchange_(exchange), headers_(exchange), write_error_(write_error) {}
  void begin(const Answered& answered) override { headers_.begin(answered); }
  Task<Status> write(EventBatch& events) override { co_return Status(); }
  Task<int> finish(StreamEnd end, const Error* error, const store::CallRow& call) override;
  // Of the answer, once the call has ended well.
  Headers headers() const { return headers_for("application/json", cost_); }
  // Of an answer of this media type; a cost below zero is not known yet.
  Headers headers_for(std::string_view content_type, int64_t cost) const;

 private:
  Exchange& exchange_;
  CallHeaders headers_;
  const wire::WriteError write_error_;
  int64_t cost_ = 0;
};

}  // namespace ajar::api
