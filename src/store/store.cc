#include "store/store.h"

#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "json/write.h"
#include "store/schema.h"

namespace ajar::store {
namespace {

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) {
    if (!out.empty()) out.push_back('\n');
    out += part;
  }
  return out;
}

void bind_limits(Statement& statement, const Limits& limits) {
  statement.bind(limits.rpm).bind(limits.tpm).bind(limits.concurrency);
  statement.bind(limits.usd_day).bind(limits.usd_month);
  statement.bind(limits.tokens_day).bind(limits.tokens_month);
}

Limits read_limits(const Statement& row, int column) {
  return Limits{.rpm = row.integer(column), .tpm = row.integer(column + 1),
                .concurrency = row.integer(column + 2), .usd_day = row.integer(column + 3),
                .usd_month = row.integer(column + 4), .tokens_day = row.integer(column + 5),
                .tokens_month = row.integer(column + 6)};
}

int64_t micros(double seconds) { return int64_t(seconds * 1e6 + 0.5); }

// The usual: one attempt, of which nothing needs to be said but how long it took.
bool is_plain(const CallRow& row) {
  return row.attempts.size() == 1 && row.attempts[0].outcome == "complete" && row.attempts[0].status == 200 &&
         row.attempts[0].target == row.target && row.attempts[0].confidence < 0 && row.attempts[0].why.empty();
}

std::string attempts_json(const std::vector<AttemptRow>& attempts) {
  std::string out;
  out.reserve(96 * attempts.size() + 2);
  json::Writer w(out);
  w.begin_array();
  for (const auto& attempt : attempts) {
    write_attempt(w, attempt);
  }
  w.end_array();
  return out;
}

}  // namespace

void write_attempt(json::Writer& w, const AttemptRow& attempt) {
  w.begin_object();
  w.field("target", attempt.target);
  w.field("outcome", attempt.outcome);
  if (attempt.status != 0) w.field("status", attempt.status);
  w.field("seconds", attempt.seconds);
  if (attempt.confidence >= 0) w.field("confidence", attempt.confidence);
  if (attempt.accept >= 0) w.field("accept", attempt.accept);
  if (attempt.cost != 0) w.field("cost_usd", double(attempt.cost) / double(kNanoPerDollar));
  if (!attempt.why.empty()) w.field("why", attempt.why);
  w.end_object();
}

namespace {

constexpr const char* kInsertCall =
    "INSERT INTO call_rows(seq,kind,id,time_ms,first_token_us,total_us,overhead_us,attempt_us,input,output,cached_read,"
    "cached_write,reasoning,cost,attempts) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
constexpr const char* kInsertKind =
    "INSERT INTO call_kinds(key_id,key_name,team,endpoint,route,target,model,stream,end,error,status,reported,finish) "
    "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING";
constexpr const char* kFindKind =
    "SELECT id FROM call_kinds WHERE key_id=? AND key_name=? AND team=? AND endpoint=? AND route=? AND target=? AND model=? "
    "AND stream=? AND end=? AND error=? AND status=? AND reported=? AND finish=?";
constexpr const char* kUpsertSpend =
    "INSERT INTO spend(team,id,day,usd,tokens,requests) VALUES(?,?,?,?,?,?) ON CONFLICT DO UPDATE SET "
    "usd=usd+excluded.usd, tokens=tokens+excluded.tokens, requests=requests+excluded.requests";

}  // namespace

Store::Store(Database writer, Database reader, Database checkpointer)
    : writer_(std::move(writer)), reader_(std::move(reader)), checkpointer_(std::move(checkpointer)) {}

Result<std::unique_ptr<Store>> Store::open(const std::string& path) {
  AJAR_ASSIGN(Database writer, Database::open(path));
  AJAR_ASSIGN(Database reader, Database::open(path));
  AJAR_ASSIGN(Database checkpointer, Database::open(path));
  std::unique_ptr<Store> store(new Store(std::move(writer), std::move(reader), std::move(checkpointer)));
  if (auto status = store->migrate(); !status) {
    return std::unexpected(std::move(status).error().in("database " + path));
  }
  AJAR_ASSIGN(store->insert_call_, store->writer_.prepare(kInsertCall));
  AJAR_ASSIGN(store->insert_kind_, store->writer_.prepare(kInsertKind));
  AJAR_ASSIGN(store->find_kind_, store->writer_.prepare(kFindKind));
  AJAR_ASSIGN(store->upsert_spend_, store->writer_.prepare(kUpsertSpend));
  AJAR_ASSIGN(Statement newest, store->writer_.prepare("SELECT COALESCE(MAX(seq),0) FROM call_rows"));
  AJAR_TRY(newest.step());
  store->last_seq_ = newest.integer(0);
  AJAR_ASSIGN(store->insert_response_, store->writer_.prepare("INSERT OR REPLACE INTO responses VALUES(?,?,?,?,?,?,?)"));
  AJAR_ASSIGN(store->insert_item_, store->writer_.prepare("INSERT OR REPLACE INTO response_items VALUES(?,?)"));
  AJAR_TRY(store->writer_.exec("PRAGMA wal_autocheckpoint=0"));
  store->checkpoint_thread_ = std::thread([raw = store.get()] { raw->checkpoint_loop(); });
  store->thread_ = std::thread([raw = store.get()] { raw->write_loop(); });
  return store;
}

Store::~Store() {
  {
    std::lock_guard lock(queue_lock_);
    stop_ = true;
  }
  wake_.notify_all();
  checkpoint_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (checkpoint_thread_.joinable()) checkpoint_thread_.join();
}

// Moves what is committed from the log into the file. It waits for the disk, so it is nobody's business who commits:
// rows would wait behind it longer than they may. A full disk is the writer's to report.
void Store::checkpoint_loop() {
  constexpr auto kEvery = std::chrono::milliseconds(500);
  std::unique_lock lock(queue_lock_);
  while (!stop_) {
    checkpoint_.wait_for(lock, kEvery, [&] { return stop_; });
    lock.unlock();
    sqlite3_wal_checkpoint_v2(checkpointer_.raw(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    lock.lock();
  }
}

Status Store::migrate() {
  AJAR_TRY(writer_.exec("BEGIN IMMEDIATE"));  // two processes may open a new file at once
  AJAR_ASSIGN(Statement version, writer_.prepare("PRAGMA user_version"));
  AJAR_TRY(version.step());
  const int64_t have = version.integer(0);
  version.reset();
  const int64_t newest = std::size(kMigrations);
  if (have > newest) {
    return fail(Code::kUnavailable, "was written by a newer ajar (schema " + std::to_string(have) +
                                        ", this binary knows " + std::to_string(newest) + ")");
  }
  for (int64_t i = have; i < newest; ++i) AJAR_TRY(writer_.exec(kMigrations[i]));
  AJAR_TRY(writer_.exec(("PRAGMA user_version=" + std::to_string(newest)).c_str()));
  return writer_.exec("COMMIT");
}

Status Store::put_key(const KeyRow& key) {
  std::lock_guard lock(writer_lock_);
  AJAR_ASSIGN(Statement put,
              writer_.prepare("INSERT INTO keys VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
                              "ON CONFLICT(id) DO UPDATE SET name=excluded.name, hash=excluded.hash, hint=excluded.hint, team=excluded.team, "
                              "routes=excluded.routes, rpm=excluded.rpm, tpm=excluded.tpm, "
                              "concurrency=excluded.concurrency, usd_day=excluded.usd_day, "
                              "usd_month=excluded.usd_month, tokens_day=excluded.tokens_day, "
                              "tokens_month=excluded.tokens_month, expires_ms=excluded.expires_ms, "
                              "revoked_ms=excluded.revoked_ms, data_class=excluded.data_class"));
  put.bind(key.id).bind(key.name).bind(key.hash).bind(key.hint).bind(key.team).bind(join(key.routes));
  bind_limits(put, key.limits);
  put.bind(key.created_ms).bind(key.expires_ms).bind(key.revoked_ms).bind(key.data_class);
  if (auto status = put.run(); !status) {
    if (sqlite3_extended_errcode(writer_.raw()) == SQLITE_CONSTRAINT_UNIQUE) {
      return fail(Code::kConflict, "a key named '" + key.name + "' exists already", "name");
    }
    return status;
  }
  return writer_.exec("PRAGMA wal_checkpoint(FULL)");
}

Status Store::put_team(const TeamRow& team) {
  std::lock_guard lock(writer_lock_);
  AJAR_ASSIGN(Statement put,
              writer_.prepare("INSERT INTO teams VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT(name) DO UPDATE "
                              "SET rpm=excluded.rpm, tpm=excluded.tpm, "
                              "concurrency=excluded.concurrency, usd_day=excluded.usd_day, "
                              "usd_month=excluded.usd_month, tokens_day=excluded.tokens_day, "
                              "tokens_month=excluded.tokens_month"));
  put.bind(team.name);
  bind_limits(put, team.limits);
  put.bind(team.created_ms);
  AJAR_TRY(put.run());
  return writer_.exec("PRAGMA wal_checkpoint(FULL)");
}

Result<bool> Store::delete_team(const std::string& name) {
  std::lock_guard lock(writer_lock_);
  AJAR_ASSIGN(Statement remove, writer_.prepare("DELETE FROM teams WHERE name=?"));
  AJAR_TRY(remove.bind(name).run());
  return sqlite3_changes(writer_.raw()) > 0;
}

Result<std::vector<KeyRow>> Store::keys() {
  std::lock_guard lock(reader_lock_);
  AJAR_ASSIGN(Statement row, reader_.prepare("SELECT * FROM keys ORDER BY created_ms, id"));
  std::vector<KeyRow> keys;
  for (;;) {
    AJAR_ASSIGN(const bool more, row.step());
    if (!more) return keys;
    KeyRow& key = keys.emplace_back();
    key.id = row.text(0);
    key.name = row.text(1);
    key.hash = row.text(2);
    key.hint = row.text(3);
    key.team = row.text(4);
    const std::string routes = row.text(5);
    if (!routes.empty()) {
      for (const auto route : split(routes, '\n')) key.routes.emplace_back(route);
    }
    key.limits = read_limits(row, 6);
    key.created_ms = row.integer(13);
    key.expires_ms = row.integer(14);
    key.revoked_ms = row.integer(15);
    key.data_class = row.text(16);
  }
}

Result<std::vector<TeamRow>> Store::teams() {
  std::lock_guard lock(reader_lock_);
  AJAR_ASSIGN(Statement row, reader_.prepare("SELECT * FROM teams ORDER BY name"));
  std::vector<TeamRow> teams;
  for (;;) {
    AJAR_ASSIGN(const bool more, row.step());
    if (!more) return teams;
    teams.push_back({.name = row.text(0), .limits = read_limits(row, 1), .created_ms = row.integer(8)});
  }
}

Result<std::vector<SpendRow>> Store::spend(int64_t first_day) {
  flush();
  std::lock_guard lock(reader_lock_);
  AJAR_ASSIGN(Statement row, reader_.prepare(
                                 "SELECT team,id,day,usd,tokens,requests FROM spend WHERE day>=?"));
  row.bind(first_day);
  std::vector<SpendRow> rows;
  for (;;) {
    AJAR_ASSIGN(const bool more, row.step());
    if (!more) return rows;
    rows.push_back({.team = row.integer(0) != 0, .id = row.text(1), .day = row.integer(2),
                    .usd = row.integer(3), .tokens = row.integer(4), .requests = row.integer(5)});
  }
}

void Store::record(CallRow row) {
  const int64_t day = utc_day(row.time_ms);
  bool wake = false;
  {
    std::lock_guard lock(queue_lock_);
    const auto add = [&](bool team, const std::string& id) {
      SpendRow& spend = spend_[std::to_string(day) + (team ? "t" : "k") + id];
      spend.team = team;
      spend.id = id;
      spend.day = day;
      spend.usd += row.cost;
      spend.tokens += row.usage.total();
      spend.requests += 1;
    };
    wake = queue_.empty() && spend_.empty() && kept_queue_.empty();
    if (!row.key_id.empty()) add(false, row.key_id);
    if (!row.team.empty()) add(true, row.team);
    ++recorded_;
    if (queue_.size() >= kMaxQueue) {
      ++stats_.dropped;
    } else if (spent_.empty()) {
      queue_.push_back(std::move(row));
    } else {
      // An allocator's cache is a thread's: what the writer freed, this thread would have to fetch anew, under a lock.
      queue_.push_back(std::move(row));
      row = std::move(spent_.back());
      spent_.pop_back();
    }
  }
  if (wake) wake_.notify_one();
}

void Store::flush() {
  std::unique_lock lock(queue_lock_);
  const uint64_t target = recorded_;
  wake_.notify_one();
  flushed_.wait(lock, [&] { return committed_ >= target || stop_; });
}

void Store::write_loop() {
  std::vector<CallRow> rows;
  std::map<std::string, SpendRow> spend;
  Kept kept;
  for (;;) {
    uint64_t upto = 0;
    {
      std::unique_lock lock(queue_lock_);
      wake_.wait(lock, [&] { return stop_ || !queue_.empty() || !spend_.empty() || !kept_queue_.empty(); });
      if (queue_.empty() && spend_.empty() && kept_queue_.empty()) return;  // stop_, and nothing waits
      if (!stop_ && queue_.size() < kMaxBatch) {
        wake_.wait_for(lock, std::chrono::milliseconds(kFlushMillis), [&] { return stop_; });
      }
      rows.swap(queue_);
      spend.swap(spend_);
      kept.swap(kept_queue_);
      upto = recorded_;
    }
    Status status;
    for (int tries = 0; tries < 3; ++tries) {
      if (status = write_batch(rows, spend, kept); status) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(50 << tries));
    }
    std::lock_guard lock(queue_lock_);
    if (status) {
      stats_.written += int64_t(rows.size() + kept.size());
    } else {
      // The file is not to be written now (full disk, ...). Rows are counted as lost; money is kept for the
      // next batch.
      stats_.failed += int64_t(rows.size() + kept.size());
      for (auto& [id, row] : spend) {
        SpendRow& waiting = spend_[id];
        const SpendRow sum = waiting;
        waiting = row;
        waiting.usd += sum.usd;
        waiting.tokens += sum.tokens;
        waiting.requests += sum.requests;
      }
      if (stop_) spend_.clear();  // three tries at the very end: give up rather than hang
    }
    forget(kept);
    committed_ = upto;
    flushed_.notify_all();
    if (spent_.size() < rows.size() && rows.size() <= kMaxSpent) spent_.swap(rows);
    rows.clear();
    spend.clear();
    kept.clear();
  }
}

Status Store::write_batch(const std::vector<CallRow>& rows, const std::map<std::string, SpendRow>& spend,
                          const Kept& kept) {
  std::lock_guard lock(writer_lock_);
  AJAR_TRY(writer_.exec("BEGIN IMMEDIATE"));
  const auto write_all = [&]() -> Status {
    for (const auto& [id, row] : spend) {
      upsert_spend_.bind(int64_t{row.team}).bind(row.id).bind(row.day).bind(row.usd).bind(row.tokens);
      AJAR_TRY(upsert_spend_.bind(row.requests).run());
    }
    for (const auto& row : kept) AJAR_TRY(write_response(*row));
    for (const CallRow& row : rows) AJAR_TRY(write_call(row));
    return {};
  };
  if (auto status = write_all(); !status) {
    writer_.exec("ROLLBACK");
    kinds_.clear();  // some may never have been written
    return status;
  }
  Status committed = writer_.exec("COMMIT");
  if (!committed) {
    writer_.exec("ROLLBACK");
    kinds_.clear();
  }
  return committed;
}

Status Store::write_call(const CallRow& row) {
  AJAR_ASSIGN(const int64_t kind, kind_of(row));
  last_seq_ = std::max(last_seq_ + 1, unix_millis() << kSeqBits);
  const bool plain = is_plain(row);
  const std::string attempts = plain ? std::string() : attempts_json(row.attempts);
  Statement& s = insert_call_;
  s.bind(last_seq_).bind(kind).bind_view(row.id).bind(row.time_ms).bind(micros(row.first_token_seconds));
  s.bind(micros(row.total_seconds)).bind(micros(row.overhead_seconds)).bind(plain ? micros(row.attempts[0].seconds) : 0);
  s.bind(row.usage.input).bind(row.usage.output).bind(row.usage.cached_read).bind(row.usage.cached_write);
  s.bind(row.usage.reasoning).bind(row.cost).bind_view(attempts);
  AJAR_TRY(s.run());
  const AttemptRow* judged = row.judged();
  return judged != nullptr ? write_judged(row, *judged) : Status();
}

Result<int64_t> Store::kind_of(const CallRow& row) {
  std::string& key = kind_key_;
  const char small[] = {char(row.stream), char(row.end), char(row.usage.reported), char(row.status), char(row.status >> 8)};
  key.assign(small, sizeof small);
  for (const std::string* text : {&row.key_id, &row.key_name, &row.team, &row.endpoint, &row.route, &row.target, &row.model,
                                  &row.error, &row.finish}) {
    key.append(*text).push_back('\0');
  }
  if (const auto known = kinds_.find(key); known != kinds_.end()) return known->second;

  const auto bind = [&row](Statement& s) -> Statement& {
    s.bind_view(row.key_id).bind_view(row.key_name).bind_view(row.team).bind_view(row.endpoint).bind_view(row.route);
    s.bind_view(row.target).bind_view(row.model).bind(int64_t{row.stream}).bind_view(stream_end_name(row.end));
    s.bind_view(row.error).bind(int64_t{row.status}).bind(int64_t{row.usage.reported}).bind_view(row.finish);
    return s;
  };
  AJAR_TRY(bind(insert_kind_).run());
  const auto found = bind(find_kind_).step();
  const int64_t kind = found && *found ? find_kind_.integer(0) : 0;
  find_kind_.reset();
  if (!found) return std::unexpected(found.error());
  if (kinds_.size() >= kMaxKinds) kinds_.clear();
  kinds_.emplace(key, kind);
  return kind;
}

Store::Stats Store::stats() const {
  std::lock_guard lock(queue_lock_);
  Stats stats = stats_;
  stats.waiting = int64_t(queue_.size());
  return stats;
}

}  // namespace ajar::store
