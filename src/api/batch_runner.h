#pragma once
// Runs batches: the lines of an input file as calls of the key that made the batch, their answers as lines of an output
// and an error file. A batch survives the process: what is answered stands in those files, the rest is asked again after
// the next start. Batches stand back: while clients wait for answers, at most half as many lines run as live calls do.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "api/answer.h"
#include "core/batch.h"
#include "net/blocking.h"
#include "store/blobs.h"

namespace ajar::api {

struct BatchLimits {
  int64_t concurrency = 8;     // lines at once, of all batches together
  int64_t max_lines = 50'000;  // of one batch
};

struct BatchParts {
  store::Store& store;
  const store::Blobs& blobs;
  const Tenants& tenants;
  Gateway& gateway;
  BlockingPool& blocking;
  Loop& loop;                                // where everything here runs
  std::function<int64_t()> calls_in_flight;  // lines of batches included; from any thread
  BatchLimits limits;
};

class BatchRunner {
 public:
  explicit BatchRunner(BatchParts parts) : parts_(std::move(parts)) {}
  ~BatchRunner() { stop(Millis(0)); }

  Status resume();                     // takes up what an earlier process left; blocks
  void submit(Batch batch);            // from any thread; the row is in the store already
  void cancel(const std::string& id);  // from any thread; no more lines begin
  void quiesce();                      // from any thread: no more lines begin, batches stay open
  // Quiesces, waits for running lines, cuts what is left after `patience` (it is asked again after the next start).
  // Not from the loop's thread.
  void stop(Millis patience);

 private:
  struct Run;
  Task<> run(std::shared_ptr<Run> run);
  Task<bool> prepare(Run& run);
  Task<> work(std::shared_ptr<Run> run, Waiter& done);
  Task<bool> take_slot(Run& run);
  Task<Answer> ask(Run& run, const std::string& body);
  Task<> record(Run& run, bool ok, std::string line);
  Task<> finalize(Run& run);
  Task<> save(Run& run);
  Task<> fail(Run& run, RawJson faults);
  bool may_begin(const Run& run) const;
  int64_t allowed() const;

  BatchParts parts_;
  // Loop's thread only.
  std::map<std::string, std::shared_ptr<Run>> runs_;
  int64_t lines_running_ = 0;
  std::atomic<bool> quiet_{false};
  std::mutex lock_;  // guards active_
  std::condition_variable ended_;
  size_t active_ = 0;
};

}  // namespace ajar::api
