#pragma once
// One call on its way: what all its attempts share, and the gate that each attempt's events pass.

#include <memory>
#include <optional>
#include <string>

#include "core/context.h"
#include "core/provider.h"
#include "core/reply.h"
#include "gateway/canary.h"
#include "gateway/heartbeat.h"
#include "gateway/judge.h"
#include "gateway/route.h"
#include "gateway/tenants.h"
#include "gateway/text_features.h"
#include "net/waiter.h"

namespace ajar {

class AttemptSink;
class Masking;

// Error::type of an answer that was not good enough.
inline constexpr std::string_view kUnsure = "unsure";

// Who answers, and why, for the client's headers.
struct Answered {
  std::string_view route, target;
  size_t attempts = 1;
  bool simulator = false;
  std::string_view cache = {};     // "hit", "shared", "miss"; empty: nothing was looked for
  std::string_view cache_id = {};  // by which the entry can be purged
  int64_t age_seconds = 0;         // of a kept answer
  bool sure = true;                // false: nobody better could be asked, and the route says to answer all the same
  bool keep = true;                // the answer may be kept for others
  bool whole = false;              // it is all there: the end comes right behind what is written
  size_t masked = 0;               // values of personal data that no outside model saw
  std::string ladder = {};         // the rungs that were tried and what became of them; empty outside ladders
};

// Where the client's side of a call begins. `api` implements it per endpoint.
class ReplySink : public Sink {
 public:
  // Before the first write.
  virtual void begin(const Answered& answered) = 0;
  // Nothing can be said yet, but the connection must not look dead: a comment, where the client's stream has such.
  virtual Task<Status> keep_alive() { co_return Status(); }
  // The end of the call, once. When nothing was written yet, an error can still be an HTTP status. Gives the status
  // that the client got. `call` has all but the end's own times.
  virtual Task<int> finish(StreamEnd end, const Error* error, const store::CallRow& call) = 0;
};

// What is known of an answer that was made for another call.
struct Recalled {
  std::string target, model;
  Usage usage;
  Finish finish = Finish::kNone;
  int64_t saved = 0;  // nano-dollars that it cost then
};

struct CallState {
  CallState(Context& context, ReplySink& client) : context(context), client(&client) {}

  Context& context;
  ReplySink* client;             // what stands before the client; steps of the line put themselves in between
  std::shared_ptr<const Route> route;
  std::shared_ptr<const Key> key;
  const DataClassConfig* data = nullptr;  // of the data in the request; in the snapshot, which the call holds
  std::shared_ptr<const Snapshot> snapshot;
  Reservation reservation;
  std::string model;             // as the client named it; chat only
  TextFeatures features;         // of a chat request
  int64_t input_estimate = 0;    // tokens
  int64_t output_reserved = 0;   // tokens
  Usage planned;                 // what is sold by count and known before the call: pictures, characters, searches
  AttemptSink* winner = nullptr; // the attempt whose events reached the client; set once
  TimePoint first_event{};       // when they began to
  TimePoint first_attempt{};     // when the first of all attempts began
  double added_seconds = 0;      // to the first event, by rungs that were tried before and by holding back what the winner said
  Waiter* on_commit = nullptr;   // woken when there is a winner; set by hedging
  Usage wasted;                  // used by attempts that lost
  int64_t wasted_cost = 0;
  std::vector<store::AttemptRow> attempts;
  Masking* masking = nullptr;    // where its data may go further when they are masked
  std::vector<store::AttemptRow> policies;  // what guardrails said; goes before the attempts into the log
  Heartbeat heart;               // while an answer is held back
  bool only_top = false;         // a guardrail wants a rung that is not judged
  bool audited = false;          // its answers are compared with the top rung's afterwards
  bool folded = false;           // its answers are kept until its end: somebody looks at them then
  // Where the route has a canary that may answer this call.
  struct Trial {
    bool candidate = false;      // it is asked first; otherwise the call shows how the usual choice does
    std::optional<CanaryOutcome> outcome;  // of who was asked first
  };
  std::optional<Trial> trial;
  std::string reply_id;          // that the client was told
  std::string_view cache;        // as in Answered
  std::string cache_id;
  std::optional<Recalled> recalled;  // the answer was not made for this call

  bool is_chat() const { return features[TextFeatures::kRequest] != 0; }
  bool committed() const { return winner != nullptr; }
};

// What an attempt that is judged is judged by; see gateway/judge.h. One attempt's.
struct Judging {
  const Target& target;
  const Request& request;
  bool strip_logprobs = false;  // asked for by us, not by the client
};

// What an attempt is made with.
struct AttemptMode {
  std::optional<Judging> judging;
  bool masked = false;          // personal data were replaced; `values` of them
  size_t values = 0;
};

// The gate of one attempt. Holds back what says nothing yet (the start, pings), so that an attempt that fails there
// can be repeated elsewhere; from the first event that says something the attempt is committed and its events
// flow. Meters usage and keeps the reservation ahead of it.
class AttemptSink final : public Sink {
 public:
  AttemptSink(CallState& call, const Target& target, std::optional<Price> price, Context& context, const AttemptMode& mode = {})
      : call_(call), target_(target), price_(price), context_(context), cancel_(*context.cancel), judging_(mode.judging), mode_(mode) {
    if (call.first_attempt == TimePoint{}) call.first_attempt = began_;
    context_.asked = false;
  }

  Task<Status> write(EventBatch& events) override;
  // After a reply that ended well without saying anything, or that was judged good enough: lets the client have what was held.
  Task<Status> flush();
  // What the answer so far is worth. Of an attempt that is not judged: accepted.
  Verdict verdict(bool whole) const;
  bool judged() const { return judging_.has_value(); }
  const Reply& held_reply() const { return fold_.reply(); }  // of an attempt that is judged, or whose call is folded
  const std::optional<Verdict>& decided() const { return decided_; }
  void decide(Verdict verdict) { decided_ = std::move(verdict); }

  // What the attempt used: as reported, otherwise estimated.
  Usage usage(bool complete) const;
  int64_t cost(const Usage& usage) const { return price_ ? price_->cost(usage) : 0; }
  bool saw_anything() const { return saw_anything_; }
  bool asked() const { return context_.asked; }  // the provider has the request
  // What the call's log says of this attempt.
  store::AttemptRow row(std::string outcome) const;
  const Target& target() const { return target_; }
  const std::string& model() const { return model_; }
  Finish finish() const { return finish_; }
  CancelToken& cancel() { return cancel_; }

 private:
  void meter(const Event& event);
  std::optional<double> learned() const;
  Task<Status> hold(EventBatch& events);  // of a judged attempt, until it is decided
  Status cover();   // extends the reservation when the reply has outgrown it
  Status commit();
  int64_t output_so_far() const;

  CallState& call_;
  const Target& target_;
  const std::optional<Price> price_;
  Context& context_;  // the attempt's
  CancelToken& cancel_;
  std::optional<Judging> judging_;
  const AttemptMode mode_;
  Fold fold_;          // what is held, where it is judged
  TokenFacts facts_;
  std::optional<Verdict> decided_;
  const TimePoint began_ = now();
  TimePoint spoke_{};              // when the model said its first words
  EventBatch held_;
  struct Metered {
    Usage reported;
    int64_t bytes = 0, wide = 0;  // of output; wide: not ASCII
  };
  Metered metered_;
  std::string model_, reply_id_;
  Finish finish_ = Finish::kNone;
  bool saw_anything_ = false;
};

// "task/intent unsure 0.41 < 0.93; here/qwen complete 0.91 >= 0.85", one part for each attempt.
std::string ladder_text(const std::vector<store::AttemptRow>& attempts);

// What this usage would take from a budget.
Estimate estimate_of(const std::optional<Price>& price, const Usage& usage);

}  // namespace ajar
