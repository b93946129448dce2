// Replicate: a prediction is made, then streamed or asked for until it has ended, and given up when nobody waits for it.
// https://replicate.com/docs/topics/predictions/lifecycle
#include "net/loop.h"
#include "provider/remote.h"
#include "wire/framer.h"
#include "wire/replicate/replicate.h"

namespace ajar {
namespace {

constexpr size_t kMaxPrediction = 64 << 20;
constexpr Millis kFirstWait{250}, kLongestWait{2'000};  // between two questions
constexpr Millis kGiveUp{10'000};                       // for a cancellation

// Our key goes only to the configured host and to its siblings: api.example.com trusts stream.example.com.
bool trusted(const Url& base, const Url& url) {
  if (url.tls != base.tls) return false;
  if (url.host == base.host) return url.port == base.port;
  const size_t dot = base.host.find('.');
  if (dot == base.host.npos || url.port != (url.tls ? 443 : 80)) return false;
  const std::string_view domain = std::string_view(base.host).substr(dot);  // ".example.com"
  const bool a_name = domain.find_first_of("abcdefghijklmnopqrstuvwxyz") != domain.npos && domain.find('.', 1) != domain.npos;
  return a_name && std::string_view(url.host).ends_with(domain);
}

Task<> give_up(std::shared_ptr<const Upstream> upstream, Clients& clients, Url url) {
  CancelToken nobody;
  const ClientRequest outgoing{.url = url, .headers = upstream->headers, .body = {}, .connect_deadline = after(kGiveUp),
                               .first_byte_deadline = after(kGiveUp), .tls = &upstream->tls};
  auto response = co_await clients.here().send(outgoing, nobody);
  if (response) (void)co_await response->read_all(after(kGiveUp), kMaxPrediction);
}

// A prediction that runs. What is left when this goes is cancelled, so that it does not run on at our cost.
class Running {
 public:
  Running(std::shared_ptr<const Upstream> upstream, Clients& clients) : upstream_(std::move(upstream)), clients_(clients) {}
  ~Running() {
    Loop* loop = Loop::current_or_null();
    if (url_ && loop) loop->spawn(give_up(upstream_, clients_, std::move(*url_)));
  }
  void started(Url cancel) { url_ = std::move(cancel); }
  void ended() { url_.reset(); }

 private:
  const std::shared_ptr<const Upstream> upstream_;
  Clients& clients_;
  std::optional<Url> url_;
};

}  // namespace

Result<Url> follow(const Url& base, std::string_view text) {
  auto url = parse_url(text);
  if (!url) return fail(Code::kUpstream, "the provider named " + url.error().message);
  if (trusted(base, *url)) return url;
  return fail(Code::kUpstream, "the provider named an address at " + url->origin() +
                                   ", which is neither its own host nor one beside it; the key is not sent there");
}

Task<Status> RemoteProvider::predict(wire::WireRequest wire, bool stream, const AttemptLimits& limits, Context& context,
                                     Sink& sink) {
  using wire::replicate::Prediction;
  const TimePoint patience = std::min(after(limits.first_token), context.deadline);
  const auto ask = [&](std::string method, Url url, std::string body,
                       std::vector<std::pair<std::string, std::string>> headers) -> Task<Result<std::string>> {
    const TimePoint from = now();
    auto response = co_await send(std::move(method), std::move(url), std::move(headers), std::move(body), limits, context);
    if (!response) co_return std::unexpected(std::move(response).error());
    auto answer = co_await response->read_all(std::min(after(limits.gap), context.deadline), kMaxPrediction);
    context.waited_since(from);
    co_return answer;
  };

  Url url = upstream_->base;
  url.target = std::move(wire.path);
  auto answer = co_await ask("POST", url, std::move(wire.body), std::move(wire.headers));
  if (!answer) co_return std::unexpected(std::move(answer).error());
  EventBatch events;  // of an answer that is there
  auto prediction = wire::replicate::read_prediction(*answer, events);
  if (!prediction) co_return std::unexpected(std::move(prediction).error());

  Running running(upstream_, clients_);
  if (!prediction->ended() && !prediction->cancel_url.empty()) {
    AJAR_CO_ASSIGN(auto cancel, follow(upstream_->base, prediction->cancel_url));
    running.started(std::move(cancel));
  }
  if (stream && !prediction->stream_url.empty() && !prediction->ended()) {
    AJAR_CO_ASSIGN(auto source, follow(upstream_->base, prediction->stream_url));
    const auto decoder = wire::replicate::new_decoder();
    const TimePoint from = now();
    auto response = co_await send("GET", std::move(source), {{"accept", "text/event-stream"}, {"cache-control", "no-store"}},
                                  {}, limits, context);
    context.waited_since(from);
    if (!response) co_return std::unexpected(std::move(response).error());
    AJAR_CO_TRY(co_await relay(*response, *decoder, true, limits, context, sink));
    running.ended();
    // The stream does not count tokens; the prediction does, and a reply without counts is still whole.
    if (auto get = follow(upstream_->base, prediction->get_url)) {
      if (auto told = co_await ask("GET", std::move(*get), {}, {})) wire::replicate::read_usage(*told, events);
      if (!events.empty()) AJAR_CO_TRY(co_await sink.write(events));
    }
    co_return Status();
  }

  Millis wait = kFirstWait;
  while (!prediction->ended()) {
    if (now() + wait >= patience) co_return fail(Code::kTimeout, "the prediction did not end in time");
    const TimePoint from = now();
    if (!co_await sleep_until(now() + wait, *context.cancel)) co_return fail(Code::kCancelled, "the client left");
    context.waited_since(from);
    wait = std::min(wait * 2, kLongestWait);
    AJAR_CO_ASSIGN(auto get, follow(upstream_->base, prediction->get_url));
    answer = co_await ask("GET", std::move(get), {}, {});
    if (!answer) co_return std::unexpected(std::move(answer).error());
    prediction = wire::replicate::read_prediction(*answer, events);
    if (!prediction) {
      running.ended();  // it has failed by itself
      co_return std::unexpected(std::move(prediction).error());
    }
  }
  running.ended();
  co_return co_await sink.write(events);
}

}  // namespace ajar
