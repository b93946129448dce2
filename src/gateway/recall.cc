#include "gateway/recall.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "core/reply.h"
#include "gateway/event_codec.h"
#include "gateway/privacy.h"
#include "net/loop.h"

namespace ajar {
namespace {

// Followers fare as their leader where the fault is not the leader's own.
bool shared_by_all(const Error& error) {
  switch (error.code) {
    case Code::kCancelled:
    case Code::kBudget:
    case Code::kForbidden:
    case Code::kFiltered: return false;
    default: return true;
  }
}

bool worth_keeping(const EventBatch& events) {
  bool stopped = false;
  for (const Event& event : events) {
    if (event.kind != Event::Kind::kStop) continue;
    stopped = true;
    if (event.finish != Finish::kStop && event.finish != Finish::kLength && event.finish != Finish::kToolCalls) return false;
  }
  return stopped;
}

// Joins what came in pieces; empty when the reply is not one to say again.
std::string compacted(std::string_view bytes) {
  const auto events = read_events(bytes);
  if (!events || !worth_keeping(*events)) return {};
  EventWriter writer;
  writer.add(*events);
  return writer.take();
}

// What the key is made of never holds personal data where they are masked.
const Request& masked_or(const CallState& call, const Request& request) {
  if (call.masking == nullptr) return request;
  const Result<Request>& masked = call.masking->masked();
  return masked ? *masked : request;
}

}  // namespace

// Stands before the client while this call leads. Goes on without the client as long as others follow.
class Recall::Recorder final : public ReplySink {
 public:
  Recorder(Recall& recall, CallState& call, const RequestKey& key, std::shared_ptr<Flight> flight)
      : recall_(recall), memory_(recall.memory_), call_(call), client_(*call.client), key_(key), flight_(std::move(flight)), own_(std::make_shared<Own>()),
        left_(*call.context.cancel, [this] { client_left(); }) {
    call_.client = this;
    parent_ = call_.context.cancel;
    call_.context.cancel = &own_->token;
    flight_->on_desertion([weak = std::weak_ptr(own_), &loop = Loop::current()] {
      loop.post([weak] {
        if (const auto own = weak.lock(); own && own->orphan) own->token.cancel();
      });
    });
    if (parent_->cancelled()) client_left();
  }
  ~Recorder() override {
    flight_->on_desertion({});
    call_.client = &client_;
    call_.context.cancel = parent_;
  }

  void begin(const Answered& answered) override {
    flight_->begin({.route = std::string(answered.route), .target = std::string(answered.target), .simulator = answered.simulator,
                    .sure = answered.sure});
    keep_ = answered.keep;
    client_.begin(answered);
  }

  Task<Status> write(EventBatch& events) override {
    flight_->add(events);
    if (own_->orphan) co_return Status();
    Status status = co_await client_.write(events);
    if (!status && flight_->followers() > 0) {
      own_->orphan = true;
      co_return Status();
    }
    co_return status;
  }

  Task<Status> keep_alive() override {
    if (own_->orphan) co_return Status();
    co_return co_await client_.keep_alive();
  }

  Task<int> finish(StreamEnd end, const Error* error, const store::CallRow& row) override {
    const bool whole = end == StreamEnd::kComplete && error == nullptr;
    std::string events = flight_->take_events();
    if (whole && keep_ && call_.context.cache_write && !events.empty()) {
      if (std::string kept = compacted(events); !kept.empty()) {
        if (const auto said = read_events(kept)) recall_.learn_alike(*said);
        const int64_t now_ms = unix_millis();
        memory_.answers.put({.key = key_, .created_ms = now_ms, .expires_ms = now_ms + call_.route->config.cache_ttl.count(),
                             .cost = row.cost, .simulator = flight_->facts().simulator, .route = row.route, .target = row.target,
                             .model = row.model, .tags = call_.context.cache_tags, .events = std::move(kept)});
      }
    }
    memory_.flights.leave(key_, flight_.get());
    ended_ = true;
    const bool alike = error != nullptr && shared_by_all(*error);
    flight_->end(whole ? Flight::State::kWhole : alike || call_.committed() ? Flight::State::kFailed : Flight::State::kAbandoned, error);
    if (own_->orphan) end = StreamEnd::kCancelled;
    co_return co_await client_.finish(end, error, row);
  }

  // A call that dies without its finish.
  void abandon() {
    if (ended_) return;
    memory_.flights.leave(key_, flight_.get());
    flight_->end(Flight::State::kAbandoned, nullptr);
  }

 private:
  struct Own {
    CancelToken token;
    bool orphan = false;  // the client has left, others follow
  };
  void client_left() {
    own_->orphan = true;
    if (flight_->followers() == 0) own_->token.cancel();
  }

  Recall& recall_;
  Memory& memory_;
  CallState& call_;
  ReplySink& client_;
  const RequestKey key_;
  const std::shared_ptr<Flight> flight_;
  const std::shared_ptr<Own> own_;
  CancelToken* parent_ = nullptr;
  OnCancel<std::function<void()>> left_;
  bool keep_ = true, ended_ = false;
};

std::string cache_scope(const Route& route, const Caller& caller, const std::string& data_class) {
  std::string scope = route.fingerprint;
  switch (route.config.cache_scope) {
    case CacheScope::kTeam: scope += caller.team.empty() ? "\nkey " + caller.key_id : "\nteam " + caller.team; break;
    case CacheScope::kKey: scope += "\nkey " + caller.key_id; break;
    case CacheScope::kRoute: break;
  }
  return scope + "\n" + data_class;
}

Recall::Recall(Memory& memory, Metrics& metrics, CallState& call, const Request& request)
    : memory_(memory), metrics_(metrics), call_(call), request_(request) {}

Recall::~Recall() {
  if (recorder_) recorder_->abandon();
}

bool Recall::wanted(const CallState& call) {
  return call.route->config.cache != CacheMode::kOff && (call.data == nullptr || call.data->cache) && (call.context.cache_read || call.context.cache_write);
}

Task<std::optional<Status>> Recall::answer() {
  if (!wanted(call_)) co_return std::nullopt;
  key_ = request_key(masked_or(call_, request_), cache_scope(*call_.route, call_.context.caller, call_.context.data_class));
  call_.cache_id = key_.hex();
  call_.cache = "miss";
  if (!call_.context.cache_read) {
    lead(std::make_shared<Flight>());  // nobody joins, but the answer replaces what was known
    co_return std::nullopt;
  }
  for (;;) {
    if (const auto known = memory_.answers.find(key_, unix_millis())) co_return co_await replay(*known, "hit");
    if (!alike_ && call_.route->config.cache == CacheMode::kSemantic) {
      if (auto status = co_await answer_alike()) co_return status;
    }
    auto [flight, leads] = memory_.flights.enter(key_);
    if (leads) {
      lead(std::move(flight));
      break;
    }
    if (auto status = co_await follow(*flight)) co_return status;
    // Its leader left, or it is too late to join; a flight that can no longer be joined is answered beside it.
    auto [next, mine] = memory_.flights.enter(key_);
    if (mine) {
      lead(std::move(next));
      break;
    }
    if (next == flight) break;
  }
  co_return std::nullopt;
}

void Recall::lead(std::shared_ptr<Flight> flight) {
  flight_ = flight;
  recorder_ = std::make_unique<Recorder>(*this, call_, key_, std::move(flight));
}

namespace {

// The name of the model that says which questions are alike; empty: there is none.
std::string embedder_of(const CallState& call) {
  const auto route = call.snapshot->find(call.route->config.cache_embedder);
  return route ? route->targets.front().name : "";
}

// The one question that such answers are for; empty: conversations, tools, pictures, several answers, drawn ones.
std::string lone_question(const Request& request) {
  std::string question;
  int users = 0;
  for (const Message& message : request.messages) {
    if (message.role == Role::kSystem || message.role == Role::kDeveloper) continue;
    if (message.role != Role::kUser || ++users > 1) return "";
    for (const Part& part : message.parts) {
      if (part.kind != Part::Kind::kText) return "";
      question += part.text;
    }
  }
  const bool drawn = request.sampling.temperature.value_or(0) > 0 || request.choices() > 1;
  return drawn || !request.tools.empty() ? "" : question;
}

}  // namespace

Task<std::vector<float>> Recall::embed(const std::string& text) {
  const auto route = call_.snapshot->find(call_.route->config.cache_embedder);
  if (!route || (call_.data != nullptr && !forbidden(*call_.data, route->targets.front()).empty())) co_return std::vector<float>();
  EmbeddingRequest request;
  request.model = route->config.name;
  request.texts = {text};
  auto reply = co_await route->targets.front().provider->embed(request, route->limits, call_.context);
  if (!reply || reply->rows() != 1) co_return std::vector<float>();
  double square = 0;
  for (const float x : reply->values) square += double(x) * x;
  if (square <= 0) co_return std::vector<float>();
  for (float& x : reply->values) x = float(x / std::sqrt(square));
  co_return std::move(reply->values);
}

Task<std::optional<Status>> Recall::answer_alike() {
  Request rest = masked_or(call_, request_);
  std::string question = lone_question(rest);
  if (question.empty()) co_return std::nullopt;
  Alike alike{.embedding = co_await embed(question)};
  if (alike.embedding.empty()) co_return std::nullopt;
  for (Message& message : rest.messages) {
    if (message.role == Role::kUser) message.parts.clear();
  }
  // Vectors of two models do not compare.
  alike.bucket = request_key(rest, cache_scope(*call_.route, call_.context.caller, call_.context.data_class) + "\nalike\n" + embedder_of(call_));
  alike.question = std::move(question);
  alike.neighbour = memory_.alike.nearest(alike.bucket, alike.embedding, alike.question);
  if (alike.neighbour) {
    const auto answer = memory_.answers.find(alike.neighbour->entry->answer, unix_millis());
    if (!answer) {
      memory_.alike.forget(alike.bucket, *alike.neighbour->entry);
      alike.neighbour.reset();
    } else if (memory_.alike.serves(alike.bucket, *alike.neighbour, fast_uniform(), call_.route->config.cache_delta)) {
      // A share of what would be served is asked all the same, and says how often that would have been wrong.
      alike.audited = fast_uniform() < call_.route->config.audit;
      if (!alike.audited) co_return co_await replay(*answer, "semantic");
    }
  }
  alike_ = std::move(alike);
  co_return std::nullopt;
}

void Recall::learn_alike(const EventBatch& events) {
  if (!alike_) return;
  Fold fold;
  fold.add(events);
  std::string said = comparable(fold.reply());
  const bool same = alike_->neighbour && alike_->neighbour->entry->said == text_key(said);
  if (alike_->neighbour) {
    memory_.alike.observe(alike_->bucket, *alike_->neighbour, same, call_.route->config.cache_delta);
    if (alike_->audited) metrics_.semantic_audit(call_.route->config.name, same);
  }
  if (!same) memory_.alike.add(alike_->bucket, alike_->embedding, std::move(alike_->question), said, key_);
}

Task<Status> Recall::replay(const CachedAnswer& answer, std::string_view how) {
  auto events = read_events(answer.events);
  if (!events) co_return std::unexpected(std::move(events).error());
  call_.cache = how;
  call_.recalled = {.target = answer.target, .model = answer.model, .saved = answer.cost};
  for (const Event& event : *events) {
    if (event.kind == Event::Kind::kUsage) call_.recalled->usage.merge(event.usage);
    if (event.kind == Event::Kind::kStop) call_.recalled->finish = event.finish;
  }
  call_.first_event = now();
  call_.client->begin({.route = call_.route->config.name, .target = answer.target, .simulator = answer.simulator, .cache = how,
                       .cache_id = call_.cache_id, .age_seconds = std::max<int64_t>(0, (unix_millis() - answer.created_ms) / 1000), .whole = true});
  co_return co_await call_.client->write(*events);
}

Task<std::optional<Status>> Recall::follow(Flight& flight) {
  const auto signal = std::make_shared<Signal>(Loop::current());
  if (!flight.join(signal)) co_return std::nullopt;
  Waiter waiter(Loop::current());
  signal->listen(&waiter);
  struct Leave {
    Flight& flight;
    Signal& signal;
    ~Leave() { signal.listen(nullptr), flight.leave(&signal); }
  } leave{flight, *signal};
  const OnCancel left(*call_.context.cancel, [&waiter] { waiter.wake_later(Wake::kClosed); });

  size_t offset = 0;
  bool said = false;
  Recalled recalled;
  for (;;) {
    const Flight::News news = flight.look(offset);
    if (call_.context.cancelled()) co_return fail(Code::kCancelled, "the client left");
    if (!news.bytes.empty()) {
      auto events = read_events(news.bytes);
      if (!events) co_return std::unexpected(std::move(events).error());
      for (const Event& event : *events) {
        if (event.kind == Event::Kind::kUsage) recalled.usage.merge(event.usage);
        if (event.kind == Event::Kind::kStop) recalled.finish = event.finish;
      }
      if (!said) {
        said = true;
        call_.cache = "shared";
        call_.first_event = now();
        call_.client->begin({.route = call_.route->config.name, .target = news.facts.target, .simulator = news.facts.simulator,
                             .cache = "shared", .cache_id = call_.cache_id, .sure = news.facts.sure});
      }
      recalled.target = news.facts.target, recalled.model = news.facts.model;
      call_.recalled = recalled;
      if (auto status = co_await call_.client->write(*events); !status) co_return status;
      continue;  // more may have come meanwhile
    }
    if (news.state == Flight::State::kWhole && said) co_return Status();
    if (news.state != Flight::State::kRunning) {
      if (said) co_return fail(Code::kCut, "the call that this one shared its answer with broke off");
      if (news.state == Flight::State::kFailed && news.error) co_return std::unexpected(*news.error);
      co_return std::nullopt;
    }
    const TimePoint from = now();
    const Wake why = co_await waiter.wait(call_.context.deadline);
    call_.context.waited_since(from);
    if (why == Wake::kTimeout) co_return fail(Code::kTimeout, "the answer did not come in time");
  }
}

}  // namespace ajar
