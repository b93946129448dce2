#pragma once
// Numbered migrations. Only ever append: a file remembers the number of the last one it has seen.

#include <iterator>

namespace ajar::store {

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
    // 2: kept responses, and where each of their items is
    R"sql(
CREATE TABLE responses (
  id TEXT PRIMARY KEY, key_id TEXT NOT NULL, team TEXT NOT NULL, previous TEXT NOT NULL,
  created_ms INTEGER NOT NULL, input TEXT NOT NULL, response TEXT NOT NULL) STRICT;
CREATE INDEX responses_created ON responses(created_ms);
CREATE TABLE response_items (
  item TEXT NOT NULL, response TEXT NOT NULL, PRIMARY KEY (item, response)) STRICT, WITHOUT ROWID;
CREATE INDEX response_items_response ON response_items(response);
)sql",
};

}  // namespace ajar::store
