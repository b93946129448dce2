// ajar bench --engine MODEL: how fast the embedded engine reads prompts and writes answers, beside what the machine could do at most.
#include <algorithm>
#include <cstdio>
#include <future>

#include "app/bench_points.h"
#include "app/commands.h"
#include "app/terminal.h"
#include "base/clock.h"
#include "engine/encoder.h"
#include "engine/engine.h"
#include "json/write.h"

namespace ajar::app {
namespace {

double seconds_since(TimePoint from) { return std::chrono::duration<double>(now() - from).count(); }

struct Limits {
  double operations = 0;  // per second, all threads
  double bytes = 0;       // per second, read from memory on large pages
};

Limits machine_limits(engine::ComputePool& pool, const engine::Kernels& kernels) {
  Limits limits;
  auto buffer = engine::HugeBuffer::make(size_t{512} << 20);
  for (int round = 0; round < 3; ++round) {
    TimePoint from = now();
    std::vector<double> done(static_cast<size_t>(pool.threads()) * 8);
    pool.run(pool.threads(), [&](int64_t task, int) { done[static_cast<size_t>(task) * 8] = kernels.peak(3'000'000); });
    double total = 0;
    for (double d : done) total += d;
    limits.operations = std::max(limits.operations, total / seconds_since(from));
    if (!buffer) continue;
    if (round == 0) std::fill_n(buffer->data(), buffer->size(), std::byte{1});
    constexpr int64_t kPiece = 8 << 20;
    from = now();
    std::atomic<uint64_t> sink{0};
    pool.run(static_cast<int64_t>(buffer->size()) / kPiece, [&](int64_t task, int) {
      const auto* p = reinterpret_cast<const uint64_t*>(buffer->data() + task * kPiece);
      uint64_t sums[16] = {};
      for (int64_t i = 0; i < kPiece / 8; i += 16) {
        __builtin_prefetch(p + i + 1024, 0, 2);
        __builtin_prefetch(p + i + 1032, 0, 2);
        for (int j = 0; j < 16; ++j) sums[j] += p[i + j];
      }
      for (uint64_t s : sums) sink += s;
    });
    limits.bytes = std::max(limits.bytes, static_cast<double>(buffer->size()) / seconds_since(from));
  }
  return limits;
}

struct Done {
  engine::GenerationStats stats;
  std::vector<TimePoint> times;
};

std::future<Done> start(engine::Engine& engine, int prompt, int generate, int seed) {
  engine::Generation want;
  for (int i = 0; i < prompt; ++i) want.prompt.push_back((i * 7919 + seed * 104729 + 11) % engine.model().config().vocab);
  want.max_tokens = generate;
  want.ignore_end = true;
  want.sampling.temperature = 0;
  want.cache_root = static_cast<uint64_t>(seed) + 1;  // nothing is shared
  auto done = std::make_shared<Done>();
  auto promise = std::make_shared<std::promise<Done>>();
  want.on_token = [done](const engine::Sampled&) { done->times.push_back(now()); };
  want.on_done = [done, promise](engine::FinishReason, const engine::GenerationStats& stats, Error) {
    done->stats = stats;
    promise->set_value(std::move(*done));
  };
  auto future = promise->get_future();
  if (auto handle = engine.submit(std::move(want)); !handle) promise->set_value({});
  return future;
}

struct Line {
  std::string what;
  double value;
  std::string unit;
  double of_limit;  // 0: has none
};

// Time between two tokens of a stream, while it is alone and while a long prompt is read beside it.
void measure_stall(engine::Engine& engine, const EngineBenchOptions& options, std::vector<Line>& lines) {
  auto gaps = [](const std::vector<Done>& all, TimePoint from, TimePoint until) {
    std::vector<double> out;
    for (const Done& done : all)
      for (size_t i = 1; i < done.times.size(); ++i)
        if (done.times[i - 1] >= from && done.times[i - 1] < until) out.push_back(std::chrono::duration<double, std::milli>(done.times[i] - done.times[i - 1]).count());
    std::ranges::sort(out);
    return out;
  };
  std::vector<std::future<Done>> streams;
  for (int i = 0; i < 4; ++i) streams.push_back(start(engine, 16, options.generate * 4, 900 + i));
  std::this_thread::sleep_for(std::chrono::seconds(3));
  TimePoint disturbed = now();
  auto long_prompt = start(engine, options.stall_prompt, 1, 999).get();
  TimePoint over = now();
  std::vector<Done> all;
  for (auto& stream : streams) all.push_back(stream.get());
  auto before = gaps(all, disturbed - std::chrono::milliseconds(2500), disturbed), during = gaps(all, disturbed, over);
  if (before.empty() || during.empty()) return;
  lines.push_back({"4 streams: median gap undisturbed", before[before.size() / 2], "ms", 0});
  lines.push_back({"4 streams: p99 gap beside a prompt of " + std::to_string(options.stall_prompt), during[during.size() * 99 / 100], "ms", 0});
  lines.push_back({"that prompt, to its first token", long_prompt.stats.prefill_s, "s", 0});
}

Status measure_decoder(const std::shared_ptr<const engine::Model>& model, const std::shared_ptr<const engine::Tokenizer>& tokenizer,
                       const std::shared_ptr<engine::ComputePool>& pool, const engine::MultiplierOptions& multiplier, const EngineBenchOptions& options,
                       TimePoint loading, std::vector<Line>& lines, const Limits& limits) {
  int most = *std::ranges::max_element(options.streams);
  int longest = std::max({options.prompt, options.stall_prompt, options.depth}) + options.generate * 4 + 64;
  const engine::KvType kv = engine::find_kv_type(options.kv).value_or(engine::KvType::kF16);
  auto engine = engine::Engine::start(model, tokenizer, pool,
                                      {.cache_bytes = engine::KvPool::page_bytes(model->config(), kv) *
                                                      (int64_t{longest} / engine::kPageTokens + 2 + int64_t{most} * ((std::max(64, options.depth) + options.generate) / engine::kPageTokens + 2) + 40),
                                       .context = longest,
                                       .speculate = 0,  // greedy text of random weights repeats itself; guessing would flatter
                                       .kv = kv,
                                       .multiplier = multiplier});
  if (!engine) return std::unexpected(engine.error());
  start(**engine, 1, 1, 0).get();
  double first_s = seconds_since(loading);

  double head = static_cast<double>(model->head().rows) * model->head().columns;
  double weights = static_cast<double>(model->parameters()) - head;  // what a token of a prompt is multiplied with
  lines.push_back({"load to first token", first_s, "s", 0});
  double best = 0;
  for (int i = 0; i < options.repeat; ++i) best = std::max(best, options.prompt / start(**engine, options.prompt, 1, 10 + i).get().stats.prefill_s);
  lines.push_back({"prefill of " + std::to_string(options.prompt), best, "tokens/s", best * 2 * weights / limits.operations});
  for (int streams : options.streams) {
    best = 0;
    for (int i = 0; i < options.repeat; ++i) {
      std::vector<std::future<Done>> all;
      for (int s = 0; s < streams; ++s) all.push_back(start(**engine, options.depth > 0 ? options.depth : streams == 1 ? 1 : 64, options.generate, 100 * i + s + 20));
      double tokens = 0;
      TimePoint first = TimePoint::max(), last = TimePoint::min();
      for (auto& stream : all) {
        Done done = stream.get();
        // From when the last of them has begun until the first ends: all decode.
        tokens += static_cast<double>(done.times.size()) - 1;
        first = std::min(first, done.times.front()), last = std::max(last, done.times.back());
      }
      best = std::max(best, tokens / std::chrono::duration<double>(last - first).count());
    }
    double share = streams == 1 ? best * static_cast<double>(model->bytes_per_token()) / limits.bytes : 0;
    lines.push_back({std::to_string(streams) + (streams == 1 ? " stream" : " streams"), best, "tokens/s", share});
  }
  if (options.stall_prompt > 0) measure_stall(**engine, options, lines);
  return {};
}

// Texts of `options.prompt` tokens, 32 in one call.
Status measure_encoder(const std::shared_ptr<const engine::Model>& model, const std::shared_ptr<engine::ComputePool>& pool,
                       const engine::MultiplierOptions& multiplier, const EngineBenchOptions& options, std::vector<Line>& lines, const Limits& limits) {
  AJAR_ASSIGN(auto encoder, engine::Encoder::make(model, pool, multiplier));
  int length = std::min(options.prompt, encoder->context());
  std::vector<engine::EncoderInput> texts(32);
  for (size_t t = 0; t < texts.size(); ++t)
    for (int i = 0; i < length; ++i) texts[t].tokens.push_back((i * 7919 + static_cast<int>(t) * 31) % model->config().vocab);
  double best = 0;
  for (int i = 0; i < options.repeat; ++i) {
    TimePoint from = now();
    AJAR_TRY(encoder->run(texts));
    best = std::max(best, static_cast<double>(texts.size()) * length / seconds_since(from));
  }
  const auto& c = model->config();
  double weights = static_cast<double>(c.layers) * (4.0 * c.embedding * c.embedding + 2.0 * c.embedding * c.feed_forward);
  lines.push_back({"embedding of texts of " + std::to_string(length), best, "tokens/s", best * 2 * weights / limits.operations});
  lines.push_back({"the same in texts", best / length, "/s", 0});
  return {};
}

}  // namespace

int run_engine_bench(const CommandContext& context, const EngineBenchOptions& options) {
  const engine::Kernels* wanted = engine::find_kernels(options.kernels);
  if (wanted == nullptr && !options.kernels.empty()) return complain(context, {.code = Code::kInvalid, .message = "no kernels '" + options.kernels + "' on this machine"});
  int threads = options.threads > 0 ? options.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  auto pool = std::make_shared<engine::ComputePool>(threads);
  TimePoint loading = now();
  auto checkpoint = engine::Checkpoint::open(options.model);
  if (!checkpoint) return complain(context, checkpoint.error());
  auto tokenizer = engine::load_tokenizer(options.model);
  if (!tokenizer) return complain(context, tokenizer.error());
  auto model = engine::Model::load(*checkpoint, *pool);
  if (!model) return complain(context, model.error());
  TimePoint timing = now();
  const auto multiplier = engine::MultiplierOptions::make(**model, *pool, wanted, false);
  const engine::Kernels* kernels = multiplier.kernels;
  double timing_s = seconds_since(timing), load_s = seconds_since(loading);
  std::vector<Line> lines;
  lines.push_back({"load, warm", load_s, "s", 0});
  if (multiplier.choice) lines.push_back({"of that timing the kernels", timing_s * 1000, "ms", 0});
  Limits limits = machine_limits(*pool, *kernels);
  const auto& config = (*model)->config();
  TimePoint start_from = now() - std::chrono::duration_cast<TimePoint::duration>(std::chrono::duration<double>(load_s));
  Status measured = config.causal ? measure_decoder(*model, *tokenizer, pool, multiplier, options, start_from, lines, limits)
                                  : measure_encoder(*model, pool, multiplier, options, lines, limits);
  if (!measured) return complain(context, measured.error());

  if (context.json) {
    std::string out;
    json::Writer w(out);
    w.begin_object();
    w.field("model", options.model);
    w.field("architecture", config.architecture);
    w.field("parameters", (*model)->parameters());
    w.field("weights_bytes", static_cast<int64_t>((*model)->bytes()));
    w.field("kernels", kernels->name);
    if (multiplier.choice) {
      w.key("timed");
      w.begin_array();
      for (const std::string& line : multiplier.choice->lines()) w.string(line);
      w.end_array();
    }
    w.field("threads", int64_t{threads});
    w.field("limit_gops", limits.operations / 1e9);
    w.field("limit_gbps", limits.bytes / 1e9);
    w.key("figures");
    w.begin_array();
    for (const Line& line : lines) {
      w.begin_object();
      w.field("what", line.what);
      w.field("value", line.value);
      w.field("unit", line.unit);
      if (line.of_limit > 0) w.field("of_limit", line.of_limit);
      w.end_object();
    }
    w.end_array();
    w.end_object();
    std::puts(out.c_str());
    return 0;
  }
  std::printf("%s: %s, %.2f G parameters, %.0f MiB of weights in memory; %s on %d threads\n", options.model.c_str(), config.architecture.c_str(),
              static_cast<double>((*model)->parameters()) / 1e9, static_cast<double>((*model)->bytes()) / (1 << 20), std::string(kernels->name).c_str(), threads);
  if (multiplier.choice)
    for (const std::string& line : multiplier.choice->lines()) std::printf("  %s\n", line.c_str());
  std::printf("limits here: %.0f Gop/s, %.1f GB/s\n\n", limits.operations / 1e9, limits.bytes / 1e9);
  std::vector<std::vector<std::string>> rows;
  for (const Line& line : lines) {
    char value[32], share[32] = "";
    std::snprintf(value, sizeof value, "%.*f %s", line.value < 10 ? 2 : 1, line.value, line.unit.c_str());
    if (line.of_limit > 0) std::snprintf(share, sizeof share, "%.0f %%", line.of_limit * 100);
    rows.push_back({line.what, value, share});
  }
  std::fputs(table({"measure", "value", "of the limit"}, rows).c_str(), stdout);
  return 0;
}

}  // namespace ajar::app
