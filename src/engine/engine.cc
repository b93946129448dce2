#include "engine/engine_sequence.h"

#include <algorithm>
#include <cassert>

#include "base/clock.h"

namespace ajar::engine {
namespace {

double seconds_since(TimePoint from) { return std::chrono::duration<double>(now() - from).count(); }

constexpr Millis kSpillPatience{5000};

}  // namespace

Result<std::unique_ptr<Engine>> Engine::start(std::shared_ptr<const Model> model, std::shared_ptr<const Tokenizer> tokenizer,
                                              std::shared_ptr<ComputePool> pool, EngineOptions options, Draft draft) {
  const ModelConfig& config = model->config();
  if (!config.causal) return fail(Code::kUnsupported, config.name + " is an encoder: it writes no text");
  if (tokenizer == nullptr) return fail(Code::kInvalid, config.name + " has no tokenizer");
  if (options.context <= 0) options.context = config.context > 0 ? config.context : 4096;
  int64_t per_page = KvPool::page_bytes(config, options.kv);
  int64_t pages = (options.context + kPageTokens - 1) / kPageTokens;
  if (options.cache_bytes <= 0) options.cache_bytes = std::min<int64_t>(pages * 4, 4096) * per_page;
  // A context that the cache cannot hold would only fail later, in the middle of an answer.
  options.context = static_cast<int32_t>(std::min<int64_t>(options.context, options.cache_bytes / per_page * kPageTokens));
  AJAR_ASSIGN(KvPool cache, KvPool::make(config, options.cache_bytes, options.kv));
  std::unique_ptr<Drafter> drafter;
  if (draft.model) {
    AJAR_ASSIGN(drafter, Drafter::make(std::move(draft), *model, *tokenizer, *pool, options.multiplier, options.context, cache.pages(), options.kv));
  }
  std::unique_ptr<Engine> engine(new Engine(std::move(model), std::move(tokenizer), std::move(pool), options, std::move(cache), std::move(drafter)));
  engine->thread_ = std::thread([raw = engine.get()] { raw->run(); });
  return engine;
}

Engine::Engine(std::shared_ptr<const Model> model, std::shared_ptr<const Tokenizer> tokenizer, std::shared_ptr<ComputePool> pool,
               EngineOptions options, KvPool cache, std::unique_ptr<Drafter> drafter)
    : model_(std::move(model)),
      tokenizer_(std::move(tokenizer)),
      pool_(std::move(pool)),
      options_(options),
      context_(options.context),
      cache_(std::move(cache)),
      disk_(open_disk()),
      prefixes_(cache_, disk_.get()),
      decoder_(model_, *pool_, options.multiplier, options.context),
      drafter_(std::move(drafter)) {
  publish();
}

Engine::~Engine() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  disk_.reset();  // its thread tells us of what it reads
}

Result<Engine::Handle> Engine::submit(Generation generation) {
  auto size = static_cast<int64_t>(generation.prompt.size());
  if (size == 0) return fail(Code::kInvalid, "the prompt has no tokens");
  if (size >= context_)
    return fail(Code::kTooLarge, "the prompt has " + std::to_string(size) + " tokens; the model's context holds " + std::to_string(context_) +
                                     ", the answer included");
  for (int32_t token : generation.prompt)
    if (token < 0 || token >= model_->config().vocab) return fail(Code::kInvalid, "the prompt has a token that the model does not know: " + std::to_string(token));
  if (generation.adapter && !generation.adapter->fits(*model_)) return fail(Code::kInvalid, "the adapter was loaded for another model");
  Handle handle;
  handle.cancelled_ = std::make_shared<std::atomic<bool>>(false);
  auto sequence = std::make_unique<Sequence>(std::move(generation), handle.cancelled_, options_.kv);
  {
    std::lock_guard lock(mutex_);
    if (stop_) return fail(Code::kUnavailable, "the engine is stopping");
    if (waiting_ >= options_.max_waiting)
      return fail(Code::kUnavailable, "the engine's queue is full: " + std::to_string(waiting_) + " requests wait");
    ++waiting_;
    incoming_.push_back(std::move(sequence));
  }
  wake_.notify_one();
  return handle;
}

EngineMetrics Engine::metrics() const {
  std::lock_guard lock(mutex_);
  EngineMetrics metrics = published_;
  metrics.waiting = waiting_;
  return metrics;
}

void Engine::publish() {
  counts_.running = static_cast<int>(running_.size());
  counts_.free_pages = cache_.free_pages();
  counts_.total_pages = cache_.pages();
  if (disk_) counts_.disk = disk_->metrics();
  std::lock_guard lock(mutex_);
  published_ = counts_;
}

void Engine::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      auto due = [&] {
        return stop_ || disk_news_ || !incoming_.empty() || !running_.empty() || (waiting_ > 0 && (fetching_.empty() || now() >= fetch_until_));
      };
      if (waiting_ > 0 && !fetching_.empty()) wake_.wait_until(lock, fetch_until_, due);
      else wake_.wait(lock, due);
      disk_news_ = false;
      if (stop_) break;
    }
    take_fetched();
    take_new();
    admit();
    step();
    forget_finished();
    publish();
  }
  take_new();
  for (auto& [tenant, queue] : queues_)
    for (auto& sequence : queue) finish(*sequence, FinishReason::kFailed, {.code = Code::kUnavailable, .message = "the engine stopped"});
  for (auto& sequence : running_)
    if (!sequence->done) finish(*sequence, FinishReason::kFailed, {.code = Code::kUnavailable, .message = "the engine stopped"});
  running_.clear();
  queues_.clear();
  prefixes_.spill(now() + kSpillPatience);
}

void Engine::take_new() {
  std::vector<std::unique_ptr<Sequence>> taken;
  {
    std::lock_guard lock(mutex_);
    taken.swap(incoming_);
  }
  for (auto& sequence : taken) queues_[sequence->want.tenant].push_back(std::move(sequence));
}

// Tenants take turns; within one, first come, first served.
void Engine::admit() {
  while (static_cast<int>(running_.size()) < options_.max_running && !queues_.empty()) {
    auto it = queues_.upper_bound(last_tenant_);
    if (it == queues_.end()) it = queues_.begin();
    auto& queue = it->second;
    Sequence& next = *queue.front();
    bool gone = next.cancelled->load(std::memory_order_relaxed);
    if (!gone) {
      // The same beginning is being computed right now: its pages will be there soon, and computing them twice takes longer.
      bool twin = std::ranges::any_of(running_, [&](const auto& other) {
        return other->kv.length < static_cast<int32_t>(other->want.prompt.size()) && other->cache_root == next.cache_root &&
               next.want.prompt.size() > kPageTokens && other->want.prompt.size() > kPageTokens &&
               std::equal(next.want.prompt.begin(), next.want.prompt.begin() + kPageTokens, other->want.prompt.begin());
      });
      if (twin) return;
      // What the disk has is read while others are answered; whoever is next waits for it, but not for long.
      if (disk_ && next.lasting() && !next.want.prompt_logprobs && !std::exchange(next.fetched, true)) fetch(next);
      if (!fetching_.empty() && now() < fetch_until_) return;
      // The last token is always computed anew: its logits are what is wanted.
      if (!next.want.prompt_logprobs) {
        next.kv.pages = prefixes_.find(next.cache_root, std::span(next.tokens).first(next.tokens.size() - 1));
        next.kv.length = static_cast<int32_t>(next.kv.pages.size()) * kPageTokens;
      }
      // Room for the prompt and a first page of answer, or wait until a reply ends. Alone it always fits.
      int needed = static_cast<int>((next.tokens.size() + kPageTokens) / kPageTokens + 1) - static_cast<int>(next.kv.pages.size());
      int missing = needed - cache_.free_pages();
      if (missing > 0) missing -= prefixes_.evict(missing);
      if (missing > 0 && !running_.empty()) {
        for (int page : next.kv.pages) cache_.release(page);
        next.kv = {};
        return;
      }
    }
    auto sequence = std::move(queue.front());
    queue.pop_front();
    last_tenant_ = it->first;
    if (queue.empty()) queues_.erase(it);
    {
      std::lock_guard lock(mutex_);
      --waiting_;
    }
    if (gone) {
      finish(*sequence, FinishReason::kCancelled);
      continue;
    }
    if (!sequence->counted) {
      sequence->counted = true;
      sequence->admitted = now();
      sequence->stats.queue_s = seconds_since(sequence->submitted);
      sequence->stats.prompt_tokens = static_cast<int32_t>(sequence->want.prompt.size());
      sequence->stats.cached_tokens = sequence->kv.length;
      counts_.cached_tokens += sequence->kv.length;
      if (drafter_) sequence->draft.record = drafter_->typical();
    }
    running_.push_back(std::move(sequence));
  }
}

// Pages for `tokens` more tokens. False: there are none, even after others have given theirs.
bool Engine::grow(Sequence& sequence, int32_t tokens) {
  auto needed = static_cast<size_t>((sequence.kv.length + tokens + kPageTokens - 1) / kPageTokens);
  while (sequence.kv.pages.size() < needed) {
    int page = cache_.take();
    if (page < 0) {
      if (prefixes_.evict(1) > 0) continue;
      return false;
    }
    sequence.kv.pages.push_back(page);
  }
  return true;
}

// Gives its pages back and lets it wait at the front of its queue; what it said so far is computed again later.
void Engine::preempt(Sequence& sequence) {
  ++counts_.preemptions;
  for (int page : sequence.kv.pages) cache_.release(page);
  sequence.kv = {};
  leave_draft(sequence);
  for (auto& slot : running_) {
    if (slot.get() != &sequence) continue;
    {
      std::lock_guard lock(mutex_);
      ++waiting_;
    }
    queues_[sequence.want.tenant].push_front(std::move(slot));
    std::erase(running_, nullptr);
    return;
  }
}

// Tokens of prompts beside answers that are being written. Far into a long prompt a token may cost as much as a whole step of them.
int Engine::prompt_budget() const {
  if (prefill_token_s_ <= 0 || decode_s_ <= 0) return std::min(16, options_.prefill_tokens);
  return std::clamp(static_cast<int>(options_.stall_factor * decode_s_ / prefill_token_s_), 1, options_.prefill_tokens);
}

// Pieces of prompts, at most `budget` tokens of them.
int Engine::add_prompts(std::vector<Row>& rows, int budget) {
  int added = 0;
  for (auto& slot : running_) {
    Sequence& sequence = *slot;
    if (sequence.done || sequence.decoding() || added >= budget) continue;
    int count = std::min(sequence.pending(), budget - added);
    if (!grow(sequence, count)) {
      if (running_.size() == 1 && fetching_.empty()) finish(sequence, FinishReason::kFailed, {.code = Code::kTooLarge, .message = "the cache of keys and values is too small for this prompt"});
      break;  // the others go on; it waits for their pages
    }
    for (int i = 0; i < count; ++i) {
      int32_t position = sequence.kv.length + i;
      bool last = position + 1 == static_cast<int32_t>(sequence.tokens.size());
      rows.push_back({sequence.tokens[static_cast<size_t>(position)], position, &sequence.kv, last || sequence.want.prompt_logprobs, sequence.want.adapter.get()});
    }
    added += count;
  }
  return added;
}

void Engine::step() {
  std::vector<Row> rows;
  std::vector<Sequence*> decoding;
  int planned = 0;
  bool guessing = options_.speculate > 0;
  for (const auto& sequence : running_) {
    sequence->guesses.clear();
    sequence->drafted = false;
    planned += sequence->decoding();
    guessing = guessing && (sequence->done || sequence->decoding());  // prompts have their own use of a step
  }
  guessing = guessing && planned > 0 && !costs_.plain_due(planned);
  for (size_t i = 0; i < running_.size(); ++i) {
    Sequence& sequence = *running_[i];
    if (sequence.cancelled->load(std::memory_order_relaxed)) {
      finish(sequence, FinishReason::kCancelled);
      continue;
    }
    if (!sequence.decoding()) continue;
    while (!grow(sequence, 1)) {
      // The latest to come gives way; if that is this one, it waits itself.
      Sequence& last = *running_.back();
      if (running_.size() == 1) {
        finish(sequence, FinishReason::kContext);
        break;
      }
      bool self = &last == &sequence;
      if (last.done) break;
      preempt(last);
      if (self) break;
    }
    if (i >= running_.size() || running_[i].get() != &sequence || sequence.done) continue;
    decoding.push_back(&sequence);
  }
  if (guessing) guess(decoding);
  for (Sequence* sequence : decoding) {
    const Adapter* adapter = sequence->want.adapter.get();
    rows.push_back({sequence->tokens.back(), sequence->kv.length, &sequence->kv, true, adapter});
    for (int32_t token : sequence->guesses) rows.push_back({token, rows.back().position + 1, &sequence->kv, true, adapter});
  }
  int prompts = add_prompts(rows, decoding.empty() ? options_.prefill_tokens : prompt_budget());
  if (rows.empty()) return;

  std::unique_lock turn(pool_->turn());
  TimePoint started = now();
  const float* logits = decoder_.forward(rows, cache_);
  turn.unlock();
  double took = seconds_since(started);
  ++counts_.steps;
  if (!decoding.empty() && prompts > 0 && decode_s_ > 0 && took > 3 * decode_s_) ++counts_.stalls;
  auto smooth = [](double& mean, double value) { mean = mean == 0 ? value : mean * 0.8 + value * 0.2; };
  if (prompts == 0) smooth(decode_s_, took);
  else smooth(prefill_token_s_, std::max(0., took - (decoding.empty() ? 0 : decode_s_)) / prompts);

  // Rows of one sequence stand together, in the order of running_ within each of the two parts.
  int64_t stride = decoder_.logit_stride(), vocab = model_->config().vocab;
  struct Wanting {
    Sequence* sequence;
    int at;                        // of its first row with logits
    std::vector<Sampled> sampled;  // one, and one more for every guess that came true
  };
  std::vector<Wanting> wanting;
  std::map<const KvSequence*, Sequence*> owner;
  for (auto& slot : running_) owner[&slot->kv] = slot.get();
  int wanted = 0;
  for (const Row& row : rows) {
    Sequence& sequence = *owner.at(row.sequence);
    if (row.position >= static_cast<int32_t>(sequence.tokens.size())) {  // a guess
      ++wanted;
      continue;
    }
    sequence.kv.length = row.position + 1;
    if (!row.logits) continue;
    int at = wanted++;
    if (row.position + 1 < static_cast<int32_t>(sequence.tokens.size())) {  // of a prompt: what was the next token worth?
      sequence.prompt_scores.push_back(Sampler::score({logits + at * stride, static_cast<size_t>(vocab)}, sequence.tokens[static_cast<size_t>(row.position) + 1],
                                                      std::max(0, sequence.want.sampling.top_logprobs)));
      continue;
    }
    wanting.push_back({&sequence, at, {}});
  }
  counts_.prompt_tokens += prompts;
  auto logits_of = [&](int at) { return std::span(const_cast<float*>(logits) + at * stride, static_cast<size_t>(vocab)); };
  // Choosing among 150,000 tokens takes a while for many replies: all threads do it.
  {
    std::lock_guard turn_again(pool_->turn());
    pool_->run_if_worth(static_cast<int64_t>(wanted) * vocab, static_cast<int64_t>(wanting.size()), [&](int64_t i, int) {
      Wanting& it = wanting[static_cast<size_t>(i)];
      Sequence& sequence = *it.sequence;
      if (sequence.want.constraint || sequence.want.max_tokens == 0) return;
      // Each guess is held against what would have been chosen without it, so the answer is the same; the first that is wrong
      // ends it, and its logits gave the right one.
      for (size_t g = 0;; ++g) {
        it.sampled.push_back(sequence.sampler.sample(logits_of(it.at + static_cast<int>(g)), nullptr));
        sequence.sampler.accept(it.sampled.back().token, false);
        if (g == sequence.guesses.size() || it.sampled.back().token != sequence.guesses[g]) break;
      }
    });
  }
  if (prompts == 0) costs_.tell(static_cast<int>(rows.size()), seconds_since(started));
  for (Wanting& it : wanting) {
    Sequence& sequence = *it.sequence;
    if (it.sampled.empty()) {
      handle(sequence, logits_of(it.at), nullptr);
      continue;
    }
    if (int proposed = static_cast<int>(sequence.guesses.size())) {
      int accepted = static_cast<int>(it.sampled.size()) - 1;
      (sequence.drafted ? sequence.draft.record : sequence.record).tell(proposed, accepted);
      if (sequence.drafted) {
        drafter_->learn(proposed, accepted);
        Drafter::told(sequence.draft, sequence.tokens.size(), proposed, accepted);
        counts_.drafted += proposed, counts_.drafted_accepted += accepted;
      } else {
        counts_.proposed += proposed, counts_.accepted += accepted;
      }
    }
    // Keys and values of guesses that came true are there; those of the others lie beyond kv.length and are overwritten.
    for (size_t g = 0; g < it.sampled.size() && !sequence.done; ++g) {
      if (g > 0) ++sequence.kv.length;
      handle(sequence, logits_of(it.at + static_cast<int>(g)), &it.sampled[g]);
    }
  }
}

// The next token of a sequence is known to the model now.
void Engine::handle(Sequence& sequence, std::span<float> logits, const Sampled* chosen) {
  Generation& want = sequence.want;
  if (sequence.answered() == 0) {
    sequence.first = now();
    sequence.stats.prefill_s = seconds_since(sequence.admitted);
    if (want.prompt_logprobs && want.on_prompt) want.on_prompt(std::move(sequence.prompt_scores));
    want.prompt_logprobs = false;
    if (want.max_tokens == 0) return finish(sequence, FinishReason::kLength);
  }
  Sampled sampled;
  if (chosen != nullptr) {
    sampled = *chosen;
  } else {
    TokenMask mask(logits.size());
    if (want.constraint) want.constraint->allow(mask);
    sampled = sequence.sampler.sample(logits, want.constraint ? &mask : nullptr);
    sequence.sampler.accept(sampled.token, false);
  }
  auto n = static_cast<double>(++sequence.stats.output_tokens);
  sequence.stats.mean_margin += (sampled.margin - sequence.stats.mean_margin) / n;
  sequence.stats.mean_entropy += (sampled.entropy - sequence.stats.mean_entropy) / n;
  sequence.stats.lowest_margin = std::min<double>(sequence.stats.lowest_margin, sampled.margin);
  ++counts_.output_tokens;
  if (!want.ignore_end && tokenizer_->special().ends_generation(sampled.token)) return finish(sequence, FinishReason::kStop);
  if (want.on_token) want.on_token(sampled);
  if (!append(sequence, sampled.token) || !want.constraint) return;
  // What the grammar leaves no choice about goes in as one piece, like a prompt.
  std::vector<int32_t> forced;
  want.constraint->forced(forced);
  for (int32_t token : forced) {
    ++sequence.stats.output_tokens;
    ++counts_.output_tokens;
    sequence.sampler.accept(token, false);
    if (want.on_token) want.on_token({.token = token, .margin = 1});
    if (!append(sequence, token)) return;
  }
}

// Of a token that the sampler knows of already. False: that was the last one.
bool Engine::append(Sequence& sequence, int32_t token) {
  Generation& want = sequence.want;
  sequence.tokens.push_back(token);
  if (want.constraint && (!want.constraint->accept(token) || want.constraint->finished())) return finish(sequence, FinishReason::kStop), false;
  if (want.max_tokens >= 0 && sequence.answered() >= want.max_tokens) return finish(sequence, FinishReason::kLength), false;
  if (static_cast<int32_t>(sequence.tokens.size()) >= context_) return finish(sequence, FinishReason::kContext), false;
  return true;
}

void Engine::finish(Sequence& sequence, FinishReason reason, Error error) {
  if (sequence.done) return;
  sequence.done = true;
  if (sequence.first != TimePoint{}) sequence.stats.decode_s = seconds_since(sequence.first);
  auto computed = std::span(sequence.tokens).first(static_cast<size_t>(sequence.kv.length));
  prefixes_.insert(sequence.cache_root, computed, sequence.kv.pages, sequence.lasting());
  for (int page : sequence.kv.pages) cache_.release(page);
  sequence.kv = {};
  leave_draft(sequence);
  if (sequence.want.on_done) sequence.want.on_done(reason, sequence.stats, std::move(error));
}

void Engine::forget_finished() {
  // A prompt whose pages are all there is worth sharing before its answer is over.
  for (auto& sequence : running_)
    if (!sequence->done && sequence->answered() == 1)
      prefixes_.insert(sequence->cache_root, std::span(sequence->tokens).first(static_cast<size_t>(sequence->kv.length)), sequence->kv.pages, sequence->lasting());
  std::erase_if(running_, [](const auto& sequence) { return sequence->done; });
}

}  // namespace ajar::engine
