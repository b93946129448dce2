#pragma once
// Single flight: equal requests that come while the first of them is being answered share its answer as it grows.

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "core/event.h"
#include "gateway/request_key.h"
#include "net/signal.h"

namespace ajar {

// One call under way. Its leader writes, followers read; any thread.
class Flight {
 public:
  enum class State : uint8_t { kRunning, kWhole, kFailed, kAbandoned };
  static constexpr size_t kMaxBytes = 8 << 20;  // of a reply that is kept for others; beyond, nobody may join any more

  // The leader, once it is known who answers.
  struct Facts {
    std::string route, target, model;
    bool simulator = false;
    bool sure = true;      // not an answer that policy lets out although it is unsure
  };
  void begin(Facts facts);
  void add(const EventBatch& events);
  // `error` says why it failed where followers would fare alike. Abandoned: each follower asks anew.
  void end(State state, const Error* error);

  // A follower. False: too late or too large to join.
  bool join(std::shared_ptr<Signal> signal);
  void leave(const Signal* signal);
  struct News {
    State state = State::kRunning;
    std::string bytes;  // of event_codec.h, behind the last look
    Facts facts;        // of a call that has begun
    bool begun = false;
    std::optional<Error> error;
  };
  News look(size_t& offset) const;  // `offset` moves on

  size_t followers() const;
  // Called, on any thread and with a lock held, when the last follower has left: the leader may not need to go on.
  void on_desertion(std::function<void()> call);
  std::string take_events();  // the whole reply, once it has ended; empty: too large. Nobody may join any more
  const Facts& facts() const { return facts_; }  // the leader's own use

 private:
  mutable std::mutex lock_;  // guards all below
  State state_ = State::kRunning;
  bool begun_ = false, full_ = false;
  Facts facts_;
  std::string bytes_;
  std::optional<Error> error_;
  std::vector<std::shared_ptr<Signal>> followers_;
  std::function<void()> desertion_;
};

class Flights {
 public:
  // The flight of this key, and whether the caller leads it.
  std::pair<std::shared_ptr<Flight>, bool> enter(const RequestKey& key);
  void leave(const RequestKey& key, const Flight* flight);  // the leader, at its end

 private:
  struct Shard {
    std::mutex lock;  // guards running
    std::unordered_map<RequestKey, std::shared_ptr<Flight>, RequestKeyHash> running;
  };
  std::array<Shard, 16> shards_;
};

}  // namespace ajar
