#include "provider/remote.h"

#include <algorithm>

#include "base/text.h"
#include "provider/dialects.h"

namespace ajar {
namespace {

constexpr size_t kMaxErrorBody = 256 * 1024;

// RFC 9110 section 10.2.3 (seconds or a date), and the millisecond form that several APIs send.
int64_t retry_after_ms(const Headers& headers) {
  if (const auto ms = parse_double(trim(headers.get("retry-after-ms")))) {
    return int64_t(std::clamp(*ms, 0.0, 8.64e7));
  }
  const std::string_view text = trim(headers.get("retry-after"));
  if (text.empty()) return -1;
  if (const auto seconds = parse_double(text)) return int64_t(std::clamp(*seconds, 0.0, 86'400.0) * 1000);
  std::tm date{};
  if (strptime(std::string(text).c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date) == nullptr) return -1;
  return std::clamp<int64_t>(int64_t{timegm(&date)} * 1000 - unix_millis(), 0, 86'400'000);
}

std::string_view bearer(const Headers& headers) {
  const std::string_view value = headers.get("authorization");
  return value.starts_with("Bearer ") ? value.substr(7) : std::string_view();
}

}  // namespace

RemoteProvider::RemoteProvider(std::shared_ptr<const Upstream> upstream, std::string model,
                               int64_t default_max_tokens, Clients& clients)
    : upstream_(std::move(upstream)), model_(std::move(model)), default_max_tokens_(default_max_tokens),
      clients_(clients) {}

wire::TargetInfo RemoteProvider::info_for(const std::string& requested_model) const {
  wire::TargetInfo info = upstream_->info;
  info.model = model_.empty() ? requested_model : model_;
  info.default_max_tokens = default_max_tokens_;
  return info;
}

// A prompt to be completed goes to servers that do so as it is, to the others as a chat.
DialectId RemoteProvider::dialect_for(const Request& request, const std::string& model) const {
  if (request.dialect != DialectId::kOpenAiCompletions || upstream_->dialect != DialectId::kOpenAiChat) return upstream_->dialect;
  const bool native = upstream_->completions.empty() ? completes(upstream_->info.preset, model)
                                                     : upstream_->completions == "native";
  return native ? DialectId::kOpenAiCompletions : upstream_->dialect;
}

Task<Result<ClientResponse>> RemoteProvider::send(wire::WireRequest wire, const AttemptLimits& limits,
                                                  Context& context) {
  Url url = upstream_->base;
  url.target = std::move(wire.path);
  return send("POST", std::move(url), std::move(wire.headers), std::move(wire.body), limits, context);
}

Task<Result<ClientResponse>> RemoteProvider::send(std::string method, Url url,
                                                  std::vector<std::pair<std::string, std::string>> more, std::string body,
                                                  const AttemptLimits& limits, Context& context) {
  Headers headers = upstream_->headers;
  for (const auto& [name, value] : more) headers.set(name, value);
  Client& client = clients_.here();
  if (upstream_->authorizer) {
    AJAR_CO_TRY(co_await upstream_->authorizer->authorize(
        url, method, body, headers, client, std::min(after(limits.first_token), context.deadline), *context.cancel));
  }
  const ClientRequest outgoing{.url = url,
                               .method = method,
                               .headers = headers,
                               .body = body,
                               .connect_deadline = std::min(after(limits.connect), context.deadline),
                               .first_byte_deadline = std::min(after(limits.first_token), context.deadline),
                               .tls = &upstream_->tls,
                               .written = &context.asked};
  auto response = co_await client.send(outgoing, *context.cancel);
  if (!response) co_return std::unexpected(std::move(response).error());
  const int status = response->status();
  const std::string_view encoding = trim(response->headers().get("content-encoding"));
  if (status < 300 && !encoding.empty() && !iequals(encoding, "identity")) {
    Error error{.code = Code::kUpstream,
                .message = "the provider answered with content-encoding '" + std::string(encoding) +
                           "' though identity was asked for"};
    error.upstream_status = status;
    co_return std::unexpected(std::move(error));
  }
  if (status >= 200 && status < 300) co_return std::move(response);

  const TimePoint patience = std::min(after(limits.gap), context.deadline);
  auto said = co_await response->read_all(patience, kMaxErrorBody);
  Error error = dialect_of(upstream_->dialect)
                    .read_error(status, response->headers().get("content-type"),
                                said ? std::string_view(*said) : std::string_view());
  if (status == 401 || status == 403) {
    // It is our credential that was refused. A client that were told 401 would look for the fault in its own key.
    if (upstream_->authorizer) upstream_->authorizer->refused();
    error.code = Code::kUpstream;
    error.message = "the provider '" + upstream_->provider + "' refused Ajar's credentials: " + error.message;
  }
  if (upstream_->authorizer) redact(error.message, bearer(headers));  // a token that was fetched
  error.upstream_status = status;
  if (const int64_t wait = retry_after_ms(response->headers()); wait >= 0) error.retry_after_ms = wait;
  co_return std::unexpected(std::move(error));
}

Task<Status> RemoteProvider::complete(const Request& request, const AttemptLimits& limits,
                                      Context& context, Sink& sink) {
  Status status = co_await exchange(request, limits, context, sink);
  if (!status) upstream_->redact(status.error());  // also of errors inside a 200
  co_return status;
}

Task<Status> RemoteProvider::exchange(const Request& request, const AttemptLimits& limits,
                                      Context& context, Sink& sink) {
  const wire::TargetInfo target = info_for(request.model);
  const Dialect& dialect = dialect_of(dialect_for(request, target.model));
  auto wire = dialect.write_request(request, target);
  if (!wire) co_return std::unexpected(std::move(wire).error());
  context.dropped = std::move(wire->dropped);

  if (dialect.id == DialectId::kReplicate) {
    co_return co_await predict(std::move(*wire), request.stream, limits, context, sink);
  }
  const TimePoint from = now();
  auto response = co_await send(std::move(*wire), limits, context);
  context.waited_since(from);
  if (!response) co_return std::unexpected(std::move(response).error());
  const auto decoder = dialect.new_decoder();
  co_return co_await relay(*response, *decoder, request.stream, limits, context, sink);
}

Task<Status> RemoteProvider::relay(ClientResponse& response, wire::ReplyDecoder& decoder, bool stream,
                                   const AttemptLimits& limits, Context& context, Sink& sink) {
  EventBatch events;
  TimePoint from;
  const auto framer = wire::new_framer(wire::framing_of(response.headers().get("content-type"),
                                                        dialect_of(upstream_->dialect).json_framing, stream));
  if (!framer) {
    from = now();
    auto body = co_await response.read_all(std::min(after(limits.gap), context.deadline),
                                            size_t(limits.max_reply_bytes));
    context.waited_since(from);
    if (!body) co_return std::unexpected(std::move(body).error());
    events.reserve(8);  // events are large: they should not move as the batch grows
    AJAR_CO_TRY(decoder.on_body(*body, events));
    co_return co_await sink.write(events);
  }

  Status failure;
  const wire::OnFrame on_frame = [&](const wire::Frame& frame) {
    if (!decoder.done()) failure = decoder.on_event(frame.name, frame.data, events);
    return failure;
  };
  bool first = true;
  while (!decoder.done()) {
    Millis patience = first ? limits.first_token : limits.gap;
    first = false;
    from = now();
    auto bytes = co_await response.read(std::min(after(patience), context.deadline));
    context.waited_since(from);
    if (!bytes) co_return std::unexpected(std::move(bytes).error());
    if (bytes->empty()) break;
    const Status fed = framer->feed(*bytes, on_frame);
    // What came before a fault is still the reply's: it is written first.
    if (!events.empty()) {
      AJAR_CO_TRY(co_await sink.write(events));
      events.clear();
    }
    if (!failure) co_return failure;
    if (!fed && !decoder.done()) co_return fed;
  }
  if (!decoder.done()) failure = framer->finish(on_frame);
  if (failure) failure = decoder.on_end(events);
  if (!events.empty()) AJAR_CO_TRY(co_await sink.write(events));
  if (!failure) co_return failure;
  // Take the end of the body if it is there already, so that the connection can be used again.
  while (const auto rest = response.try_read()) {
    if (!*rest || (*rest)->empty()) break;
  }
  co_return Status();
}

Task<Result<EmbeddingReply>> RemoteProvider::embed(const EmbeddingRequest& request,
                                                   const AttemptLimits& limits, Context& context) {
  const Dialect& dialect = dialect_of(upstream_->dialect);
  if (!dialect.write_embedding_request) {
    co_return fail(Code::kUnsupported,
                   std::string(dialect_name(upstream_->dialect)) + " models do not offer embeddings");
  }
  auto wire = dialect.write_embedding_request(request, info_for(request.model));
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
  auto reply = dialect.read_embedding_reply(*body);
  if (reply && reply->rows() != request.rows()) {
    co_return fail(Code::kUpstream, "the provider sent " + std::to_string(reply->rows()) + " embeddings for " +
                                        std::to_string(request.rows()) + " inputs");
  }
  co_return reply;
}

}  // namespace ajar
