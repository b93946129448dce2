#include "api/call_sink.h"

#include "api/api.h"
#include "api/status.h"
#include "base/text.h"

namespace ajar::api {
namespace {

constexpr size_t kMaxTogether = 64 << 10;  // bytes of a stream that wait for its end, which saves a system call
constexpr size_t kMaxFolded = 64 << 20;  // a whole reply that is held for a client that does not stream

std::string dollars(int64_t nano) {
  std::string fraction = std::to_string(nano % 1'000'000'000);
  fraction.insert(0, 9 - fraction.size(), '0');
  return std::to_string(nano / 1'000'000'000) + "." + fraction;
}

// Names of fields may be anything that a client wrote; a header may not.
void add_dropped(Headers& headers, const Context& context) {
  constexpr size_t kMost = 1'024;
  std::string names;
  for (const std::string& name : context.dropped) {
    if (names.size() + name.size() > kMost) {
      names += ", ...";
      break;
    }
    if (!names.empty()) names += ", ";
    for (const char c : name) names.push_back(c > ' ' && c < 0x7f && c != ',' ? c : '?');
  }
  if (!names.empty()) headers.add("x-ajar-dropped", names);
}

Task<int> send_failure(Exchange& exchange, const CallHeaders& call, const Error& error, wire::WriteError write) {
  const int status = http_status(error);
  Headers headers = call.make("application/json");
  add_error_headers(error, headers);
  const std::string body = write(error, status, exchange.id());
  co_await exchange.send(status, std::move(headers), body);
  co_return status;
}

}  // namespace

void CallHeaders::begin(const Answered& answered) {
  route_ = answered.route;
  target_ = answered.target;
  cache_ = answered.cache, cache_id_ = answered.cache_id;
  ladder_ = answered.ladder;
  age_seconds_ = answered.age_seconds;
  attempts_ = answered.attempts;
  masked_ = answered.masked;
  simulator_ = answered.simulator, sure_ = answered.sure;
}

Headers CallHeaders::make(std::string_view content_type) const {
  Headers headers{{"content-type", content_type}, {"x-request-id", exchange_.id()}};
  if (!id_header_.empty()) headers.add(id_header_, exchange_.id());
  if (!target_.empty()) {
    headers.add("x-ajar-route", route_);
    headers.add("x-ajar-target", target_);
    if (attempts_ > 1) headers.add("x-ajar-attempts", std::to_string(attempts_));
    if (simulator_) headers.add("x-ajar-simulator", "true");
    if (!sure_) headers.add("x-ajar-unsure", "true");
    if (masked_ > 0) headers.add("x-ajar-masked", std::to_string(masked_));
  }
  if (!cache_.empty()) {
    headers.add("x-ajar-cache", cache_);
    headers.add("x-ajar-cache-id", cache_id_);
    if (age_seconds_ > 0) headers.add("age", std::to_string(age_seconds_));
  }
  if (!ladder_.empty()) headers.add("x-ajar-ladder", ladder_);
  return headers;
}

namespace {

// What a client may say of a call beside its body: x-ajar-data-class, x-ajar-cache (or cache-control), x-ajar-cache-tags.
void read_wishes(const Headers& headers, Context& context) {
  constexpr size_t kMostTags = 16;
  context.data_class = std::string(trim(headers.get("x-ajar-data-class")));
  for (const char* name : {"x-ajar-cache", "cache-control"}) {
    for (const auto word : split(headers.get(name), ',')) {
      const std::string wish = to_lower(trim(word));
      if (wish == "off") context.cache_read = context.cache_write = false;
      if (wish == "no-store") context.cache_write = false;
      if (wish == "no-cache" || wish == "refresh") context.cache_read = false;
    }
  }
  for (const auto tag : split(headers.get("x-ajar-cache-tags"), ',')) {
    if (!trim(tag).empty() && context.cache_tags.size() < kMostTags) context.cache_tags.emplace_back(trim(tag));
  }
}

}  // namespace

Context new_context(Exchange& exchange, const std::shared_ptr<const Key>& key, std::string_view endpoint) {
  Context context;
  read_wishes(exchange.request().headers, context);
  context.id = exchange.id();
  context.endpoint = endpoint;
  context.cancel = &exchange.cancel();
  if (key) context.caller = {.key_id = key->row.id, .key_name = key->row.name, .team = key->row.team};
  return context;
}

ChatSink::ChatSink(Exchange& exchange, const wire::Front& front, const Context& context, bool stream,
                   wire::ReplyOptions options)
    : exchange_(exchange), front_(front), context_(context), headers_(exchange, front.id_header), stream_(stream),
      options_(std::move(options)) {}

wire::ReplyEncoder& ChatSink::encoder() {
  if (!encoder_) {
    options_.input_estimate = context_.input_estimate;
    encoder_ = front_.new_encoder(options_);
  }
  return *encoder_;
}

Task<Status> ChatSink::write(EventBatch& events) {
  if (!stream_) {
    fold_.add(events);
    if (fold_.bytes() > kMaxFolded) {
      co_return fail(Code::kUpstream, "the reply is larger than 64 MiB; ask for it as a stream");
    }
    co_return Status();
  }
  if (!exchange_.started()) AJAR_CO_TRY(co_await start());
  encoder().encode(events, bytes_);
  if (bytes_.empty() || (whole_ && bytes_.size() < kMaxTogether)) co_return Status();
  const Status written = co_await exchange_.write(bytes_);
  bytes_.clear();
  co_return written;
}

Task<Status> ChatSink::start() {
  Headers headers = headers_.make(front_.stream_type);
  add_dropped(headers, context_);
  headers.add("cache-control", "no-cache");
  headers.add("x-accel-buffering", "no");
  co_return co_await exchange_.start(200, std::move(headers));
}

// Only server-sent events have comments. The headers then go before it is known who answers.
Task<Status> ChatSink::keep_alive() {
  if (!stream_ || whole_ || !front_.stream_type.starts_with("text/event-stream")) co_return Status();
  if (!exchange_.started()) AJAR_CO_TRY(co_await start());
  co_return co_await exchange_.write(": still thinking\n\n");
}

Task<int> ChatSink::finish(StreamEnd end, const Error* error, const store::CallRow& call) {
  if (end == StreamEnd::kCancelled) {
    exchange_.abort();
    co_return 499;
  }
  if (!exchange_.started() && error != nullptr) {
    co_return co_await send_failure(exchange_, headers_, *error, front_.write_error);
  }
  if (!stream_) {
    const std::string body = front_.write_reply(fold_.take(), options_);
    on_reply(body);
    Headers headers = headers_.make("application/json");
    add_dropped(headers, context_);
    headers.add("x-ajar-cost-usd", dollars(call.cost));
    co_await exchange_.send(200, std::move(headers), body);
    co_return 200;
  }
  encoder().finish(end, error, bytes_);
  if (end == StreamEnd::kComplete) {
    if (const std::string reply = encoder().take_reply(); !reply.empty()) on_reply(reply);
  }
  co_await exchange_.finish(bytes_);
  co_return 200;
}

Task<int> WholeSink::finish(StreamEnd end, const Error* error, const store::CallRow& call) {
  cost_ = call.cost;
  if (error == nullptr) co_return 200;
  if (end == StreamEnd::kCancelled) {
    exchange_.abort();
    co_return 499;
  }
  co_return co_await send_failure(exchange_, headers_, *error, write_error_);
}

Headers WholeSink::headers_for(std::string_view content_type, int64_t cost) const {
  Headers headers = headers_.make(content_type);
  if (cost >= 0) headers.add("x-ajar-cost-usd", dollars(cost));
  return headers;
}

}  // namespace ajar::api
