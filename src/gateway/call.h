#pragma once
// One call on its way: what all its attempts share, and the gate that each attempt's events pass.

#include <memory>
#include <optional>
#include <string>

#include "core/context.h"
#include "core/provider.h"
#include "gateway/route.h"
#include "gateway/tenants.h"
#include "gateway/text_features.h"
#include "net/waiter.h"

namespace ajar {

class AttemptSink;

// Where the client's side of a call begins. `api` implements it per endpoint.
class ReplySink : public Sink {
 public:
  // Before the first write: who answers, for headers.
  virtual void begin(const Route& route, const Target& target, size_t attempts) = 0;
  // The end of the call, once. When nothing was written yet, an error can still be an HTTP status. Gives the status
  // that the client got. `call` has all but the end's own times.
  virtual Task<int> finish(StreamEnd end, const Error* error, const store::CallRow& call) = 0;
};

struct CallState {
  CallState(Context& context, ReplySink& client) : context(context), client(client) {}

  Context& context;
  ReplySink& client;
  std::shared_ptr<const Route> route;
  std::shared_ptr<const Key> key;
  Reservation reservation;
  std::string model;             // as the client named it; chat only
  TextFeatures features;         // of a chat request
  int64_t input_estimate = 0;    // tokens
  int64_t output_reserved = 0;   // tokens
  Usage planned;                 // what is sold by count and known before the call: pictures, characters, searches
  AttemptSink* winner = nullptr; // the attempt whose events reached the client; set once
  TimePoint first_event{};       // when they began to
  Waiter* on_commit = nullptr;   // woken when there is a winner; set by hedging
  Usage wasted;                  // used by attempts that lost
  int64_t wasted_cost = 0;
  std::vector<store::AttemptRow> attempts;

  bool is_chat() const { return features[TextFeatures::kRequest] != 0; }
  bool committed() const { return winner != nullptr; }
};

// The gate of one attempt. Holds back what says nothing yet (the start, pings), so that an attempt that fails there
// can be repeated elsewhere; from the first event that says something the attempt is committed and its events
// flow. Meters usage and keeps the reservation ahead of it.
class AttemptSink final : public Sink {
 public:
  AttemptSink(CallState& call, const Target& target, std::optional<Price> price, CancelToken& cancel)
      : call_(call), target_(target), price_(price), cancel_(cancel) {}

  Task<Status> write(EventBatch& events) override;
  // After a reply that ended well without saying anything: lets the client have what was held.
  Task<Status> flush();

  // What the attempt used: as reported, otherwise estimated.
  Usage usage(bool complete) const;
  int64_t cost(const Usage& usage) const { return price_ ? price_->cost(usage) : 0; }
  bool saw_anything() const { return saw_anything_; }
  const Target& target() const { return target_; }
  const std::string& model() const { return model_; }
  Finish finish() const { return finish_; }
  CancelToken& cancel() { return cancel_; }

 private:
  void meter(const Event& event);
  Status cover();   // extends the reservation when the reply has outgrown it
  Status commit();
  int64_t output_so_far() const;

  CallState& call_;
  const Target& target_;
  const std::optional<Price> price_;
  CancelToken& cancel_;
  EventBatch held_;
  struct Metered {
    Usage reported;
    int64_t bytes = 0, wide = 0;  // of output; wide: not ASCII
  };
  Metered metered_;
  std::string model_;
  Finish finish_ = Finish::kNone;
  bool saw_anything_ = false;
};

// What this usage would take from a budget.
Estimate estimate_of(const std::optional<Price>& price, const Usage& usage);

}  // namespace ajar
