#pragma once
// What survives a restart: keys, teams, spend and one row per call, in one SQLite file (WAL).
//
// Threads: every method may be called from any thread. Methods that answer from the file block for
// milliseconds: call them at start-up or on a blocking pool, never on a loop. `record` never blocks on the file:
// one writer thread commits in batches at most kFlushMillis after the first waiting row, so that a crash of the
// process loses no settled spend older than 50 ms.

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "core/batch.h"
#include "store/rows.h"
#include "store/sqlite.h"

namespace ajar::store {

class Store {
 public:
  static constexpr int kFlushMillis = 20;
  static constexpr size_t kMaxBatch = 512;      // rows per transaction
  static constexpr size_t kMaxSpent = 2048;     // of a larger batch, the memory is not worth keeping
  static constexpr size_t kMaxKinds = 10'000;   // more than these are looked for those that no call has any more
  static constexpr size_t kMaxQueue = 65'536;   // waiting call rows; beyond that rows are counted and dropped,
                                                // spend never is

  // Opens or makes `path` and brings it to the newest schema. kUnavailable names the file and the cause, also
  // when it was made by a newer version.
  static Result<std::unique_ptr<Store>> open(const std::string& path);
  ~Store();  // writes what waits

  // Keys and teams: durable when the call returns.
  Status put_key(const KeyRow& key);    // inserts or replaces by id; kConflict: another key has this name
  Status put_team(const TeamRow& team);
  Result<bool> delete_team(const std::string& name);
  Result<std::vector<KeyRow>> keys();
  Result<std::vector<TeamRow>> teams();

  // Spend of the days from `first_day` on.
  Result<std::vector<SpendRow>> spend(int64_t first_day);

  void record(CallRow row);
  void flush();  // returns when all that was recorded before is committed

  Result<std::vector<UsageRow>> usage(const UsageFilter& filter);
  Result<std::vector<CallRow>> calls(const UsageFilter& filter, int limit);  // newest first
  // Deletes call rows older than this in small steps; spend stays.
  Result<int64_t> delete_calls_before(int64_t time_ms);

  // Files and batches (files.cc): durable when the call returns. `owner` limits what is found.
  Status put_file(const StoredFile& file);
  Result<StoredFile> find_file(const std::string& owner, const std::string& id);       // kNotFound
  // Newest first, from the one behind `after` on; `purpose` empty: any.
  Result<std::vector<StoredFile>> list_files(const std::string& owner, const std::string& purpose,
                                             const std::string& after, int64_t limit, bool oldest_first);
  Result<bool> delete_file(const std::string& owner, const std::string& id);
  Result<std::vector<StoredFile>> files_expired_at(int64_t time_ms, int64_t limit);
  Result<int64_t> file_bytes();                                                        // of all files together
  Status put_batch(const Batch& batch);                                                // inserts or replaces
  Result<Batch> find_batch(const std::string& owner, const std::string& id);           // kNotFound
  Result<std::vector<Batch>> list_batches(const std::string& owner, const std::string& after, int64_t limit);
  Result<std::vector<Batch>> open_batches();                                           // of all owners, oldest first
  // Turns a batch that is not over into one that is being cancelled; the batch as it then is.
  Result<Batch> cancel_batch(const std::string& owner, const std::string& id, int64_t time_ms);
  // Kept responses. `keep` never blocks on the file, and what it was given can be read at once; it is committed with
  // the next batch. Beyond kMaxKeptBytes of waiting ones a response is counted as dropped.
  static constexpr size_t kMaxKeptBytes = 256 << 20;
  void keep(ResponseRow row);
  Result<std::optional<ResponseRow>> response(const std::string& id);
  // The response that has this item; of several the newest.
  Result<std::optional<ResponseRow>> response_of_item(const std::string& item);
  Result<bool> delete_response(const std::string& id);
  Result<int64_t> delete_responses_before(int64_t time_ms);

  // Evidence about ladders (evidence.cc): durable when the call returns. The same source on the same answer replaces.
  Status put_evidence(const EvidenceRow& row);
  // The newest of a rung, oldest first. `source` empty: any.
  Result<std::vector<EvidenceRow>> evidence(const std::string& route, const std::string& target, const std::string& source, int64_t limit);
  Status put_feedback(const FeedbackRow& row);  // one per answer and key; a later one replaces
  Result<std::vector<FeedbackRow>> feedback(int64_t from_ms, int64_t limit);  // newest first
  Status put_trial(const TrialRow& row);        // replaces by kind, route and target
  Result<std::vector<TrialRow>> trials(const std::string& kind);
  // By the call's id or the reply's.
  Result<std::optional<JudgedAnswer>> judged_answer(const std::string& id);

  struct Stats { int64_t written = 0, dropped = 0, failed = 0, waiting = 0; };
  Stats stats() const;

 private:
  Store(Database writer, Database reader, Database checkpointer);
  void checkpoint_loop();
  Status migrate();
  void write_loop();
  using Kept = std::vector<std::shared_ptr<const ResponseRow>>;
  Status write_batch(const std::vector<CallRow>& rows, const std::map<std::string, SpendRow>& spend, const Kept& kept);
  Status write_call(const CallRow& row);
  Status write_judged(const CallRow& row, const AttemptRow& attempt);
  // The number of what this call has in common with others.
  Result<int64_t> kind_of(const CallRow& row);
  Status prune_kinds();
  Status write_response(const ResponseRow& row);
  void forget(const Kept& kept);  // with queue_lock_ held

  // Guards the connections; held only while one statement or batch runs.
  std::mutex writer_lock_;
  Database writer_;
  Statement insert_call_, insert_kind_, find_kind_, upsert_spend_, insert_response_, insert_item_;
  int64_t last_seq_ = 0;  // of call_rows, see schema.h
  std::unordered_map<std::string, int64_t> kinds_;  // those seen lately; all of them are committed or about to be
  std::string kind_key_;
  std::mutex reader_lock_;
  Database reader_;

  Database checkpointer_;  // checkpoint_thread_'s own

  mutable std::mutex queue_lock_;  // guards all below
  std::condition_variable wake_, flushed_, checkpoint_;
  std::vector<CallRow> queue_;
  std::vector<CallRow> spent_;  // written rows; their memory goes back to the threads that it came from
  std::map<std::string, SpendRow> spend_;  // waiting increments by scope and day
  Kept kept_queue_;
  std::map<std::string, std::shared_ptr<const ResponseRow>> kept_;  // waiting or being written, by id
  size_t kept_bytes_ = 0;
  uint64_t recorded_ = 0, committed_ = 0;
  Stats stats_;
  bool stop_ = false;
  std::thread thread_, checkpoint_thread_;
};

}  // namespace ajar::store
