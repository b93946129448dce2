#include "api/answer.h"

#include "api/fronts.h"
#include "api/status.h"
#include "base/random.h"
#include "core/reply.h"
#include "wire/openai/chat.h"
#include "wire/openai/embeddings.h"
#include "wire/openai/forward.h"

namespace ajar::api {
namespace {

constexpr std::string_view kEndpoints[] = {"/v1/chat/completions", "/v1/responses", "/v1/completions", "/v1/embeddings",
                                           "/v1/moderations"};

// Gathers what a call says: events of a chat, bytes of a forwarded call.
class GatheringSink final : public ReplySink {
 public:
  GatheringSink(Answer& answer, wire::WriteError write_error) : answer_(answer), write_error_(write_error) {}

  void begin(const Answered&) override {}
  Task<Status> write(EventBatch& events) override {
    for (Event& event : events) {
      if (event.kind == Event::Kind::kOpaque && event.origin == DialectId::kNone) answer_.body += event.raw;
      else fold.add(event);
    }
    co_return Status();
  }
  Task<int> finish(StreamEnd, const Error* error, const store::CallRow&) override {
    if (error == nullptr) co_return answer_.status = 200;
    answer_.error = *error;
    answer_.status = http_status(*error);
    answer_.body = write_error_(*error, answer_.status, answer_.request_id);
    co_return answer_.status;
  }

  Fold fold;

 private:
  Answer& answer_;
  const wire::WriteError write_error_;
};

}  // namespace

std::span<const std::string_view> answerable() { return kEndpoints; }

Task<Answer> answer(Gateway& gateway, std::string endpoint, std::string body, std::shared_ptr<const Key> key,
                    CancelToken& cancel) {
  Answer out;
  out.request_id = new_id("req_");
  Context context;
  context.id = out.request_id;
  context.cancel = &cancel;
  if (key) context.caller = {.key_id = key->row.id, .key_name = key->row.name, .team = key->row.team};
  const wire::Front& front = front_of(endpoint);
  GatheringSink sink(out, front.write_error);
  const auto refuse = [&](const Error& error) {
    out.error = error;
    out.status = http_status(error);
    out.body = front.write_error(error, out.status, out.request_id);
  };

  if (endpoint == "/v1/embeddings") {
    context.endpoint = "embeddings";
    auto request = wire::openai::read_embedding_request(body);
    if (!request) {
      refuse(request.error());
      co_return out;
    }
    const auto reply = co_await gateway.embed(*request, std::move(key), context, sink);
    if (reply) out.body = wire::openai::write_embedding_reply(*reply, *request);
    co_return out;
  }
  if (const auto kind = wire::openai::forward_kind(endpoint)) {
    context.endpoint = wire::openai::forward_path(*kind);
    auto request = wire::openai::read_forward_request(*kind, "application/json", body);
    if (!request) {
      refuse(request.error());
      co_return out;
    }
    co_await gateway.forward(*request, std::move(key), context, sink);
    co_return out;
  }
  context.endpoint = front.endpoint;
  auto request = front.read_request(body);
  if (!request) {
    refuse(request.error());
    co_return out;
  }
  request->stream = false;
  request->store = false;  // nobody continues these
  if (!request->previous_id.empty()) {
    refuse(Error{.code = Code::kUnsupported, .message = "a request from inside cannot continue a kept response",
                 .field = "previous_response_id"});
    co_return out;
  }
  const wire::ReplyOptions options = options_of(front, *request, out.request_id);
  co_await gateway.chat(*request, std::move(key), context, sink);
  if (!out.error) out.body = front.write_reply(sink.fold.take(), options);
  co_return out;
}

}  // namespace ajar::api
