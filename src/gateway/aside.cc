#include "gateway/aside.h"

#include <algorithm>

#include "base/text.h"
#include "gateway/climb.h"

namespace ajar {
namespace {

class FoldSink final : public Sink {
 public:
  Task<Status> write(EventBatch& events) override {
    if (!events.empty() && first_ == TimePoint{}) first_ = now();
    fold.add(events);
    co_return Status();
  }
  TimePoint first_or(TimePoint otherwise) const { return first_ == TimePoint{} ? otherwise : first_; }
  Fold fold;

 private:
  TimePoint first_{};
};

std::string text_of(const Reply& reply) { return reply.choices.empty() ? "" : reply.choices.front().text(); }

}  // namespace

Task<Result<AsideReply>> ask_aside(const Target& target, const Route& route, const DataClassConfig* data, const Request& request, std::string call_id,
                                   std::string_view endpoint, bool masked) {
  if (auto why = not_allowed(route, target, data, request.model, masked); !why.empty()) co_return fail(Code::kForbidden, std::move(why));
  CancelToken token;
  Context context{.id = std::move(call_id), .endpoint = endpoint, .cancel = &token};
  context.deadline = after(route.config.total_timeout);
  FoldSink sink;
  const TimePoint from = now();
  AJAR_CO_TRY(co_await target.provider->complete(request, route.limits, context, sink));
  const TimePoint at = now();
  AsideReply answer{.reply = sink.fold.take(), .first_seconds = seconds_between(from, sink.first_or(at)), .seconds = seconds_between(from, at)};
  const auto price = target.price_of(target.model_for(request.model));
  answer.cost = price ? price->cost(answer.reply.usage) : 0;
  co_return answer;
}

Task<Sameness> compare_aside(const Snapshot& snapshot, const Route& route, const DataClassConfig* data, const Request& request, const Reply& a,
                             const Reply& b, std::string call_id, std::string_view endpoint, bool masked) {
  if (comparable(a) == comparable(b)) co_return Sameness{.same = true};
  if (route.config.audit_judge.empty()) co_return Sameness{.same = false};
  const auto judge = snapshot.find(route.config.audit_judge);
  if (!judge || judge->targets.empty()) co_return Sameness{};
  Request question{.model = judge->config.name};
  question.max_tokens = 16;
  question.sampling.temperature = 0;
  question.messages.push_back({.role = Role::kSystem, .parts = {Part{.text = "You compare two answers to the same question. Reply with one word: yes if they say the "
                                                                             "same thing, no if they do not."}}});
  question.messages.push_back({.role = Role::kUser, .parts = {Part{.text = "Question:\n" + question_of(request) + "\n\nAnswer A:\n" + text_of(a) +
                                                                           "\n\nAnswer B:\n" + text_of(b) + "\n\nDo A and B say the same?"}}});
  const auto verdict = co_await ask_aside(judge->targets.back(), *judge, data, question, std::move(call_id), endpoint, masked);
  if (!verdict) co_return Sameness{};
  Sameness out{.cost = verdict->cost};
  std::string word = to_lower(trim(text_of(verdict->reply)));
  word.erase(std::ranges::find_if(word, [](char c) { return c < 'a' || c > 'z'; }), word.end());
  if (word == "yes") out.same = true;
  else if (word == "no") out.same = false;  // nonsense is no verdict
  co_return out;
}

}  // namespace ajar
