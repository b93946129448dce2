// Which tokens are guessed ahead of a step: from the text itself, or by the draft model, as long as it pays.
#include <algorithm>

#include "engine/engine_sequence.h"

namespace ajar::engine {

// Constrained replies do without: what comes next there is often certain anyway, and then is in the text already.
int Engine::guessing_room(const Sequence& sequence, int rows) const {
  const Generation& want = sequence.want;
  int room = std::min(options_.speculate, StepCosts::kMaxRows - rows);
  // Tiles would take over from integers, and round otherwise.
  room = std::min(room, options_.multiplier.bfloat_rows - 1 - rows);
  room = std::min(room, context_ - static_cast<int32_t>(sequence.tokens.size()) - 1);
  if (want.max_tokens >= 0) room = std::min(room, want.max_tokens - sequence.answered() - 1);
  // Guesses take no pages from anybody.
  if (cache_.free_pages() <= static_cast<int>(running_.size()))
    room = std::min(room, static_cast<int>(sequence.kv.pages.size()) * kPageTokens - sequence.kv.length - 1);
  return want.constraint ? 0 : room;
}

bool Engine::guess_from_text(Sequence& sequence, int room, int& rows, double& tokens) {
  if (!sequence.record.awake()) return false;
  // The draft knows better here.
  if (drafter_ && !sequence.record.trying() && sequence.draft.record.hit() > sequence.record.hit() + 0.2) return false;
  look_up(sequence.tokens, room, sequence.guesses);
  if (sequence.guesses.empty()) return false;
  auto count = static_cast<int>(sequence.guesses.size());
  double gained = sequence.record.rate() * count;
  if (!sequence.record.trying() && !costs_.pays(rows, tokens, count, gained)) {
    sequence.record.rest();
    sequence.guesses.clear();
    return false;
  }
  if (!grow(sequence, 1 + count)) return sequence.guesses.clear(), false;
  rows += count, tokens += gained;
  return true;
}

int Engine::guess_by_draft(Sequence& sequence, int room, int replies, int& rows, double& tokens) {
  GuessRecord& record = sequence.draft.record;
  if (!record.awake()) return 0;
  const int count = record.trying() ? room : costs_.best(rows, tokens, room, record.hit(), drafter_->seconds(replies));
  if (count == 0) return record.rest(), 0;
  if (!grow(sequence, 1 + count)) return 0;
  rows += count, tokens += StepCosts::expected(count, record.hit());
  return count;
}

void Engine::guess(std::span<Sequence* const> decoding) {
  auto rows = static_cast<int>(decoding.size());
  double tokens = rows;
  std::vector<Drafter::Job> jobs;
  for (Sequence* sequence : decoding) {
    const int room = guessing_room(*sequence, rows);
    if (room <= 0 || guess_from_text(*sequence, room, rows, tokens) || !drafter_) continue;
    if (const int count = guess_by_draft(*sequence, room, static_cast<int>(decoding.size()), rows, tokens); count > 0)
      jobs.push_back({&sequence->draft, sequence->tokens, sequence->sampler, sequence->want.cache_root, count, &sequence->guesses});
  }
  if (jobs.empty()) return;
  std::lock_guard turn(pool_->turn());
  // Texts that it has not read yet delay the replies under way no more than prompts do.
  drafter_->guess(jobs, options_.prefill_tokens / 4 + static_cast<int>(jobs.size()));
  for (Sequence* sequence : decoding) sequence->drafted = std::ranges::any_of(jobs, [&](const auto& job) { return job.reply == &sequence->draft; });
}

void Engine::leave_draft(Sequence& sequence) {
  // What was drawn of the prompt by an adapter or none is the same to the draft, which has none.
  if (drafter_) drafter_->leave(sequence.draft, sequence.tokens, sequence.want.cache_root);
}

}  // namespace ajar::engine
