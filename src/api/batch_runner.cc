#include "api/batch_runner.h"

#include <algorithm>
#include <unordered_set>

#include "base/log.h"
#include "base/random.h"
#include "wire/openai/batch.h"

namespace ajar::api {
namespace {

using wire::openai::BatchFault;

constexpr size_t kMaxFaults = 100;         // told of one batch
constexpr size_t kMaxUnwritten = 1 << 20;  // bytes of answers that wait for the disk
constexpr int kTries = 5;                  // of a line, at faults that may pass
constexpr Millis kPoll{20};                // how often a line that waits for room looks again

struct Line {
  std::string custom_id;
  std::string body;
};

struct Prepared {
  std::vector<Line> lines;  // that have no answer yet
  std::vector<BatchFault> faults;
  int64_t total = 0, completed = 0, failed = 0;
};

// The custom ids that an output or error file has answers for.
Result<std::unordered_set<std::string>> answered(const store::Blobs& blobs, const std::string& file) {
  std::unordered_set<std::string> ids;
  if (blobs.size(file).value_or(0) == 0) return ids;
  AJAR_TRY(blobs.trim_to_lines(file));
  AJAR_ASSIGN(const std::string text, blobs.read(file));
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    if (auto id = wire::openai::result_custom_id(std::string_view(text).substr(at, end - at))) ids.insert(std::move(*id));
    at = end + 1;
  }
  return ids;
}

Result<Prepared> read_lines(const store::Blobs& blobs, const Batch& batch, int64_t max_lines) {
  AJAR_ASSIGN(const std::string input, blobs.read(batch.input_file));
  AJAR_ASSIGN(const auto done, answered(blobs, batch.output_file));
  AJAR_ASSIGN(const auto undone, answered(blobs, batch.error_file));
  Prepared out;
  out.completed = int64_t(done.size());
  out.failed = int64_t(undone.size());
  std::unordered_set<std::string> seen;
  int64_t number = 0;
  for (size_t at = 0; at < input.size() && out.faults.size() < kMaxFaults;) {
    const size_t end = std::min(input.find('\n', at), input.size());
    const std::string_view text = std::string_view(input).substr(at, end - at);
    at = end + 1;
    ++number;
    if (text.find_first_not_of(" \t\r") == text.npos) continue;
    if (++out.total > max_lines) {
      out.faults.push_back({.code = "too_many_tasks", .message = "the file has more than " + std::to_string(max_lines) +
                                                                 " requests", .line = number});
      break;
    }
    auto line = wire::openai::read_batch_line(text, batch.endpoint);
    if (!line) {
      const Error& error = line.error();
      out.faults.push_back({.code = error.type, .message = error.message, .param = error.field, .line = number});
    } else if (!seen.insert(line->custom_id).second) {
      out.faults.push_back({.code = "duplicate_custom_id",
                            .message = "another line has the custom_id '" + line->custom_id + "'",
                            .param = "custom_id", .line = number});
    } else if (!done.contains(line->custom_id) && !undone.contains(line->custom_id)) {
      out.lines.push_back({std::move(line->custom_id), std::move(line->body)});
    }
  }
  if (out.total == 0 && out.faults.empty()) {
    out.faults.push_back({.code = "empty_file", .message = "the input file has no requests"});
  }
  return out;
}

// Faults that another try may not meet.
bool may_pass(const Error& error) {
  return error.code == Code::kRateLimit || error.code == Code::kUnavailable || error.code == Code::kTimeout || error.code == Code::kCut ||
         (error.code == Code::kUpstream && error.upstream_status >= 500);
}

}  // namespace

struct BatchRunner::Run {
  explicit Run(Batch b) : batch(std::move(b)) {}
  Batch batch;
  std::shared_ptr<const Key> key;
  CancelToken token;       // fires when the server ends
  bool cancelled = false;  // by its owner
  std::vector<Line> lines;
  size_t next = 0, workers = 0;
  std::string answers, errors;  // not yet in their files
  bool writing = false;
  TimePoint saved{};

  bool expired() const { return unix_millis() >= batch.expires_ms; }
};

Status BatchRunner::resume() {
  AJAR_ASSIGN(auto open, parts_.store.open_batches());
  for (Batch& batch : open) submit(std::move(batch));
  return {};
}

void BatchRunner::submit(Batch batch) {
  {
    std::lock_guard guard(lock_);
    ++active_;
  }
  parts_.loop.spawn(run(std::make_shared<Run>(std::move(batch))));
}

void BatchRunner::cancel(const std::string& id) {
  parts_.loop.post([this, id] {
    const auto found = runs_.find(id);
    if (found == runs_.end()) return;
    found->second->cancelled = true;
    found->second->batch.cancelling_ms = unix_millis();
  });
}

void BatchRunner::quiesce() { quiet_ = true; }

void BatchRunner::stop(Millis patience) {
  quiesce();
  std::unique_lock guard(lock_);
  if (ended_.wait_for(guard, patience, [&] { return active_ == 0; })) return;
  guard.unlock();
  parts_.loop.post([this] {
    for (auto& [id, run] : runs_) run->token.cancel();
  });
  guard.lock();
  // What they wait for now ends by itself: a cancelled call, a write to the disk.
  ended_.wait_for(guard, std::chrono::seconds(30), [&] { return active_ == 0; });
}

bool BatchRunner::may_begin(const Run& run) const {
  return !quiet_ && !run.cancelled && !run.token.cancelled() && !run.expired();
}

int64_t BatchRunner::allowed() const {
  const int64_t live = parts_.calls_in_flight() - lines_running_;
  return live <= 0 ? parts_.limits.concurrency : std::clamp<int64_t>(live / 2, 1, parts_.limits.concurrency);
}

Task<> BatchRunner::run(std::shared_ptr<Run> run) {
  runs_[run->batch.id] = run;
  if (co_await prepare(*run)) {
    Waiter done(parts_.loop);
    run->workers = std::min<size_t>(size_t(parts_.limits.concurrency), run->lines.size());
    for (size_t i = run->workers; i > 0; --i) parts_.loop.spawn(work(run, done));
    while (run->workers > 0) co_await done.wait(kNever);
    while (run->writing) (void)co_await sleep_until(now() + kPoll);
    if (!quiet_) co_await finalize(*run);
  }
  runs_.erase(run->batch.id);
  std::lock_guard guard(lock_);
  --active_;
  ended_.notify_all();
}

// Reads the input and what is answered already. False: there is nothing to run.
Task<bool> BatchRunner::prepare(Run& run) {
  Batch& batch = run.batch;
  if (!batch.key_id.empty()) {
    const auto key = parts_.tenants.find(batch.key_id);
    if (!key || (*key)->row.revoked_ms != 0) {
      co_await fail(run, wire::openai::write_batch_faults(
                             {{.code = "invalid_api_key", .message = "the key that made this batch is not valid any more"}}));
      co_return false;
    }
    run.key = *key;
  }
  auto prepared = co_await parts_.blocking.run([&blobs = parts_.blobs, batch, max = parts_.limits.max_lines] {
    return read_lines(blobs, batch, max);
  });
  if (!prepared) {
    prepared = Prepared{.faults = {{.code = "invalid_input_file", .message = "the input file cannot be read: " +
                                                                            prepared.error().message}}};
  }
  if (!prepared->faults.empty()) {
    co_await fail(run, wire::openai::write_batch_faults(prepared->faults));
    co_return false;
  }
  run.lines = std::move(prepared->lines);
  batch.total = prepared->total;
  batch.completed = prepared->completed;
  batch.failed = prepared->failed;
  run.cancelled = run.cancelled || batch.status == BatchStatus::kCancelling;
  if (batch.status == BatchStatus::kValidating) {
    batch.status = BatchStatus::kInProgress;
    batch.in_progress_ms = unix_millis();
    co_await save(run);
  }
  co_return true;
}

// One of the batch's workers: line after line until none is left.
Task<> BatchRunner::work(std::shared_ptr<Run> run, Waiter& done) {
  while (run->next < run->lines.size() && co_await take_slot(*run)) {
    if (run->next == run->lines.size()) {  // another worker was quicker
      --lines_running_;
      break;
    }
    Line line = std::move(run->lines[run->next++]);
    const Answer answer = co_await ask(*run, line.body);
    --lines_running_;
    // Not answered because the server ends: asked again after the next start.
    if (answer.error && (run->token.cancelled() || (quiet_ && may_pass(*answer.error)))) break;
    const std::string id = new_id("batch_req_");
    co_await record(*run, answer.status == 200,
                    wire::openai::write_batch_result(id, line.custom_id, answer.status, answer.request_id, answer.body));
  }
  --run->workers;
  done.wake_later(Wake::kReady);
}

// Waits for room. False: no more lines may begin.
Task<bool> BatchRunner::take_slot(Run& run) {
  while (may_begin(run)) {
    const bool disk_keeps_up = run.answers.size() + run.errors.size() < kMaxUnwritten;
    if (disk_keeps_up && lines_running_ < allowed()) {
      ++lines_running_;
      co_return true;
    }
    if (!co_await sleep_until(now() + kPoll, run.token)) break;
  }
  co_return false;
}

// Asks until there is an answer that will not get better: a limit per minute is waited for, a fault that may pass is
// given a few chances.
Task<Answer> BatchRunner::ask(Run& run, const std::string& body) {
  Millis wait{500};
  for (int tries = 1;; ++tries) {
    Answer answer = co_await api::answer(parts_.gateway, run.batch.endpoint, body, run.key, run.token);
    if (!answer.error || run.token.cancelled() || !may_begin(run)) co_return answer;
    const bool limited = answer.error->code == Code::kRateLimit;
    if (!limited && (!may_pass(*answer.error) || tries >= kTries)) co_return answer;
    wait = std::min(wait * 2, Millis(30'000));
    const Millis pause = std::max(wait, Millis(std::min<int64_t>(answer.error->retry_after_ms, 120'000)));
    --lines_running_;  // room for others meanwhile
    const bool slept = co_await sleep_until(now() + Millis(int64_t(double(pause.count()) * (0.75 + fast_uniform() / 2))),
                                            run.token);
    if (!slept || !co_await take_slot(run)) {
      ++lines_running_;  // as the caller expects
      co_return answer;
    }
  }
}

// Adds a line to its file. One write is under way at a time; what comes meanwhile goes with the next.
Task<> BatchRunner::record(Run& run, bool ok, std::string line) {
  (ok ? run.answers : run.errors) += line;
  ++(ok ? run.batch.completed : run.batch.failed);
  if (run.writing) co_return;
  run.writing = true;
  while (!run.answers.empty() || !run.errors.empty()) {
    const auto append = [&](const std::string& file, std::string& text) -> Task<bool> {
      if (text.empty()) co_return true;
      const std::string taken = std::exchange(text, {});
      const auto status = co_await parts_.blocking.run(
          [&blobs = parts_.blobs, file, taken] { return blobs.append(file, taken); });
      if (status) co_return true;
      text.insert(0, taken);
      log_warn("batch " + run.batch.id + ": " + status.error().message + "; trying again");
      co_return false;
    };
    const bool written = co_await append(run.batch.output_file, run.answers) &&
                         co_await append(run.batch.error_file, run.errors);
    if (!written && !co_await sleep_until(now() + Millis(1'000), run.token)) break;  // a full disk may get room again
    if (written && now() - run.saved > Millis(1'000)) co_await save(run);
  }
  run.writing = false;
}

Task<> BatchRunner::save(Run& run) {
  run.saved = now();
  Batch batch = run.batch;
  if (run.cancelled && batch.status == BatchStatus::kInProgress) batch.status = BatchStatus::kCancelling;
  const auto status = co_await parts_.blocking.run([&store = parts_.store, batch = std::move(batch)]() -> Status {
    // A cancellation that came between stays.
    auto now_there = store.find_batch(batch.owner, batch.id);
    Batch row = batch;
    if (now_there && now_there->status == BatchStatus::kCancelling && row.status == BatchStatus::kInProgress) {
      row.status = BatchStatus::kCancelling;
    }
    if (now_there && now_there->cancelling_ms > 0) row.cancelling_ms = now_there->cancelling_ms;
    return store.put_batch(row);
  });
  if (!status) log_warn("batch " + run.batch.id + " could not be saved: " + status.error().message);
}

Task<> BatchRunner::fail(Run& run, RawJson faults) {
  run.batch.status = BatchStatus::kFailed;
  run.batch.ended_ms = unix_millis();
  run.batch.faults = std::move(faults);
  run.batch.output_file.clear();
  run.batch.error_file.clear();
  co_await save(run);
}

// The end of a batch whose lines are all answered, or that was cancelled or ran out of time.
Task<> BatchRunner::finalize(Run& run) {
  Batch& batch = run.batch;
  const bool expired = !run.cancelled && run.next < run.lines.size();
  if (expired) {
    for (; run.next < run.lines.size(); ++run.next) {
      run.errors += wire::openai::write_batch_unanswered(new_id("batch_req_"), run.lines[run.next].custom_id,
                                                         "batch_expired",
                                                         "this request was not answered within the completion window");
      ++batch.failed;
    }
    const auto status = co_await parts_.blocking.run(
        [&blobs = parts_.blobs, file = batch.error_file, last = std::exchange(run.errors, {})] {
          return blobs.append(file, last);
        });
    if (!status) log_warn("batch " + batch.id + ": " + status.error().message);
  }
  batch.finalizing_ms = unix_millis();
  if (!run.cancelled) {
    batch.status = BatchStatus::kFinalizing;
    co_await save(run);
  }
  // The files become their owner's; one without a line is none.
  const auto files = co_await parts_.blocking.run([&store = parts_.store, &blobs = parts_.blobs, batch]() -> Result<Batch> {
    Batch out = batch;
    for (auto [file, name] : {std::pair{&out.output_file, "output"}, std::pair{&out.error_file, "error"}}) {
      const int64_t bytes = blobs.size(*file).value_or(0);
      if (bytes == 0) {
        AJAR_TRY(blobs.remove(*file));
        file->clear();
        continue;
      }
      AJAR_TRY(blobs.sync(*file));
      AJAR_TRY(store.put_file({.id = *file, .owner = out.owner, .name = out.id + "_" + name + ".jsonl",
                               .purpose = "batch_output", .bytes = bytes, .created_ms = unix_millis()}));
    }
    return out;
  });
  if (!files) {
    log_warn("batch " + batch.id + " could not be finished and stays open: " + files.error().message);
    co_return;
  }
  batch = *files;
  batch.status = run.cancelled ? BatchStatus::kCancelled : expired ? BatchStatus::kExpired : BatchStatus::kCompleted;
  batch.ended_ms = unix_millis();
  co_await save(run);
}

}  // namespace ajar::api
