// RemoteProvider's other endpoints: requests that keep their form, and reranking.
#include <algorithm>

#include "http/sse.h"
#include "provider/remote.h"
#include "wire/openai/forward.h"
#include "wire/rerank/rerank.h"

namespace ajar {
namespace {

constexpr size_t kPiece = 64 * 1024;  // of a body that is handed on as it comes

Event fact(Event::Kind kind) {
  Event event;
  event.kind = kind;
  return event;
}

Event piece(std::string_view media_type, std::string_view bytes) {
  Event event = fact(Event::Kind::kOpaque);
  event.name = media_type;
  event.raw = bytes;
  return event;
}

bool is_json(std::string_view type) { return type.find("json") != type.npos; }

}  // namespace

Task<Status> RemoteProvider::forward(const ForwardRequest& request, const AttemptLimits& limits,
                                     Context& context, Sink& sink) {
  Status status = co_await forward_exchange(request, limits, context, sink);
  if (!status) upstream_->redact(status.error());
  co_return status;
}

Task<Status> RemoteProvider::forward_exchange(const ForwardRequest& request, const AttemptLimits& limits,
                                              Context& context, Sink& sink) {
  if (upstream_->dialect != DialectId::kOpenAiChat) {
    co_return fail(Code::kUnsupported, std::string(dialect_name(upstream_->dialect)) + " models do not offer " +
                                           std::string(wire::openai::forward_path(request.kind)));
  }
  const wire::TargetInfo info = info_for(request.model);
  auto wire = wire::openai::write_forward_request(request, info);
  if (!wire) co_return std::unexpected(std::move(wire).error());
  TimePoint from = now();
  auto response = co_await send(std::move(*wire), limits, context);
  context.waited_since(from);
  if (!response) co_return std::unexpected(std::move(response).error());

  const std::string type(response->headers().get("content-type"));
  EventBatch events;
  events.push_back(fact(Event::Kind::kStart));
  events.back().name = info.model;
  Event usage = fact(Event::Kind::kUsage);
  usage.usage = request.planned;
  usage.usage.reported = true;

  if (is_json(type)) {  // whole, so that what is not JSON can still be answered by another target
    from = now();
    auto body = co_await response->read_all(std::min(after(limits.gap), context.deadline),
                                            size_t(limits.max_reply_bytes));
    context.waited_since(from);
    if (!body) co_return std::unexpected(std::move(body).error());
    AJAR_CO_TRY(wire::openai::check_forward_reply(*body));
    usage.usage = wire::openai::read_forward_usage(request, *body);
    events.push_back(std::move(usage));
    events.push_back(piece(type, *body));
    events.push_back(fact(Event::Kind::kStop));
    events.back().finish = Finish::kStop;
    co_return co_await sink.write(events);
  }

  // Sound, pictures, text and events pass as they come; events are also read for what they say of usage.
  const bool tells = wire::openai::may_tell_usage(type);
  SseParser sse;
  size_t total = 0;
  for (;;) {
    from = now();
    auto bytes = co_await response->read(std::min(after(limits.gap), context.deadline));
    context.waited_since(from);
    if (!bytes) co_return std::unexpected(std::move(bytes).error());
    if (bytes->empty()) break;
    total += bytes->size();
    if (total > size_t(limits.max_reply_bytes)) {
      co_return fail(Code::kUpstream, "the provider's answer is larger than " +
                                          std::to_string(limits.max_reply_bytes >> 20) + " MiB");
    }
    if (tells) {
      AJAR_CO_TRY(sse.feed(*bytes, [&](const SseEvent& event) {
        usage.usage.merge(wire::openai::read_forward_usage(request, event.data));
      }));
    }
    for (size_t at = 0; at < bytes->size(); at += kPiece) events.push_back(piece(type, bytes->substr(at, kPiece)));
    AJAR_CO_TRY(co_await sink.write(events));
    events.clear();
  }
  if (total == 0) co_return fail(Code::kUpstream, "the provider answered with an empty body");
  events.push_back(std::move(usage));
  events.push_back(fact(Event::Kind::kStop));
  events.back().finish = Finish::kStop;
  co_return co_await sink.write(events);
}

Task<Result<RerankReply>> RemoteProvider::rerank(const RerankRequest& request, const AttemptLimits& limits,
                                                 Context& context) {
  const wire::TargetInfo info = info_for(request.model);
  auto wire = wire::rerank::write_request(request, info, upstream_->dialect);
  if (!wire) co_return std::unexpected(std::move(wire).error());
  const TimePoint from = now();
  auto response = co_await send(std::move(*wire), limits, context);
  context.waited_since(from);
  if (!response) {
    upstream_->redact(response.error());
    co_return std::unexpected(std::move(response).error());
  }
  auto body = co_await response->read_all(std::min(after(limits.gap), context.deadline),
                                          size_t(limits.max_reply_bytes));
  if (!body) co_return std::unexpected(std::move(body).error());
  auto reply = wire::rerank::read_reply(*body, request);
  if (reply && reply->model.empty()) reply->model = info.model;
  co_return reply;
}

}  // namespace ajar
