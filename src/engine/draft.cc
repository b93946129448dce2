#include "engine/draft.h"

#include <algorithm>
#include <string>

#include "base/clock.h"

namespace ajar::engine {

Status same_tokens(const Draft& draft, const Model& target, const Tokenizer& tokenizer) {
  const std::string both = "the draft '" + draft.model->config().name + "' cannot guess for '" + target.config().name + "': ";
  const Tokenizer& other = *draft.tokenizer;
  if (other.size() != tokenizer.size())
    return fail(Code::kInvalid, both + "its tokenizer has " + std::to_string(other.size()) + " tokens, not " + std::to_string(tokenizer.size()));
  for (int32_t id = 0; id < static_cast<int32_t>(tokenizer.size()); ++id) {
    if (other.piece(id) != tokenizer.piece(id))
      return fail(Code::kInvalid, both + "its token " + std::to_string(id) + " is '" + std::string(other.piece(id)) + "', not '" + std::string(tokenizer.piece(id)) + "'");
    if (other.is_control(id) != tokenizer.is_control(id))
      return fail(Code::kInvalid, both + "its token " + std::to_string(id) + ", '" + std::string(other.piece(id)) + "', is control in one of them only");
  }
  return {};
}

Result<std::unique_ptr<Drafter>> Drafter::make(Draft draft, const Model& target, const Tokenizer& tokenizer, ComputePool& pool,
                                               MultiplierOptions options, int32_t context, int pages, KvType kv) {
  const ModelConfig& config = draft.model->config();
  if (!config.causal) return fail(Code::kUnsupported, "the draft '" + config.name + "' is an encoder: it writes no text");
  if (draft.tokenizer == nullptr) return fail(Code::kInvalid, "the draft '" + config.name + "' has no tokenizer");
  AJAR_TRY(same_tokens(draft, target, tokenizer));
  AJAR_ASSIGN(KvPool cache, KvPool::make(config, bytes(config, pages, kv), kv));
  const int32_t vocab = std::min(config.vocab, target.config().vocab);
  return std::unique_ptr<Drafter>(new Drafter(std::move(draft), vocab, pool, options, context, std::move(cache)));
}

Drafter::Drafter(Draft draft, int32_t vocab, ComputePool& pool, MultiplierOptions options, int32_t context, KvPool cache)
    : vocab_(vocab), cache_(std::move(cache)), prefixes_(cache_), decoder_(std::move(draft.model), pool, options, context) {}

GuessRecord Drafter::typical() const {
  constexpr int64_t kEnough = 16;
  return told_ < kEnough ? GuessRecord() : GuessRecord::expecting(all_);
}

bool Drafter::grow(Reply& reply, int tokens) {
  const auto needed = static_cast<size_t>((reply.kv.length + tokens + kPageTokens - 1) / kPageTokens);
  while (reply.kv.pages.size() < needed) {
    const int page = cache_.take();
    if (page >= 0) reply.kv.pages.push_back(page);
    else if (prefixes_.evict(1) == 0) return false;
  }
  return true;
}

void Drafter::guess(std::span<Job> jobs, int budget) {
  std::vector<Row> rows;
  for (Job& job : jobs) {
    Reply& reply = *job.reply;
    if (!reply.met) {
      reply.met = true;
      reply.kv.pages = prefixes_.find(job.root, job.tokens.first(job.tokens.size() - 1));
      reply.kv.length = static_cast<int32_t>(reply.kv.pages.size()) * kPageTokens;
    }
    const int behind = static_cast<int>(job.tokens.size()) - reply.kv.length;
    const int take = std::min(behind, budget);
    const auto unread = job.tokens.subspan(static_cast<size_t>(reply.kv.length), static_cast<size_t>(take));
    if (take <= 0 || std::ranges::any_of(unread, [&](int32_t token) { return token >= decoder_.model().config().vocab; })) continue;
    if (!grow(reply, take + job.count - 1)) continue;
    budget -= take;
    job.going = take == behind;
    for (int i = 0; i < take; ++i)
      rows.push_back({unread[static_cast<size_t>(i)], reply.kv.length + i, &reply.kv, job.going && i + 1 == take});
  }
  while (!rows.empty()) {
    const TimePoint from = now();
    round(jobs, rows);
    costs_.tell(static_cast<int>(rows.size()), std::chrono::duration<double>(now() - from).count());
    rows.clear();
    for (Job& job : jobs) {
      job.going = job.going && static_cast<int>(job.guesses->size()) < job.count;
      if (job.going) rows.push_back({job.guesses->back(), job.reply->kv.length, &job.reply->kv, true});
    }
  }
}

// What is in `rows` is computed, and whose last row wanted logits has one guess more.
void Drafter::round(std::span<Job> jobs, std::span<const Row> rows) {
  const float* logits = decoder_.forward(rows, cache_);
  size_t job = 0;
  for (const Row& row : rows) {
    while (&jobs[job].reply->kv != row.sequence) ++job;
    jobs[job].reply->kv.length = row.position + 1;
    if (!row.logits) continue;
    // Sampling writes to the logits.
    std::span<float> own(const_cast<float*>(logits), static_cast<size_t>(vocab_));
    const int32_t token = jobs[job].sampler.sample(own, nullptr).token;
    jobs[job].sampler.accept(token, false);
    jobs[job].guesses->push_back(token);
    logits += decoder_.logit_stride();
  }
}

void Drafter::told(Reply& reply, size_t tokens, int proposed, int accepted) {
  // Of the last guess it has computed nothing; beyond what came true lie keys and values of another text.
  reply.kv.length = std::min(reply.kv.length, static_cast<int32_t>(tokens) + std::min(accepted, proposed - 1));
}

void Drafter::leave(Reply& reply, std::span<const int32_t> tokens, uint64_t root) {
  prefixes_.insert(root, tokens.first(std::min(tokens.size(), static_cast<size_t>(reply.kv.length))), reply.kv.pages);
  for (int page : reply.kv.pages) cache_.release(page);
  reply.kv = {};
  reply.met = false;
}

}  // namespace ajar::engine
