#pragma once
// What the store keeps, as plain rows.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/event.h"
#include "json/write.h"

namespace ajar::store {

// Money is counted in nano-dollars: 1 $ = 1,000,000,000.
inline constexpr int64_t kNanoPerDollar = 1'000'000'000;

// Limits of a key or a team. Zero means unlimited.
struct Limits {
  int64_t rpm = 0;          // requests in any 60 s
  int64_t tpm = 0;          // tokens in any 60 s
  int64_t concurrency = 0;  // requests at once
  int64_t usd_day = 0, usd_month = 0;        // nano-dollars per UTC day / month
  int64_t tokens_day = 0, tokens_month = 0;  // input + output

  bool has_budget() const { return usd_day || usd_month || tokens_day || tokens_month; }
  bool has_money_budget() const { return usd_day || usd_month; }
  bool operator==(const Limits&) const = default;
};

struct KeyRow {
  std::string id;        // "key_…", public
  std::string name;
  std::string hash;      // SHA-256 of the secret, hex; the secret itself is never kept
  std::string hint;      // its last four characters
  std::string team;      // empty: none
  std::vector<std::string> routes;  // allowed routes; empty: all
  Limits limits;
  std::string data_class;  // that every request of it has at least; empty: none
  int64_t created_ms = 0;
  int64_t expires_ms = 0;  // 0: never
  int64_t revoked_ms = 0;  // 0: valid
};

struct TeamRow {
  std::string name;
  Limits limits;
  int64_t created_ms = 0;
};

// What a key or team has spent in one window.
struct SpendRow {
  bool team = false;
  std::string id;       // key id or team name
  int64_t day = 0;      // utc_day
  int64_t usd = 0;      // nano-dollars
  int64_t tokens = 0;
  int64_t requests = 0;
};

// What stands for a target among the attempts of a call that was given another's answer; the outcome says how.
inline constexpr std::string_view kCacheTarget = "cache";

struct AttemptRow {
  std::string target;   // "provider/model"
  std::string outcome;  // "complete" or the error's code name
  int status = 0;       // upstream HTTP status
  double seconds = 0;
  // Of a ladder's rungs.
  double confidence = -1, accept = -1;  // below 0: none
  int64_t cost = 0;                     // nano-dollars
  std::string why;                      // short; empty where `outcome` says all
  double raw = -1;                      // the confidence before calibration; not written with the call
};

void write_attempt(json::Writer& w, const AttemptRow& attempt);  // one object

// One call, written after its last byte.
struct CallRow {
  std::string id;
  int64_t time_ms = 0;
  std::string key_id, key_name, team;
  std::string endpoint;  // what the client called: "chat", "messages", "embeddings", ...
  std::string route, target, model;  // model = what the upstream says it served
  bool stream = false;
  StreamEnd end = StreamEnd::kComplete;
  std::string error;     // code name, empty when complete
  int status = 200;      // HTTP status given to the client
  std::vector<AttemptRow> attempts;
  double first_token_seconds = 0, total_seconds = 0, overhead_seconds = 0;
  Usage usage;
  int64_t cost = 0;      // nano-dollars
  std::string finish;
  std::string reply_id;  // that the client was told; kept for answers that were accepted on their confidence

  // The attempt whose answer was accepted on its confidence, null where none was.
  const AttemptRow* judged() const {
    const AttemptRow* last = attempts.empty() ? nullptr : &attempts.back();
    return last != nullptr && last->raw >= 0 && last->outcome == "complete" ? last : nullptr;
  }
};

// What somebody found out about an answer of a judged rung.
struct EvidenceRow {
  int64_t time_ms = 0;
  std::string call_id, key_id, route, target;
  std::string source;           // "audit" (accepted, compared with the top rung's), "climb" (not accepted, the same), "feedback"
  double raw = 0, confidence = 0;
  bool accepted = false;
  double loss = 0;              // 0 right, 1 wrong
};

struct FeedbackRow {
  std::string id;               // of the call or of the reply
  std::string key_id;
  int64_t time_ms = 0;
  std::optional<double> score;  // 0 bad to 1 good
  std::string label, correction;
};

// What a candidate beside a route has shown: a canary or a shadow.
struct TrialRow {
  std::string kind;             // "canary" or "shadow"
  std::string route, target;
  std::string state;            // JSON, of whoever wrote it
  int64_t time_ms = 0;          // when it was written
};

// An answer that was accepted on its confidence.
struct JudgedAnswer {
  std::string id, key_id, route, target;
  double raw = 0, confidence = 0;
};

// A response of the Responses API that Ajar keeps, so that it can be read and continued.
struct ResponseRow {
  std::string id;
  std::string key_id, team;   // who made it; both empty on an open server
  std::string previous;       // the response that it continues, or empty
  int64_t created_ms = 0;
  std::string input;          // JSON array of its own input items
  std::string response;       // JSON of the whole
  std::vector<std::string> items;  // ids of all its items

  // Seen by the key that made it, and by its team.
  bool belongs_to(const std::string& key, const std::string& of_team) const {
    return key_id == key || (!team.empty() && team == of_team);
  }
  size_t bytes() const { return input.size() + response.size(); }
};

struct UsageFilter {
  int64_t from_ms = 0, to_ms = INT64_MAX;
  std::string key, team, route, model;   // empty: any; key matches id or name
  std::vector<std::string> group_by;     // of key, team, route, model, target, day, end
};

struct UsageRow {
  std::vector<std::string> group;  // one value per group_by entry
  int64_t requests = 0, failed = 0;
  int64_t input = 0, output = 0, cached_read = 0, reasoning = 0;
  int64_t cost = 0;
  double mean_first_token = 0, mean_total = 0;
};

}  // namespace ajar::store
