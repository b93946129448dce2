#pragma once
// For tests: the whole line with scripted providers. No sockets, but real loops, store, tenants and metrics.

#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <future>

#include "base/text.h"
#include "core/reply.h"
#include "gateway/gateway.h"
#include "net/loop.h"

namespace ajar {

using Kind = Event::Kind;

inline Event event(Kind kind, std::string text = {}) {
  Event e;
  e.kind = kind;
  e.text = std::move(text);
  return e;
}
inline Event start() {
  Event e = event(Kind::kStart);
  e.id = "x";
  e.name = "served-model";
  return e;
}
inline Event stop() {
  Event e = event(Kind::kStop);
  e.finish = Finish::kStop;
  return e;
}
inline Event used(int64_t input, int64_t output) {
  Event e = event(Kind::kUsage);
  e.usage = {.input = input, .output = output, .reported = true};
  return e;
}

// One scripted attempt: waits, says its events, then fails or not.
struct Script {
  EventBatch events;
  Status status;
  Millis before{0};       // the first event
  Millis between{0};
};
inline Script says(const std::string& text, int64_t input = 10, int64_t output = 5) {
  return {.events = {start(), event(Kind::kText, text), stop(), used(input, output)}};
}
inline Script fails(Code code, int upstream_status = 0, int64_t retry_after_ms = -1, EventBatch first = {}) {
  return {.events = std::move(first),
          .status = std::unexpected(Error{.code = code, .message = "scripted", .upstream_status = upstream_status,
                                          .retry_after_ms = retry_after_ms})};
}

class ScriptedProvider final : public Provider {
 public:
  Task<Status> complete(const Request& request, const AttemptLimits&, Context& context, Sink& sink) override {
    ++calls;
    streamed = request.stream;
    heard.clear();
    for (const Message& message : request.messages) {
      for (const Part& part : message.parts) heard += part.text + part.arguments + "\n";
    }
    logprobs = request.logprobs.value_or(false);
    const Script script = echo ? says(heard) : scripts.empty() ? says("default") : scripts.front();
    if (scripts.size() > 1) scripts.pop_front();
    const auto wait = [&](Millis time) -> Task<bool> {
      if (time.count() == 0) co_return !context.cancelled();
      co_return co_await sleep_until(now() + time, *context.cancel);
    };
    if (!co_await wait(script.before)) {
      ++cancelled;
      co_return fail(Code::kCancelled, "cancelled");
    }
    for (const Event& e : script.events) {
      EventBatch one{e};
      if (auto status = co_await sink.write(one); !status) co_return status;
      if (!co_await wait(script.between)) {
        ++cancelled;
        co_return fail(Code::kCancelled, "cancelled");
      }
    }
    co_return script.status;
  }
  Task<Result<EmbeddingReply>> embed(const EmbeddingRequest& request, const AttemptLimits&, Context&) override {
    ++calls;
    if (!scripts.empty() && !scripts.front().status) co_return std::unexpected(scripts.front().status.error());
    if (bag_of_words && !request.texts.empty()) {
      EmbeddingReply reply{.model = "e", .dim = 64, .values = std::vector<float>(64)};
      for (const auto word : split(request.texts[0], ' ')) reply.values[std::hash<std::string_view>()(word) % 64] += word.empty() ? 0.0f : 1.0f;
      co_return reply;
    }
    co_return EmbeddingReply{.model = "e", .dim = 2, .values = {1, 2}, .usage = {.input = 7, .reported = true}};
  }

  std::deque<Script> scripts;  // the last one repeats
  std::atomic<int> calls{0}, cancelled{0};
  bool echo = false, bag_of_words = false;
  std::string heard;  // the texts of the last request
  bool streamed = false, logprobs = false;
  std::optional<Millis> wait;  // expected, as told
  std::optional<Millis> expected_wait(const std::string&) const override { return wait; }
};

struct Heard {
  std::string text;
  StreamEnd end = StreamEnd::kComplete;
  std::optional<Error> error;
  store::CallRow row;
  int finishes = 0;
  std::string target, cache, ladder;  // as told before the first write
  bool sure = true, logprobs = false;
  size_t masked = 0;
  Finish finish = Finish::kNone;
};

class ListeningSink final : public ReplySink {
 public:
  explicit ListeningSink(Heard& heard, int leave_after = -1, CancelToken* token = nullptr)
      : heard_(heard), leave_after_(leave_after), token_(token) {}
  void begin(const Answered& answered) override {
    heard_.target = answered.target, heard_.cache = answered.cache, heard_.ladder = answered.ladder, heard_.sure = answered.sure, heard_.masked = answered.masked;
  }
  Task<Status> write(EventBatch& events) override {
    for (const Event& e : events) {
      heard_.text += e.kind == Kind::kText ? e.text : "";
      if (e.kind == Kind::kStop) heard_.finish = e.finish;
      heard_.logprobs = heard_.logprobs || e.kind == Kind::kLogprobs;
    }
    if (leave_after_ >= 0 && int(heard_.text.size()) >= leave_after_) {
      token_->cancel();
      co_return fail(Code::kCancelled, "the client left");
    }
    co_return Status();
  }
  Task<int> finish(StreamEnd end, const Error* error, const store::CallRow& row) override {
    ++heard_.finishes;
    heard_.end = end;
    if (error) heard_.error = *error;
    heard_.row = row;
    co_return error ? 500 : 200;
  }

 private:
  Heard& heard_;
  const int leave_after_;
  CancelToken* token_;
};

class GatewayTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/ajar-gateway-XXXXXX";
    folder_ = mkdtemp(pattern);
    store_ = std::move(*store::Store::open(folder_ + "/db"));
    tenants_ = std::move(*Tenants::load(*store_));
    log_ = std::move(*AccessLog::open("off"));
    for (const char* name : {"a", "b"}) {
      config_.providers.push_back({.name = name, .preset = "custom", .free = true});
    }
    route_ = {.name = "r", .targets = {{.provider = "a", .model = "m"}, {.provider = "b", .model = "m"}},
              .retries = 0, .retry_backoff = Millis(1)};
  }
  void TearDown() override {
    loops_.stop();
    std::filesystem::remove_all(folder_);
  }

  void build() {
    config_.routes = {route_};
    config_.routes.insert(config_.routes.end(), more_routes_.begin(), more_routes_.end());
    SnapshotBuilder builder([this](const ProviderConfig& provider, const TargetConfig&) {
      return Result<std::shared_ptr<Provider>>(provider.name == "a" ? a_ : provider.name == "b" ? b_ : j_);
    });
    auto snapshot = builder.build(config_);
    ASSERT_TRUE(snapshot) << snapshot.error().message;
    answers_ = std::move(*AnswerCache::open(64 << 20, cache_file_));
    memory_ = std::make_unique<Memory>(*answers_);
    auditor_ = std::make_unique<Auditor>(*store_, metrics_);
    shadows_ = std::make_unique<Shadows>(*store_, metrics_, privacy_);
    gateway_ = std::make_unique<Gateway>(GatewayParts{*tenants_, *store_, metrics_, *log_, *memory_, *auditor_, *shadows_, privacy_}, *snapshot);
  }

  Heard ask(Request request = Request{.model = "r"}, std::shared_ptr<const Key> key = nullptr,
            int leave_after = -1) {
    if (!gateway_) build();
    if (request.messages.empty()) {
      Message message;
      message.parts.push_back(Part{.text = "hello"});
      request.messages.push_back(message);
    }
    const auto heard = ask_all(request, std::move(key), 1, leave_after);
    last_heard_logprobs_ = heard[0].logprobs;
    return heard[0];
  }

  // The same request from several clients at once; the first leaves after so many bytes.
  std::deque<Heard> ask_at_once(int clients, int leave_after = -1) {
    if (!gateway_) build();
    Request request{.model = "r"};
    request.messages.push_back({.parts = {Part{.text = "hello"}}});
    return ask_all(request, nullptr, clients, leave_after);
  }

  std::deque<Heard> ask_all(const Request& request, std::shared_ptr<const Key> key, int clients, int leave_after) {
    std::deque<Heard> heard(static_cast<size_t>(clients));
    std::deque<std::promise<void>> done(heard.size());
    const auto run = [&](size_t i) -> Task<> {
      CancelToken token;
      Request own = request;
      Context context = context_;
      context.id = "req" + std::to_string(++requests_), context.cancel = &token, context.started = now();
      if (key) context.caller.key_id = key->row.id;
      ListeningSink sink(heard[i], i == 0 ? leave_after : -1, &token);
      co_await gateway_->chat(own, key, context, sink);
      done[i].set_value();
    };
    for (size_t i = 0; i < heard.size(); ++i) loops_[0].spawn(run(i));
    for (auto& one : done) one.get_future().wait();
    for (const Heard& one : heard) EXPECT_EQ(one.finishes, 1);
    return heard;
  }

  std::shared_ptr<const Key> key_with(store::Limits limits) {
    const auto made = tenants_->create_key({.name = "k" + std::to_string(++keys_), .limits = limits});
    EXPECT_TRUE(made);
    return *tenants_->authenticate(made->secret);
  }

  Context context_;  // of the next requests
  bool last_heard_logprobs_ = false;
  std::string folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Tenants> tenants_;
  std::unique_ptr<AccessLog> log_;
  Metrics metrics_;
  std::shared_ptr<ScriptedProvider> a_ = std::make_shared<ScriptedProvider>();
  std::shared_ptr<ScriptedProvider> b_ = std::make_shared<ScriptedProvider>();
  std::shared_ptr<ScriptedProvider> j_ = std::make_shared<ScriptedProvider>();  // any other
  Config config_;
  std::vector<RouteConfig> more_routes_;
  RouteConfig route_;
  std::string cache_file_;  // empty: memory only
  std::unique_ptr<AnswerCache> answers_;
  std::unique_ptr<Memory> memory_;
  std::unique_ptr<Auditor> auditor_;
  std::unique_ptr<Shadows> shadows_;
  Privacy privacy_{.secret = "a secret of thirty-two characters"};
  std::unique_ptr<Gateway> gateway_;
  LoopGroup loops_{1};
  int keys_ = 0, requests_ = 0;
};

}  // namespace ajar
