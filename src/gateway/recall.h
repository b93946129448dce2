#pragma once
// The step before the climb: an equal request may have been answered before, or somebody may be asking it right now.

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "gateway/answer_cache.h"
#include "gateway/call.h"
#include "gateway/metrics.h"
#include "gateway/flight.h"
#include "gateway/semantic_cache.h"

namespace ajar {

// Who may be given each other's answers, and under which policy they were made: the scope of request_key.
std::string cache_scope(const Route& route, const Caller& caller, const std::string& data_class);

// What all calls share; owned by `app`.
struct Memory {
  AnswerCache& answers;
  Flights flights;
  SemanticCache alike;

  // Whether an answer is kept now.
  SemanticCache::Lives lives() const {
    return [&answers = answers, at = unix_millis()](const RequestKey& key) { return answers.holds(key, at); };
  }
  // Once a minute or so. Blocks.
  void tidy() {
    answers.tidy(unix_millis());
    alike.tidy(lives());
  }
};

// One call's. Made on the call's loop and lives as long as the call.
class Recall {
 public:
  // The request must outlive this.
  Recall(Memory& memory, Metrics& metrics, CallState& call, const Request& request);
  ~Recall();

  // Whether the route remembers answers and this client wants it.
  static bool wanted(const CallState& call);

  // Gives the client the answer that is known, or that another call is getting: then the call has ended with that status.
  // Nothing: it is this call's to answer; until it ends, what it writes is remembered and told to those who ask the same.
  Task<std::optional<Status>> answer();

 private:
  class Recorder;
  Task<Status> replay(const CachedAnswer& answer, std::string_view how);
  // Answers to questions that are alike.
  struct Alike {
    RequestKey bucket;
    std::string question;
    std::vector<float> embedding;
    std::optional<SemanticCache::Neighbour> neighbour;  // that was not served
    bool audited = false;                               // it would have been
  };
  Task<std::optional<Status>> answer_alike();
  Task<std::vector<float>> embed(const std::string& text);  // empty: not to be had
  void learn_alike(const EventBatch& events);
  Task<std::optional<Status>> follow(Flight& flight);  // nothing: it came to nothing, ask again
  void lead(std::shared_ptr<Flight> flight);

  Memory& memory_;
  Metrics& metrics_;
  std::optional<Alike> alike_;
  CallState& call_;
  const Request& request_;
  RequestKey key_;
  std::shared_ptr<Flight> flight_;  // that this call leads
  std::unique_ptr<Recorder> recorder_;
};

}  // namespace ajar
