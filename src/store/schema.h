#pragma once
// Numbered migrations. Only ever append: a file remembers the number of the last one it has seen.

#include <iterator>

namespace ajar::store {

// call_rows.seq is the Unix time in milliseconds at which the row was written, shifted by this, plus a counter. It only grows,
// and a row's time_ms (when the call began) is never later: rows since T all have seq >= T << kSeqBits.
inline constexpr int kSeqBits = 20;

inline constexpr const char* kMigrations[] = {
    // 1: keys, teams, spend, calls
    R"sql(
CREATE TABLE keys (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, hint TEXT NOT NULL,
  team TEXT NOT NULL, routes TEXT NOT NULL,
  rpm INTEGER NOT NULL, tpm INTEGER NOT NULL, concurrency INTEGER NOT NULL,
  usd_day INTEGER NOT NULL, usd_month INTEGER NOT NULL,
  tokens_day INTEGER NOT NULL, tokens_month INTEGER NOT NULL,
  created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, revoked_ms INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX keys_name ON keys(name) WHERE revoked_ms = 0;
CREATE TABLE teams (
  name TEXT PRIMARY KEY,
  rpm INTEGER NOT NULL, tpm INTEGER NOT NULL, concurrency INTEGER NOT NULL,
  usd_day INTEGER NOT NULL, usd_month INTEGER NOT NULL,
  tokens_day INTEGER NOT NULL, tokens_month INTEGER NOT NULL, created_ms INTEGER NOT NULL) STRICT;
CREATE TABLE spend (
  team INTEGER NOT NULL, id TEXT NOT NULL, day INTEGER NOT NULL,
  usd INTEGER NOT NULL, tokens INTEGER NOT NULL, requests INTEGER NOT NULL,
  PRIMARY KEY (day, team, id)) STRICT, WITHOUT ROWID;
CREATE TABLE calls (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL, time_ms INTEGER NOT NULL,
  key_id TEXT NOT NULL, key_name TEXT NOT NULL, team TEXT NOT NULL, endpoint TEXT NOT NULL,
  route TEXT NOT NULL, target TEXT NOT NULL, model TEXT NOT NULL, stream INTEGER NOT NULL,
  end TEXT NOT NULL, error TEXT NOT NULL, status INTEGER NOT NULL, attempts TEXT NOT NULL,
  queue_s REAL NOT NULL, first_token_s REAL NOT NULL, total_s REAL NOT NULL, overhead_s REAL NOT NULL,
  input INTEGER NOT NULL, output INTEGER NOT NULL, cached_read INTEGER NOT NULL,
  cached_write INTEGER NOT NULL, reasoning INTEGER NOT NULL, reported INTEGER NOT NULL,
  cost INTEGER NOT NULL, finish TEXT NOT NULL) STRICT;
CREATE INDEX calls_time ON calls(time_ms);
)sql",
    // A call's number now says when it was written (see kSeqBits), so that its time needs no index of its own.
    R"sql(
DROP INDEX calls_time;
UPDATE calls SET seq = (time_ms << 20) + (seq & 1048575);
)sql",
    // files and batches
    R"sql(
CREATE TABLE files (
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, purpose TEXT NOT NULL,
  bytes INTEGER NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL) STRICT;
CREATE INDEX files_owner ON files(owner, created_ms);
CREATE TABLE batches (
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, key_id TEXT NOT NULL, endpoint TEXT NOT NULL,
  input_file TEXT NOT NULL, output_file TEXT NOT NULL, error_file TEXT NOT NULL,
  status INTEGER NOT NULL, window TEXT NOT NULL, metadata TEXT NOT NULL, faults TEXT NOT NULL,
  total INTEGER NOT NULL, completed INTEGER NOT NULL, failed INTEGER NOT NULL,
  created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, in_progress_ms INTEGER NOT NULL,
  finalizing_ms INTEGER NOT NULL, cancelling_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL) STRICT;
CREATE INDEX batches_owner ON batches(owner, created_ms);
)sql",
    // kept responses, and where each of their items is
    R"sql(
CREATE TABLE responses (
  id TEXT PRIMARY KEY, key_id TEXT NOT NULL, team TEXT NOT NULL, previous TEXT NOT NULL,
  created_ms INTEGER NOT NULL, input TEXT NOT NULL, response TEXT NOT NULL) STRICT;
CREATE INDEX responses_created ON responses(created_ms);
CREATE TABLE response_items (
  item TEXT NOT NULL, response TEXT NOT NULL, PRIMARY KEY (item, response)) STRICT, WITHOUT ROWID;
CREATE INDEX response_items_response ON response_items(response);
)sql",
    // What most calls have in common is a row of its own, and a call is a narrow row of numbers. `calls` is how they look
    // together. No attempts: one that was complete.
    R"sql(
CREATE TABLE call_kinds (
  id INTEGER PRIMARY KEY, key_id TEXT NOT NULL, key_name TEXT NOT NULL, team TEXT NOT NULL, endpoint TEXT NOT NULL,
  route TEXT NOT NULL, target TEXT NOT NULL, model TEXT NOT NULL, stream INTEGER NOT NULL,
  end TEXT NOT NULL, error TEXT NOT NULL, status INTEGER NOT NULL, reported INTEGER NOT NULL, finish TEXT NOT NULL,
  UNIQUE (key_id, key_name, team, endpoint, route, target, model, stream, end, error, status, reported, finish)) STRICT;
CREATE TABLE call_rows (
  seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, id TEXT NOT NULL, time_ms INTEGER NOT NULL,
  first_token_us INTEGER NOT NULL, total_us INTEGER NOT NULL, overhead_us INTEGER NOT NULL, attempt_us INTEGER NOT NULL,
  input INTEGER NOT NULL, output INTEGER NOT NULL, cached_read INTEGER NOT NULL, cached_write INTEGER NOT NULL,
  reasoning INTEGER NOT NULL, cost INTEGER NOT NULL, attempts TEXT NOT NULL) STRICT;
INSERT INTO call_kinds(key_id, key_name, team, endpoint, route, target, model, stream, end, error, status, reported, finish)
  SELECT DISTINCT key_id, key_name, team, endpoint, route, target, model, stream, end, error, status, reported, finish
  FROM calls;
INSERT INTO call_rows
  SELECT c.seq, k.id, c.id, c.time_ms, CAST(round(c.first_token_s * 1e6) AS INTEGER), CAST(round(c.total_s * 1e6) AS INTEGER),
         CAST(round(c.overhead_s * 1e6) AS INTEGER), 0, c.input, c.output, c.cached_read, c.cached_write, c.reasoning,
         c.cost, c.attempts
  FROM calls c CROSS JOIN call_kinds k
  WHERE k.key_id = c.key_id AND k.key_name = c.key_name AND k.team = c.team AND k.endpoint = c.endpoint
    AND k.route = c.route AND k.target = c.target AND k.model = c.model AND k.stream = c.stream AND k.end = c.end
    AND k.error = c.error AND k.status = c.status AND k.reported = c.reported AND k.finish = c.finish
  ORDER BY c.seq;
DROP TABLE calls;
CREATE VIEW calls AS
  SELECT r.seq, r.id, r.time_ms, k.key_id, k.key_name, k.team, k.endpoint, k.route, k.target, k.model, k.stream,
         k.end, k.error, k.status,
         CASE WHEN r.attempts = '' THEN json_array(json_object('target', k.target, 'outcome', 'complete', 'status', 200,
                                                               'seconds', r.attempt_us / 1e6))
              ELSE r.attempts END AS attempts,
         r.first_token_us / 1e6 AS first_token_s, r.total_us / 1e6 AS total_s, r.overhead_us / 1e6 AS overhead_s,
         r.input, r.output, r.cached_read, r.cached_write, r.reasoning, k.reported, r.cost, k.finish
  FROM call_rows r CROSS JOIN call_kinds k ON k.id = r.kind;
)sql",
    // What ladders learn from: answers that were accepted on their confidence, what audits and clients said of answers.
    R"sql(
CREATE TABLE judged_answers (
  id TEXT PRIMARY KEY, reply_id TEXT NOT NULL, time_ms INTEGER NOT NULL, key_id TEXT NOT NULL, route TEXT NOT NULL,
  target TEXT NOT NULL, raw REAL NOT NULL, confidence REAL NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX judged_answers_reply ON judged_answers(reply_id);
CREATE INDEX judged_answers_time ON judged_answers(time_ms);
CREATE TABLE evidence (
  seq INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, call_id TEXT NOT NULL, key_id TEXT NOT NULL, route TEXT NOT NULL,
  target TEXT NOT NULL, source TEXT NOT NULL, raw REAL NOT NULL, confidence REAL NOT NULL, accepted INTEGER NOT NULL,
  loss REAL NOT NULL, UNIQUE (source, call_id, target)) STRICT;
CREATE INDEX evidence_rung ON evidence(route, target, seq);
CREATE TABLE feedback (
  id TEXT NOT NULL, key_id TEXT NOT NULL, time_ms INTEGER NOT NULL, score REAL, label TEXT NOT NULL, correction TEXT NOT NULL,
  PRIMARY KEY (id, key_id)) STRICT, WITHOUT ROWID;
)sql",
    // The class of a key's data; candidates of routes.
    R"sql(
ALTER TABLE keys ADD COLUMN data_class TEXT NOT NULL DEFAULT '';
CREATE TABLE trials (
  kind TEXT NOT NULL, route TEXT NOT NULL, target TEXT NOT NULL, state TEXT NOT NULL, time_ms INTEGER NOT NULL,
  PRIMARY KEY (kind, route, target)) STRICT, WITHOUT ROWID;
)sql",
};

}  // namespace ajar::store
