#pragma once
// What the configuration file says, as plain values. `app` reads the file into these; the gateway builds its
// snapshot from them. Every member is described in app/config_table.cc, from which docs/configuration.md is made.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gateway/judge.h"
#include "gateway/prices.h"

namespace ajar {

// Where a provider's machine stands, seen from the data.
enum class Site : uint8_t { kLocal, kOwn, kOutside };

struct ProviderConfig {
  std::string name;
  std::string preset = "custom";       // "openai", "anthropic", "gemini", "vllm", …
  std::string base_url;                // empty: the preset's
  std::string api_key;
  std::string api_version;
  std::string region, access_key_id, secret_access_key, session_token;  // AWS
  std::string project, location, credentials;  // Google; credentials is a file's name
  std::map<std::string, std::string> headers;  // sent with every request
  bool keep_unknown = true;            // unknown_fields = "pass" | "drop"
  std::string completions;             // "native" | "chat"; empty: as the preset does
  std::string ca_file;
  bool tls_insecure = false;
  std::string price_list;              // empty: the preset's
  std::optional<bool> free;            // own hardware: every model costs nothing
  std::map<std::string, Price> prices; // by model, over the catalogue
  bool simulator = false;              // `ajar mock` stands behind it: said wherever its answers are shown
  std::string site;                    // "local" | "own" | "outside"; empty: by the preset
  std::string jurisdiction;            // "eu", …: for data classes that name some
};

// What may be done with data of a class. The gateway holds it wherever data can go.
struct DataClassConfig {
  std::string name;
  int64_t rank = 0;                        // of two classes that apply, the higher rank holds
  Site site = Site::kOutside;              // how far it may go
  Site masked = Site::kLocal;              // how far with personal data replaced; what `site` allows is allowed anyhow
  std::vector<std::string> jurisdictions;  // of providers outside; empty: any
  std::vector<std::string> providers;      // only these; empty: any
  bool cache = true;                       // answers may be kept
};
// public, internal, confidential and restricted.
std::vector<DataClassConfig> builtin_data_classes();

enum class Strategy : uint8_t { kPriority, kWeighted, kLeastLatency, kCheapest, kLadder };

enum class CacheMode : uint8_t { kOff, kExact, kSemantic };
enum class CacheScope : uint8_t { kTeam, kKey, kRoute };

// When a target of a ladder may answer, and how its confidence is judged (gateway/judge.h).
struct RungConfig {
  ConfidenceSource confidence = ConfidenceSource::kNone;
  double accept = 0;                   // least confidence that is good enough; 0: the calibration's
  std::string calibration;             // file that `ajar calibrate` wrote; empty: the confidence is taken as it is
  std::string score;                   // of kLearned: file that `ajar tune answers` wrote
  std::vector<std::string> checks;     // names of Checks
  int64_t hold_tokens = 0;             // decide after so many tokens; 0: when the answer is whole
  int64_t samples = 3;                 // of kAgree
  Millis max_wait{0};                  // for the first token, as the engine expects it; 0: any
};

struct TargetConfig {
  std::string provider;
  std::string model;       // empty: the name that the client asked for
  int64_t weight = 1;
  int64_t max_tokens = 0;  // default where the dialect demands one
  std::string licence;     // class of the model's licence, for routes that allow only some
  std::string collection;  // documents that its answers are drawn from, by name or id
  bool sources_in_text = true;
  RungConfig rung;
};

// A model that is tried on a share of a route's requests (gateway/canary.h).
struct CanaryConfig {
  TargetConfig target;                 // without a provider: there is none
  double share = 0.05;                 // of requests, answered by it first
  double alpha = 0.05;                 // probability with which it is ever rolled back, or ever called no worse, wrongly
  double margin = 0.02;                // by which its share of errors may be higher
  int64_t min_samples = 50;            // outcomes of it before anything is concluded
  std::vector<std::string> checks;     // of its answers and of the others', afterwards; nothing is held back for them
  Millis first_token_timeout{30'000};  // of it; then the usual line goes on

  bool there() const { return !target.provider.empty(); }
};

// A model that is asked beside a route, whose answers nobody is given (gateway/shadow.h).
struct ShadowConfig {
  TargetConfig target;                 // without a provider: there is none
  double share = 0.01;                 // of answered requests
  int64_t max_running = 4;             // at once; what comes beyond is left out

  bool there() const { return !target.provider.empty(); }
};

struct RouteConfig {
  std::string name;        // public model name; a trailing '*' matches any ending
  std::string description;
  Strategy strategy = Strategy::kPriority;
  std::vector<TargetConfig> targets;
  int64_t retries = 1;                     // more tries at the same target, before its first event
  Millis retry_backoff{200};               // doubled per try, full jitter
  Millis max_retry_wait{5'000};            // a longer Retry-After moves on to the next target
  std::vector<std::string> fallback_on;    // empty: everything but "invalid"
  Millis connect_timeout{5'000};
  Millis first_token_timeout{120'000};
  Millis gap_timeout{60'000};
  Millis total_timeout{600'000};
  Millis hedge_after{0};                   // 0: no hedging
  int64_t breaker_failures = 5;            // failures in a row that open the breaker; 0: no breaker
  Millis breaker_open{10'000};
  // Ladders.
  bool stay = false;                       // when no better rung can be asked, an unsure answer is given all the same
  bool doubt_stays = false;                // when there is nothing to judge an answer by, it is accepted
  std::vector<std::string> licences;       // classes that are allowed; empty: all
  double audit = 0;                        // share of calls whose judged answers are compared with the top rung's
  std::string audit_judge;                 // route that says whether two answers say the same; empty: their texts are compared
  double alpha = 0.05, delta = 0.05;       // of accepted answers at most alpha are wrong, with probability 1 - delta
  std::string pii_class, secret_class;     // that personal data, or credentials, in a request raise it to; empty: not looked for
  std::string data_class;                  // of what is sent here, unless a higher one is said; empty: internal
  std::vector<std::string> policies;       // guardrails, by name
  // Answers given before.
  CacheMode cache = CacheMode::kOff;
  Millis cache_ttl{3'600'000};
  CacheScope cache_scope = CacheScope::kTeam;
  std::string cache_embedder;              // route that makes embeddings; of kSemantic
  double cache_delta = 0.02;               // share of requests that may get a wrong answer from answers to questions that are alike
  // Candidates.
  CanaryConfig canary;
  ShadowConfig shadow;
};

// A guardrail: what is looked for, where, and what is done about it (guard/config.h).
struct PolicyConfigEntry {
  std::string name;
  std::string stage = "input", mode = "block", action = "refuse", check;
  std::vector<std::string> entities, patterns, allow, deny, categories;
  std::string task;                        // task model that tells topics or toxicity
  std::string schema, replacement;
  int64_t limit = 0;
  double threshold = 0, minimum_score = 0.5;
};

struct PrivacyConfig {
  std::vector<std::string> entities;       // that are looked for; empty: gateway/privacy.h's default
};

struct CacheConfig {
  int64_t max_bytes = 256 << 20;
  bool persist = true;
};

// Documents that can be asked.
struct RagConfig {
  std::string embedder = "sentence-transformers/all-MiniLM-L6-v2";  // of new collections; "none": words alone
  int64_t max_collections = 1000;          // of one owner
  int64_t max_open = 32;                   // at once
  std::string data_class = "internal";     // of what the documents say: which targets may be shown it
  int64_t graph_rows = 200'000;            // vectors from which a graph is made; 0: never
  int64_t graph_degree = 32;               // its neighbours of a vector; 4 bytes each
  std::string ocr = "auto";                // "auto" | "off"
  std::string ocr_languages = "eng";       // as tesseract names them
  int64_t ocr_pages = 200;                 // of one document
  int64_t ocr_seconds = 300;               // of one document
  std::string context_route;               // that writes a line about every chunk; empty: none does
  int64_t context_at_once = 4;             // of its questions
  std::string rerank;                      // a route of cross-encoders that puts what is found in order; empty: none does
  int64_t rerank_candidates = 50;          // that it is given
  Millis rerank_timeout{2000};             // after which the search's own order stands
  std::string store;                       // a [vector_stores.NAME] for new collections; empty: here
};

// Where vectors of documents are searched, when that is not here.
struct VectorStoreConfig {
  std::string name;
  std::string kind, url, api_key_env, database, consistency, api_version, ca_file;
  std::string collection_prefix = "ajar";
  Millis timeout{10'000};
  std::string api_key;                     // what the variable holds
};

struct ServerConfig {
  std::vector<std::string> listen = {"127.0.0.1:8080"};
  int64_t threads = 0;                     // 0: one per core
  std::string auth = "keys";               // "keys" | "open"
  std::string metrics = "open";            // "open" | "admin"
  std::string admin_token;                 // empty: made at first start, kept in the data folder
  int64_t max_body_bytes = 32 << 20;
  int64_t max_connections = 10'000;
  Millis header_timeout{10'000};
  Millis body_timeout{15'000};
  Millis idle_timeout{75'000};
  Millis write_timeout{30'000};
  Millis drain_timeout{30'000};
  std::string access_log = "stdout";       // "stdout" | "off" | a path
};

struct StoreConfig {
  std::string path = "data";               // folder
  Millis keep_calls{90LL * 86'400'000};
};

struct LimitsConfig {
  int64_t reserve_output_tokens = 4096;    // reserved where the client sets no max_tokens
};

struct BatchesConfig {
  int64_t concurrency = 8;                 // lines at once, of all batches together
  int64_t max_lines = 50'000;              // of one batch
  Millis keep_files{30LL * 86'400'000};    // 0: until they are deleted
  int64_t max_bytes = 10LL << 30;          // all files together
};

// A vocabulary file, and the upstream models whose tokens it makes.
struct TokenizerConfig {
  std::string name;
  std::string file;                        // a tiktoken rank file or a GGUF file
  std::string family;                      // of a rank file; empty: told by its name
  std::vector<std::string> models;         // a trailing '*' matches any ending
};

// Models that this process runs itself.
struct EngineConfig {
  int64_t threads = 0;                     // that compute; 0: one per core
  int64_t memory_bytes = 0;                // of weights and caches; 0: three quarters of what there is
  std::string kernels;                     // empty: the fastest, as timed
};
struct ModelConfigEntry {
  std::string name;
  std::string path;
  int64_t context = 0;
  int64_t cache_bytes = 0;
  bool deterministic = false;
  bool exact = false;
  bool pinned = false;
  std::string chat_template;
  std::map<std::string, std::string> adapters;  // paths by name
  std::string kv = "f16";
  int64_t speculate = 4;
  std::string draft;
  std::string prefix_disk;
  int64_t prefix_disk_mb = 1024;
};

// A task model: text to label, trained by `ajar tune task`.
struct TaskConfig {
  std::string name;
  std::string path;
  std::string embedder;                    // a [models.NAME] or a pulled model
};

// What Ajar keeps of the Responses API.
struct ResponsesConfig {
  bool store = true;
  int64_t retention_days = 30;
};

struct Config {
  std::string file;                        // where it came from, for messages
  ServerConfig server;
  StoreConfig store;
  LimitsConfig limits;
  CacheConfig cache;
  PrivacyConfig privacy;
  RagConfig rag;
  std::vector<VectorStoreConfig> vector_stores;
  std::vector<DataClassConfig> data_classes = builtin_data_classes();
  BatchesConfig batches;
  ResponsesConfig responses;
  std::vector<ProviderConfig> providers;
  std::vector<RouteConfig> routes;
  std::vector<TokenizerConfig> tokenizers;
  EngineConfig engine;
  std::vector<ModelConfigEntry> models;
  std::vector<TaskConfig> tasks;
  std::vector<PolicyConfigEntry> policies;
};

}  // namespace ajar
