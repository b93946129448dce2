#include "app/mock.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include "app/mock_dialects.h"
#include "app/mock_reply.h"
#include "app/transcripts.h"
#include "base/text.h"
#include "http/server.h"
#include "json/write.h"

namespace ajar::app {
namespace {

constexpr std::string_view kReplay = "replay:";

Headers json_headers() {
  return Headers{{"content-type", "application/json"}, {"x-ajar-simulator", "true"}};
}

}  // namespace

const std::vector<MockFault>& mock_faults() {
  static const std::vector<MockFault> faults = {
      {"400", "a JSON error; so do 401 403 404 408 413 422 500 503 529"},
      {"429", "429 with Retry-After: 1"},
      {"plain-500", "500 with a text body"},
      {"html-502", "502 with an HTML page"},
      {"empty-500", "500 without a body"},
      {"empty-200", "200 with zero bytes"},
      {"not-json", "200 with text that is not JSON"},
      {"truncated-json", "200 whose JSON stops in the middle"},
      {"error-in-200", "200 whose JSON is an error object"},
      {"reset", "the connection closes before any byte"},
      {"hang", "no byte, ever"},
      {"cut", "the stream breaks off after its first tokens"},
      {"no-end", "the stream ends properly but without its terminal mark"},
      {"stall", "the first tokens, then silence"},
      {"error-first", "200, and the first SSE event is an error"},
      {"error-mid", "an SSE error after the first tokens"},
      {"garbage", "200, and SSE data that is not JSON"},
      {"garbage-mid", "the first tokens, then SSE data that is not JSON"},
      {"slow-drip", "the answer byte by byte"},
      {"wrong-length", "content-length promises more than comes"},
      {"split-utf8", "the answer in pieces of three bytes, splitting characters and lines"},
      {"flaky-N", "the first N requests with this name fail with 500, then all is well"},
  };
  return faults;
}

// One of the requests that came last on this thread, with its answer: load tests repeat themselves, and the simulator should
// cost little beside what is measured.
struct Prepared {
  std::string path, query, body;
  MockRequest request;
  MockReply reply;
  std::string whole;                // not streamed
  std::vector<std::string> frames;  // streamed
};

struct Mock::Impl {
  explicit Impl(MockOptions mock_options) : options(std::move(mock_options)), loops(options.threads) {}

  MockOptions options;
  Transcripts transcripts;
  std::mutex lock;                     // guards flaky, last_path, last_body
  std::map<std::string, int64_t> flaky;
  std::string last_path, last_body;    // of the last request with x-mock-record
  std::atomic<int64_t> requests = 0, running = 0, cancelled = 0, last_cancel_us = 0;
  LoopGroup loops;
  std::unique_ptr<Server> server;

  Task<> handle(Exchange& exchange);
  Task<> answer(Exchange& exchange, const Prepared& prepared, const std::string& fault);
  std::shared_ptr<const Prepared> prepare(const std::string& path, const HttpRequest& http) const;
  std::string stats();
  std::string last();
  Task<> replay(Exchange& exchange, const Transcript& transcript);
  Task<> list_transcripts(Exchange& exchange);
  // True when the fault was the whole answer.
  Task<bool> fail_whole(Exchange& exchange, const MockRequest& request, const std::string& fault);
  bool still_flaky(const std::string& fault);
};

bool Mock::Impl::still_flaky(const std::string& fault) {
  const auto times = parse_int(std::string_view(fault).substr(std::string_view("flaky-").size()));
  std::lock_guard guard(lock);
  return flaky[fault]++ < times.value_or(1);
}

Task<bool> Mock::Impl::fail_whole(Exchange& exchange, const MockRequest& request, const std::string& fault) {
  const auto error = [&](int status) -> Task<> {
    Headers headers = json_headers();
    if (status == 429) headers.set("retry-after", "1");
    const std::string body = mock_error(request.dialect, status, "simulated fault " + fault);
    co_await exchange.send(status, std::move(headers), body);
  };
  const auto text = [&](int status, std::string_view type, std::string body) -> Task<> {
    Headers headers{{"content-type", type}};
    co_await exchange.send(status, std::move(headers), body);
  };
  if (const auto status = parse_int(fault); status && *status >= 400 && *status < 600) {
    co_await error(int(*status));
  } else if (fault == "plain-500") {
    co_await text(500, "text/plain", "Internal Server Error");
  } else if (fault == "html-502") {
    co_await text(502, "text/html", "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway"
                                    "</h1><hr>nginx</body></html>");
  } else if (fault == "empty-500") {
    co_await text(500, "application/json", "");
  } else if (fault == "empty-200") {
    co_await text(200, request.stream ? mock_stream_type(request.dialect) : "application/json", "");
  } else if (fault == "not-json") {
    co_await text(200, "application/json", "upstream says hello");
  } else if (fault == "truncated-json") {
    const std::string body = mock_body(request, make_mock_reply(request, options.tokens));
    co_await text(200, "application/json", body.substr(0, body.size() / 2));
  } else if (fault == "error-in-200") {
    co_await text(200, "application/json", mock_error(request.dialect, 500, "simulated fault in a 200"));
  } else if (fault == "reset") {
    exchange.abort();
  } else if (fault == "hang") {
    co_await sleep_until(now() + std::chrono::minutes(10), exchange.cancel());
    exchange.abort();
  } else if (fault == "error-first" && request.stream) {
    co_await text(200, mock_stream_type(request.dialect),
                  mock_stream_error(request.dialect, "simulated error in a stream", true));
  } else if (fault == "garbage" && request.stream) {
    co_await text(200, mock_stream_type(request.dialect), std::string(mock_garbage(request.dialect, true)));
  } else if (fault == "wrong-length") {
    const std::string body = mock_body(request, make_mock_reply(request, options.tokens));
    co_await exchange.send_raw("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: " +
                               std::to_string(body.size() + 100) + "\r\n\r\n" + body);
  } else if (fault.starts_with("flaky-") && still_flaky(fault)) {
    co_await error(500);
  } else {
    co_return false;
  }
  co_return true;
}

std::shared_ptr<const Prepared> Mock::Impl::prepare(const std::string& path, const HttpRequest& http) const {
  thread_local std::shared_ptr<const Prepared> kept[2];  // a Replicate stream is two requests in turn
  thread_local size_t oldest = 0;
  for (const auto& one : kept) {
    if (one && one->path == path && one->query == http.query && one->body == http.body) return one;
  }
  auto fresh = std::make_shared<Prepared>();
  fresh->request = read_mock_request(path, http.query, http.body);
  fresh->request.host = std::string(http.headers.get("host"));
  fresh->reply = make_mock_reply(fresh->request, options.tokens);
  if (fresh->request.stream) fresh->frames = mock_frames(fresh->request, fresh->reply);
  else fresh->whole = mock_body(fresh->request, fresh->reply);
  fresh->path = path, fresh->query = http.query, fresh->body = http.body;
  oldest = 1 - oldest;
  return kept[1 - oldest] = std::move(fresh);
}

std::string Mock::Impl::stats() {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("requests", requests.load());
  w.field("running", running.load());
  w.field("cancelled", cancelled.load());
  w.field("last_cancel_us", last_cancel_us.load());
  w.end_object();
  return out;
}

std::string Mock::Impl::last() {
  std::lock_guard guard(lock);
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("path", last_path);
  w.field("body", last_body);
  w.end_object();
  return out;
}

// Microseconds of the clock that all processes of this machine share.
int64_t clock_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(now().time_since_epoch()).count();
}

void stamp(std::string& bytes) {
  std::string digits = std::to_string(clock_us());
  digits.insert(0, kClockMark.size() - std::min(kClockMark.size(), digits.size()), '0');
  for (size_t at = 0; (at = bytes.find(kClockMark, at)) != bytes.npos;) bytes.replace(at, digits.size(), digits);
}

Task<> Mock::Impl::answer(Exchange& exchange, const Prepared& prepared, const std::string& fault) {
  const MockRequest& request = prepared.request;
  const MockReply& reply = prepared.reply;
  const int64_t delay = request.delay_ms >= 0 ? request.delay_ms : options.first_delay_ms;
  const int64_t pace = request.pace_ms >= 0 ? request.pace_ms : options.pace_ms;
  ++requests;
  struct Running {
    std::atomic<int64_t>& count;
    ~Running() { --count; }
  } running_now{running};
  ++running;
  OnCancel on_cancel(exchange.cancel(), [this] {
    ++cancelled;
    last_cancel_us = clock_us();
  });
  if (delay > 0) co_await sleep_until(now() + Millis(delay), exchange.cancel());
  if (!fault.empty() && co_await fail_whole(exchange, request, fault)) co_return;
  const bool pieces = fault == "slow-drip" || fault == "split-utf8";
  if (!request.stream || request.dialect == MockDialect::kEmbeddings) {
    const std::string body = prepared.request.stream ? mock_body(request, reply) : std::string();
    const std::string& whole = prepared.request.stream ? body : prepared.whole;
    if (!pieces) {
      co_await exchange.send(200, json_headers(), whole);
      co_return;
    }
    co_await exchange.start(200, json_headers());
    const size_t step = fault == "slow-drip" ? 1 : 3;
    for (size_t at = 0; at < whole.size(); at += step) {
      if (!co_await exchange.write(std::string_view(whole).substr(at, step))) co_return;
    }
    co_await exchange.finish();
    co_return;
  }

  const std::vector<std::string>& frames = prepared.frames;
  size_t count = frames.size();
  const size_t first_tokens = mock_first_tokens(request.dialect);
  // OpenAI: neither [DONE] nor any finish_reason; Anthropic: no message_stop; Gemini: no finishReason.
  if (fault == "no-end") count = std::min(count - 1, first_tokens);
  Headers headers{{"content-type", mock_stream_type(request.dialect)}, {"x-ajar-simulator", "true"}};
  co_await exchange.start(200, std::move(headers));
  const bool breaks = fault == "cut" || fault == "stall" || fault == "error-mid" || fault == "garbage-mid";
  // Without a pace everything goes in bursts, as a fast server behind a proxy would send it.
  std::string burst;
  for (size_t i = 0; i < count; ++i) {
    if (breaks && i == first_tokens) break;
    if (pace > 0 && i > 0) {
      if (!co_await sleep_until(now() + Millis(pace), exchange.cancel())) co_return;
    }
    if (pieces) {
      const size_t step = fault == "slow-drip" ? 1 : 3;
      for (size_t at = 0; at < frames[i].size(); at += step) {
        if (!co_await exchange.write(std::string_view(frames[i]).substr(at, step))) co_return;
      }
      continue;
    }
    burst += frames[i];
    if (request.clock) stamp(burst);
    if (pace > 0 || burst.size() > 8192) {
      if (!co_await exchange.write(burst)) co_return;
      burst.clear();
    }
  }
  if (fault == "error-mid") burst += mock_stream_error(request.dialect, "simulated error in a stream", false);
  if (fault == "garbage-mid") burst += mock_garbage(request.dialect, false);
  if (!burst.empty() && !co_await exchange.write(burst)) co_return;
  if (fault == "cut") {
    co_await sleep_until(now() + Millis(5), exchange.cancel());
    exchange.abort();
    co_return;
  }
  if (fault == "stall") {
    co_await sleep_until(now() + std::chrono::minutes(10), exchange.cancel());
    exchange.abort();
    co_return;
  }
  co_await exchange.finish();
}

Task<> Mock::Impl::replay(Exchange& exchange, const Transcript& transcript) {
  Headers headers{{"content-type", transcript.content_type}, {"x-ajar-simulator", "true"}};
  for (const auto& [name, value] : transcript.headers) headers.set(name, value);
  co_await exchange.send(transcript.status, std::move(headers), transcript.body);
}

Task<> Mock::Impl::list_transcripts(Exchange& exchange) {
  std::string body;
  json::Writer w(body);
  w.begin_object();
  w.key("data");
  w.begin_array();
  for (const Transcript& one : transcripts.all) {
    static constexpr const char* kNames[] = {"none", "openai", "embeddings", "anthropic", "gemini",
                                             "gemini-embeddings", "ollama", "bedrock", "cohere", "replicate",
                                             "responses", "completions"};
    w.begin_object();
    w.field("id", one.id);
    w.field("dialect", kNames[int(one.dialect)]);
    w.field("stream", one.stream());
    w.field("status", one.status);
    w.end_object();
  }
  w.end_array();
  w.end_object();
  co_await exchange.send(200, json_headers(), body);
}

Task<> Mock::Impl::handle(Exchange& exchange) {
  const HttpRequest& http = exchange.request();
  std::string path = http.path;
  std::string fault(http.headers.get("x-mock-fault"));
  if (path.starts_with("/fault/")) {
    const size_t end = path.find('/', 7);
    fault = path.substr(7, end - 7);
    path = end == path.npos ? "/" : path.substr(end);
  }
  if (http.method == "GET" && path == "/mock/transcripts") co_return co_await list_transcripts(exchange);
  if (http.method == "GET" && (path == "/mock/stats" || path == "/mock/last")) {
    const std::string body = path == "/mock/stats" ? stats() : last();
    co_return (void)co_await exchange.send(200, json_headers(), body);
  }
  if (http.method == "GET" && path.ends_with("/models")) {
    const std::string body = "{\"object\":\"list\",\"data\":[{\"id\":\"mock-small\",\"object\":\"model\",\"created\":"
                             "1700000000,\"owned_by\":\"ajar-simulator\"}]}";
    co_return (void)co_await exchange.send(200, json_headers(), body);
  }
  if (http.method == "GET" && !mock_gets(path)) {
    const std::string body = "{\"simulator\":true,\"status\":\"ok\"}";
    co_return (void)co_await exchange.send(200, json_headers(), body);
  }
  if (http.headers.has("x-mock-record") && !http.body.empty()) {
    std::lock_guard guard(lock);
    last_path = path + (http.query.empty() ? "" : "?" + http.query);
    last_body = http.body;
  }
  const auto prepared = prepare(path, http);
  const MockRequest& request = prepared->request;
  if (request.dialect == MockDialect::kNone) {
    const std::string body = mock_error(MockDialect::kOpenAi, 404, "the simulator has nothing at " + path);
    co_return (void)co_await exchange.send(404, json_headers(), body);
  }
  if (request.model.starts_with(kReplay)) {
    const Transcript* found = transcripts.find(std::string_view(request.model).substr(kReplay.size()));
    if (found) co_return co_await replay(exchange, *found);
    const std::string body = mock_error(request.dialect, 404, "no such transcript: " + request.model);
    co_return (void)co_await exchange.send(404, json_headers(), body);
  }
  if (fault.empty() && request.model.starts_with("fault-")) fault = request.model.substr(6);
  co_await answer(exchange, *prepared, fault);
}

Mock::Mock(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Mock::~Mock() {
  impl_->server.reset();
  impl_->loops.stop();
}

Result<std::unique_ptr<Mock>> Mock::start(MockOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  if (!impl->options.transcripts.empty()) {
    AJAR_ASSIGN(impl->transcripts, load_transcripts(impl->options.transcripts));
  }
  ServerOptions server;
  server.listen = {impl->options.listen};
  impl->server = std::make_unique<Server>(impl->loops, std::move(server),
                                          [raw = impl.get()](Exchange& exchange) { return raw->handle(exchange); });
  AJAR_TRY(impl->server->listen());
  return std::unique_ptr<Mock>(new Mock(std::move(impl)));
}

std::string Mock::url() const {
  std::string host = impl_->options.listen.substr(0, impl_->options.listen.rfind(':'));
  if (host.empty() || host == "0.0.0.0") host = "127.0.0.1";
  return "http://" + host + ":" + std::to_string(impl_->server->port(0));
}

size_t Mock::transcripts() const { return impl_->transcripts.all.size(); }

}  // namespace ajar::app
