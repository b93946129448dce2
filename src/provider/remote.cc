#include "provider/remote.h"

#include <algorithm>

#include "base/text.h"
#include "http/sse.h"
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

bool is_event_stream(std::string_view content_type) {
  return iequals(trim(content_type.substr(0, content_type.find(';'))), "text/event-stream");
}

// Some servers quote the credential that they refuse. It is ours, and goes to nobody.
void redact(std::string& text, const std::string& secret) {
  if (secret.empty()) return;
  for (size_t at = 0; (at = text.find(secret, at)) != text.npos;) text.replace(at, secret.size(), "***");
}

Result<Headers> make_headers(const UpstreamSpec& spec, AuthStyle auth) {
  Headers headers;
  headers.set("content-type", "application/json");
  headers.set("accept-encoding", "identity");
  headers.set("user-agent", "ajar/0.1");
  if (!spec.api_key.empty()) {
    if (!Headers::valid_value(spec.api_key)) {
      return invalid("api_key", "the key has characters that cannot stand in an HTTP header");
    }
    switch (auth) {
      case AuthStyle::kBearer: headers.set("authorization", "Bearer " + spec.api_key); break;
      case AuthStyle::kXApiKey: headers.set("x-api-key", spec.api_key); break;
      case AuthStyle::kApiKey: headers.set("api-key", spec.api_key); break;
      case AuthStyle::kGoogApiKey: headers.set("x-goog-api-key", spec.api_key); break;
    }
  }
  for (const auto& [name, value] : spec.headers) {
    if (!Headers::valid_name(name) || !Headers::valid_value(value)) {
      return invalid("headers", "'" + name + "' is not a valid HTTP header");
    }
    headers.set(name, value);
  }
  return headers;
}

}  // namespace

Result<std::shared_ptr<const Upstream>> make_upstream(const UpstreamSpec& spec) {
  const Preset* preset = find_preset(spec.preset);
  if (!preset) {
    std::string known;
    for (const Preset& p : presets()) known += (known.empty() ? "" : ", ") + std::string(p.name);
    return invalid("preset", "unknown preset '" + spec.preset + "'; known are " + known);
  }
  const std::string base_url = spec.base_url.empty() ? std::string(preset->base_url) : spec.base_url;
  if (base_url.empty()) {
    return invalid("base_url", "preset '" + spec.preset + "' needs a base_url");
  }
  auto upstream = std::make_shared<Upstream>();
  auto url = parse_url(base_url);
  if (!url) return invalid("base_url", url.error().message);
  upstream->base = std::move(*url);
  while (upstream->base.target.ends_with('/')) upstream->base.target.pop_back();
  upstream->provider = spec.provider;
  upstream->api_key = spec.api_key;
  upstream->dialect = preset->dialect;
  if (!spec.completions.empty() && spec.completions != "native" && spec.completions != "chat") {
    return invalid("completions", "'completions' must be \"native\" or \"chat\"");
  }
  upstream->completions = spec.completions;
  AJAR_ASSIGN(upstream->headers, make_headers(spec, preset->auth));
  upstream->tls.ca_file = spec.ca_file;
  upstream->tls.insecure = spec.tls_insecure;
  upstream->info.preset = spec.preset;
  upstream->info.base_path = upstream->base.target;
  upstream->info.api_version = spec.api_version;
  upstream->info.keep_unknown = spec.keep_unknown;
  return upstream;
}

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
  Headers headers = upstream_->headers;
  for (const auto& [name, value] : wire.headers) headers.set(name, value);
  const ClientRequest outgoing{.url = url,
                               .headers = headers,
                               .body = wire.body,
                               .connect_deadline = std::min(after(limits.connect), context.deadline),
                               .first_byte_deadline = std::min(after(limits.first_token), context.deadline),
                               .tls = &upstream_->tls};
  auto response = co_await clients_.here().send(outgoing, *context.cancel);
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
  auto body = co_await response->read_all(patience, kMaxErrorBody);
  Error error = dialect_of(upstream_->dialect)
                    .read_error(status, response->headers().get("content-type"),
                                body ? std::string_view(*body) : std::string_view());
  if (status == 401 || status == 403) {
    // It is our credential that was refused. A client that were told 401 would look for the fault in its own key.
    error.code = Code::kUpstream;
    error.message = "the provider '" + upstream_->provider + "' refused Ajar's credentials: " + error.message;
  }
  error.upstream_status = status;
  if (const int64_t wait = retry_after_ms(response->headers()); wait >= 0) error.retry_after_ms = wait;
  co_return std::unexpected(std::move(error));
}

Task<Status> RemoteProvider::complete(const Request& request, const AttemptLimits& limits,
                                      Context& context, Sink& sink) {
  Status status = co_await exchange(request, limits, context, sink);
  if (!status) redact(status.error().message, upstream_->api_key);  // also of errors inside a 200
  co_return status;
}

Task<Status> RemoteProvider::exchange(const Request& request, const AttemptLimits& limits,
                                      Context& context, Sink& sink) {
  const wire::TargetInfo target = info_for(request.model);
  const Dialect& dialect = dialect_of(dialect_for(request, target.model));
  auto wire = dialect.write_request(request, target);
  if (!wire) co_return std::unexpected(std::move(wire).error());

  TimePoint from = now();
  auto response = co_await send(std::move(*wire), limits, context);
  context.waited_since(from);
  if (!response) co_return std::unexpected(std::move(response).error());

  const auto decoder = dialect.new_decoder();
  EventBatch events;
  if (!is_event_stream(response->headers().get("content-type"))) {
    from = now();
    auto body = co_await response->read_all(std::min(after(limits.gap), context.deadline),
                                            size_t(limits.max_reply_bytes));
    context.waited_since(from);
    if (!body) co_return std::unexpected(std::move(body).error());
    AJAR_CO_TRY(decoder->on_body(*body, events));
    co_return co_await sink.write(events);
  }

  SseParser sse;
  Status failure;
  bool first = true;
  while (!decoder->done()) {
    Millis patience = first ? limits.first_token : limits.gap;
    first = false;
    from = now();
    auto bytes = co_await response->read(std::min(after(patience), context.deadline));
    context.waited_since(from);
    if (!bytes) co_return std::unexpected(std::move(bytes).error());
    if (bytes->empty()) break;
    const Status fed = sse.feed(*bytes, [&](const SseEvent& event) {
      if (failure && !decoder->done()) failure = decoder->on_event(event.event, event.data, events);
    });
    // What came before a fault is still the reply's: it is written first.
    if (!events.empty()) {
      AJAR_CO_TRY(co_await sink.write(events));
      events.clear();
    }
    if (!failure) co_return failure;
    if (!fed) co_return fed;
  }
  failure = decoder->on_end(events);
  if (!events.empty()) AJAR_CO_TRY(co_await sink.write(events));
  if (!failure) co_return failure;
  // Take the end of the body if it is there already, so that the connection can be used again.
  while (const auto rest = response->try_read()) {
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
    redact(response.error().message, upstream_->api_key);
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
