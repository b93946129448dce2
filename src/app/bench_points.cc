#include "app/bench_points.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include "app/files.h"
#include "app/http_call.h"
#include "app/terminal.h"
#include "json/read.h"

namespace ajar::app {
namespace {

constexpr size_t kBody = 2048;
const std::string kReply = "mock-t200";  // about 1.3 KB

Result<Endpoint> endpoint_of(const Url& url) {
  if (url.tls) return invalid("url", "the load client speaks http only");
  return Endpoint{.host = url.host, .port = url.port};
}

// The server's batched writers (call log, access log) belong to its cost: they get the time to finish.
void let_settle() { std::this_thread::sleep_for(Millis(250)); }

std::string number(double value, int places) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", places, value);
  return text;
}

}  // namespace

const std::vector<BenchPoint>& bench_points() {
  static const std::vector<BenchPoint> all = {
      {"whole", "CPU per request of 2 KB, not streamed", true},
      {"tokens", "CPU per token of streams that come in bursts", true},
      {"paced", "512 streams at a token per 20 ms: none lost, delay added per token", true},
      {"latency", "delay added to one request at a time, interleaved with direct ones", true},
      {"rate", "requests per second of one loop", true},
      {"memory", "RSS: idle, 1,500 bodies of 150 KB at once, growth over many requests", true},
      {"pairs", "CPU of every client's API over every target's, whole and streamed; not with --quick unless named", false},
      {"ladder", "CPU of kept answers, decisions, judging, task models and guardrails; not with --quick unless named", false},
      {"embedded", "CPU of answers that need embeddings, where all-MiniLM-L6-v2 is; not with --quick unless named", false},
      {"start", "from exec to the first answered request", true},
  };
  return all;
}

Result<std::unique_ptr<Bench>> Bench::make(BenchOptions options) {
  std::unique_ptr<Bench> bench(new Bench(std::move(options)));
  AJAR_TRY(bench->start());
  return bench;
}

Status Bench::start() {
  if (!options_.url.empty()) {
    AJAR_ASSIGN(const Url url, parse_url(options_.url));
    AJAR_ASSIGN(served_.at, endpoint_of(url));
    std::string base = url.target;
    while (base.ends_with('/')) base.pop_back();
    path_ = (base.empty() ? "/v1" : base) + "/chat/completions";
    served_.key = options_.key;
    for (const int pid : options_.pids) pids_.push_back(pid);
    if (!options_.direct.empty()) {
      AJAR_ASSIGN(const Url direct, parse_url(options_.direct));
      AJAR_ASSIGN(upstream_, endpoint_of(direct));
    }
    return {};
  }
  AJAR_ASSIGN(place_, TemporaryPlace::make());
  AJAR_ASSIGN(mock_, Child::start({"mock", "--listen", "127.0.0.1:0"}, place_->path() + "/mock.log"));
  AJAR_ASSIGN(const std::string mock_url, mock_->url());
  AJAR_ASSIGN(const Url url, parse_url(mock_url));
  AJAR_ASSIGN(upstream_, endpoint_of(url));
  AJAR_ASSIGN(served_, serve("main"));
  pids_ = {served_.serve->pid()};
  return {};
}

// Everything on: a key with every kind of limit, metrics, the call log, an access log in a file.
Result<Bench::Served> Bench::serve(const std::string& name, const std::string& more) const {
  const std::string mock = "http://127.0.0.1:" + std::to_string(upstream_->port);
  const std::string folder = place_->path() + "/" + name;
  std::string config = "[server]\nlisten = [\"127.0.0.1:0\"]\nthreads = " + std::to_string(options_.threads) +
                       "\nmax_connections = 20000\naccess_log = \"" + folder + ".access\"\n[store]\npath = \"" +
                       folder + "\"\n";
  const auto provider = [&](const char* id, const char* preset, const char* path, const char* pattern) {
    config += std::string("[providers.") + id + "]\npreset = \"" + preset + "\"\nbase_url = \"" + mock + path +
              "\"\nfree = true\n[routes.\"" + pattern + "\"]\nbreaker_failures = 0\ntargets = [{ provider = \"" + id +
              "\" }]\n";
  };
  provider("o", "custom", "/v1", "mock-*");
  provider("a", "custom-anthropic", "", "a-mock-*");
  provider("g", "custom-gemini", "/v1beta", "g-mock-*");
  config += more;
  AJAR_TRY(place_->write(name + ".toml", config));
  Served served;
  AJAR_ASSIGN(served.serve, Child::start({"serve", "--config", place_->path() + "/" + name + ".toml"},
                                         place_->path() + "/" + name + ".log"));
  AJAR_ASSIGN(const std::string at, served.serve->url());
  AJAR_ASSIGN(const Url url, parse_url(at));
  AJAR_ASSIGN(served.at, endpoint_of(url));
  AJAR_ASSIGN(const std::string token, read_admin_token(folder));
  HttpCaller caller;
  AJAR_ASSIGN(const auto made,
              caller.call("POST", at + "/admin/keys", {{"authorization", "Bearer " + token}},
                          R"({"name":"bench","rpm":900000000,"tpm":9000000000,"concurrency":1000000,)"
                          R"("usd_month":900000,"tokens_month":9000000000})"));
  json::Document document;
  AJAR_ASSIGN(const auto body, document.parse_object(made.body));
  served.key = json::string_or(body, "secret");
  if (served.key.empty()) return fail(Code::kInternal, "no key was made: " + made.body);
  return served;
}

LoadPlan Bench::plan_of(const Served& served, const std::string& model, bool stream, size_t bytes) const {
  std::vector<std::string> headers = options_.headers;
  if (!served.key.empty()) headers.push_back("Authorization: Bearer " + served.key);
  LoadPlan plan{.to = served.at, .stream = stream};
  plan.request = request_bytes(served.at, path_, headers,
                               chat_body(options_.model.empty() ? model : options_.model, stream, bytes));
  return plan;
}

LoadPlan Bench::plan(const std::string& model, bool stream, size_t bytes) const {
  return plan_of(served_, model, stream, bytes);
}

LoadPlan Bench::direct(const LoadPlan& like, const std::string& model, bool stream, size_t bytes) const {
  LoadPlan plan = like;
  plan.to = *upstream_;
  plan.request = request_bytes(*upstream_, "/v1/chat/completions", {"Authorization: Bearer none"},
                               chat_body(options_.model.empty() ? model : options_.model, stream, bytes));
  return plan;
}

std::vector<Bench::Dialect> Bench::dialects() const {
  if (!options_.url.empty()) return {{"as given", "", true}};
  return {{"OpenAI to OpenAI", "", true}, {"OpenAI to Anthropic", "a-", false}, {"OpenAI to Gemini", "g-", false}};
}

Result<std::vector<Figure>> Bench::run(const std::string& point) {
  if (point == "whole") return whole();
  if (point == "tokens") return tokens();
  if (point == "paced") return paced();
  if (point == "latency") return latency();
  if (point == "rate") return rate();
  if (point == "memory") return memory();
  if (point == "start") return start_time();
  if (point == "pairs") return pairs();
  if (point == "ladder") return ladder();
  if (point == "embedded") return embedded();
  return invalid("only", "there is no point '" + point + "'");
}

// What else runs on a machine only ever adds to what a request costs: caches are lost, the core's other thread is busy.
constexpr int kParts = 5;

Bench::Cost Bench::cost(LoadPlan load, int64_t warm_up, int64_t requests, const std::vector<pid_t>& pids) {
  load.requests = warm_up;
  client_.run(load);
  let_settle();
  load.requests = requests / kParts;
  Cost least;
  int64_t failed = 0;
  std::string failure;
  for (int i = 0; i < kParts; ++i) {
    const Cpu before = cpu_of(pids);
    LoadResult result = client_.run(load);
    let_settle();
    const Cpu used = cpu_of(pids) - before;
    failed += result.failed;
    if (failure.empty()) failure = result.failure;
    const bool less = used.total() * double(least.result.answered) < least.used.total() * double(result.answered);
    if (least.result.answered == 0 || less) least = {std::move(result), used};
  }
  least.result.failed = failed, least.result.failure = std::move(failure);
  return least;
}

std::vector<Figure> Bench::whole() {
  std::vector<Figure> figures;
  for (const Dialect& dialect : dialects()) {
    LoadPlan load = plan(dialect.prefix + kReply, false, kBody);
    load.connections = 32;
    const auto [result, used] = cost(load, 2000, options_.quick ? 20'000 : 60'000, pids_);
    const double each = 1e6 / double(std::max<int64_t>(1, result.answered));
    Figure figure{.point = "whole", .what = std::string(dialect.name) + ", CPU per request", .unit = "µs",
                  .value = used.total() * each, .note = failures(result)};
    if (options_.url.empty()) figure.target = dialect.same ? 30 : 45;
    if (pids_.empty()) {
      figure.what = std::string(dialect.name) + ", rate at 32 connections";
      figure.unit = "requests/s";
      figure.value = double(result.answered) / result.seconds;
    } else if (figure.note.empty()) {
      figure.note = "user " + number(used.user * each, 1) + ", system " + number(used.system * each, 1) + "; " +
                    number(double(result.answered) / result.seconds, 0) + " requests/s";
    }
    figures.push_back(std::move(figure));
  }
  return figures;
}

std::vector<Figure> Bench::tokens() {
  constexpr int kTokens = 1000;
  std::vector<Figure> figures;
  for (const Dialect& dialect : dialects()) {
    LoadPlan load = plan(dialect.prefix + ("mock-t" + std::to_string(kTokens)), true, kBody);
    load.connections = 8;
    const auto [result, used] = cost(load, 50, options_.quick ? 500 : 2000, pids_);
    const double each = 1e6 / double(std::max<int64_t>(1, result.answered * kTokens));
    Figure figure{.point = "tokens", .what = std::string(dialect.name) + ", CPU per token", .unit = "µs",
                  .value = used.total() * each, .note = failures(result)};
    if (options_.url.empty()) figure.target = dialect.same ? 1.5 : 3;
    if (figure.note.empty() && result.events < result.answered * kTokens) {
      figure.note = "EVENTS ARE MISSING: " + std::to_string(result.events);
    } else if (figure.note.empty()) {
      figure.note = "user " + number(used.user * each, 2) + ", system " + number(used.system * each, 2) +
                    "; streams of 1,000 tokens, the request included";
    }
    figures.push_back(std::move(figure));
  }
  return figures;
}

Result<std::vector<Figure>> Bench::paced() {
  if (!upstream_) return fail(Code::kUnsupported, "needs --direct, the upstream to compare with");
  constexpr int kStreams = 512;
  const int tokens = options_.quick ? 64 : 192;
  const std::string model = "mock-t" + std::to_string(tokens) + "-p20-c";
  LoadPlan load = plan(model, true, 400);
  load.connections = kStreams;
  load.requests = kStreams;
  load.ramp = Millis(1000);  // so that the streams do not beat in step
  LoadPlan straight = direct(load, model, true, 400);
  LoadResult floor = client_.run(straight);
  let_settle();
  const Cpu before = cpu_of(pids_);
  LoadResult result = client_.run(load);
  let_settle();
  const Cpu used = cpu_of(pids_) - before;
  const int64_t expected = int64_t(kStreams) * tokens;
  const double p50 = quantile(result.delay_us, 0.5), p99 = quantile(result.delay_us, 0.99);
  const double floor50 = quantile(floor.delay_us, 0.5), floor99 = quantile(floor.delay_us, 0.99);
  const auto ms = [](double us) { return us / 1000; };
  std::vector<Figure> figures;
  figures.push_back({.point = "paced", .what = "streams kept of 512", .unit = "", .value = double(result.answered),
                     .target = kStreams, .at_least = true, .note = failures(result)});
  if (result.answered == 0) return figures;
  figures.push_back({.point = "paced", .what = "tokens lost", .unit = "",
                     .value = double(std::max<int64_t>(0, expected - int64_t(result.delay_us.size()))), .target = 0,
                     .note = count(int64_t(result.delay_us.size())) + " arrived"});
  figures.push_back({.point = "paced", .what = "delay added per token, p50", .unit = "ms", .value = ms(p50 - floor50),
                     .note = "through " + number(ms(p50), 2) + ", direct " + number(ms(floor50), 2)});
  figures.push_back({.point = "paced", .what = "delay added per token, p99", .unit = "ms", .value = ms(p99 - floor99),
                     .target = 5, .note = "through " + number(ms(p99), 2) + ", direct " + number(ms(floor99), 2)});
  if (!pids_.empty()) {
    figures.push_back({.point = "paced", .what = "CPU per token", .unit = "µs",
                       .value = used.total() * 1e6 / double(expected),
                       .note = "each token alone: read, translate, write"});
  }
  return figures;
}

Result<std::vector<Figure>> Bench::latency() {
  if (!upstream_) return fail(Code::kUnsupported, "needs --direct, the upstream to compare with");
  const auto compare = [&](const std::string& model, bool stream, int64_t requests) {
    LoadPlan through = plan(model, stream, kBody);
    LoadPlan straight = direct(through, model, stream, kBody);
    straight.requests = through.requests = requests / 10;
    client_.alternate(straight, through);
    straight.requests = through.requests = requests;
    return client_.alternate(straight, through);
  };
  const auto difference = [&](const char* what, std::vector<float>& direct, std::vector<float>& through, double q,
                              double unit, const char* name, std::optional<double> target) {
    const double a = quantile(direct, q) / unit, b = quantile(through, q) / unit;
    Figure figure{.point = "latency", .what = what, .unit = name, .value = b - a,
                  .note = "through " + number(b, unit > 1 ? 3 : 0) + ", direct " + number(a, unit > 1 ? 3 : 0)};
    if (options_.url.empty()) figure.target = target;
    return figure;
  };
  auto [direct_whole, through_whole] = compare(kReply, false, options_.quick ? 4000 : 15'000);
  auto [direct_stream, through_stream] = compare("mock-t8", true, options_.quick ? 2000 : 8000);
  std::vector<Figure> figures;
  figures.push_back(difference("delay added to an answer, p50", direct_whole.latency_us, through_whole.latency_us,
                               0.5, 1, "µs", 60));
  figures.push_back(difference("delay added to an answer, p99", direct_whole.latency_us, through_whole.latency_us,
                               0.99, 1, "µs", 200));
  figures.push_back(difference("time to the first token added, p50", direct_stream.first_us, through_stream.first_us,
                               0.5, 1000, "ms", 0.3));
  figures.push_back(difference("time to the first token added, p99", direct_stream.first_us, through_stream.first_us,
                               0.99, 1000, "ms", std::nullopt));
  if (through_whole.failed > 0) figures[0].note = figures[1].note = failures(through_whole);
  if (through_stream.failed > 0) figures[2].note = figures[3].note = failures(through_stream);
  return figures;
}

std::vector<Figure> Bench::rate() {
  LoadPlan load = plan(kReply, false, kBody);
  load.connections = 64;
  load.requests = 3000;
  client_.run(load);
  let_settle();
  load.requests = options_.quick ? 30'000 : 100'000;
  const Cpu before = cpu_of(pids_);
  const LoadResult result = client_.run(load);
  const Cpu used = cpu_of(pids_) - before;
  Figure figure{.point = "rate", .what = "requests per second, 64 connections", .unit = "/s",
                .value = double(result.answered) / result.seconds, .at_least = true, .note = failures(result)};
  if (options_.url.empty()) figure.target = 18'000;
  if (figure.note.empty() && !pids_.empty()) {
    figure.note = "the server had " + number(used.total() / result.seconds * 100, 0) + " % of a core";
  }
  std::vector<Figure> figures{figure};
  if (!pids_.empty() && used.total() > 0) {
    figures.push_back({.point = "rate", .what = "the same by CPU time: per second of CPU", .unit = "/s",
                       .value = double(result.answered) / used.total(), .at_least = true,
                       .note = "what one core would give that nothing else wants"});
  }
  return figures;
}

Result<std::vector<Figure>> Bench::memory() {
  if (!options_.url.empty()) return fail(Code::kUnsupported, "needs a server of its own");
  AJAR_ASSIGN(const Served served, serve("memory"));
  const pid_t pid = served.serve->pid();
  std::this_thread::sleep_for(Millis(500));
  std::vector<Figure> figures;
  figures.push_back({.point = "memory", .what = "RSS idle after start", .unit = "MiB", .value = memory_of(pid).now,
                     .target = 30});

  LoadPlan big = plan_of(served, "mock-t20-d4000", false, 150'000);
  big.connections = 1500;
  big.requests = 1500;
  const LoadResult burst = client_.run(big);
  figures.push_back({.point = "memory", .what = "RSS peak, 1,500 requests of 150 KB at once", .unit = "MiB",
                     .value = memory_of(pid).peak, .target = 500, .note = failures(burst)});
  std::this_thread::sleep_for(Millis(500));
  figures.push_back({.point = "memory", .what = "RSS after them", .unit = "MiB", .value = memory_of(pid).now});

  constexpr int kSlices = 10;
  constexpr int64_t kWarmUp = 50'000;
  const int64_t requests = options_.requests > 0 ? options_.requests : options_.soak ? 1'000'000 : 50'000;
  LoadPlan load = plan_of(served, kReply, false, kBody);
  load.connections = 32;
  // Pools, caches and the call log's pages fill first; what counts is what comes after.
  load.requests = kWarmUp;
  int64_t failed = client_.run(load).failed;
  std::vector<double> rss{memory_of(pid).now};
  load.requests = requests / kSlices;
  for (int i = 0; i < kSlices; ++i) {
    failed += client_.run(load).failed;
    rss.push_back(memory_of(pid).now);
  }
  std::string series;
  for (const double value : rss) series += " " + number(value, 0);
  figures.push_back({.point = "memory", .what = "RSS growth over " + count(requests) + " requests",
                     .unit = "MiB", .value = rss.back() - rss[0], .target = 1,
                     .note = "after " + count(kWarmUp) + " and then each tenth:" + series + (failed > 0 ? ", " + std::to_string(failed) + " FAILED" : "")});
  return figures;
}

Result<std::vector<Figure>> Bench::start_time() {
  if (!options_.url.empty()) return fail(Code::kUnsupported, "needs a server of its own");
  std::string key;
  {
    AJAR_ASSIGN(Served first, serve("start"));
    key = first.key;
  }
  std::vector<float> times;
  for (int i = 0; i < (options_.quick ? 5 : 11); ++i) {
    const TimePoint from = now();
    AJAR_ASSIGN(const auto child, Child::start({"serve", "--config", place_->path() + "/start.toml"},
                                               place_->path() + "/start.log"));
    AJAR_ASSIGN(const std::string at, child->url());
    AJAR_ASSIGN(const Url url, parse_url(at));
    Served served{.key = key};
    AJAR_ASSIGN(served.at, endpoint_of(url));
    LoadPlan one = plan_of(served, kReply, false, kBody);
    one.requests = 1;
    const LoadResult result = client_.run(one);
    if (result.answered != 1) return fail(Code::kUpstream, "the first request failed: " + result.failure);
    times.push_back(float(seconds_between(from, now()) * 1000));
  }
  const double median = quantile(times, 0.5);
  return std::vector<Figure>{{.point = "start", .what = "start to the first answer, median", .unit = "ms",
                              .value = median, .target = 150,
                              .note = "worst " + number(*std::ranges::max_element(times), 0) + " of " +
                                      std::to_string(times.size())}};
}

}  // namespace ajar::app
