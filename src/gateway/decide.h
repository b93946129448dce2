#pragma once
// What would happen to a request, without asking any model: the explanation behind POST /admin/decide.

#include <optional>
#include <string>
#include <vector>

#include "core/request.h"
#include "gateway/privacy.h"
#include "gateway/recall.h"
#include "gateway/route.h"

namespace ajar {

struct RungView {
  std::string target;
  bool allowed = true;
  std::string why;                 // why not
  bool masked = false;             // only with personal data replaced
  std::string_view confidence;     // what it is judged by, as the configuration writes it
  double accept = 0;
  std::vector<std::string> checks;
  std::optional<int64_t> cost;     // nano-dollars, at most, for the request's max_tokens or the usual reservation
  std::string_view health;         // "ok", "failing" or "cooling_down"
};

struct Decision {
  std::string route;
  std::string_view strategy;
  std::string data_class;
  std::string_view data_class_why; // as DataClass says it
  std::string_view cache;          // "off", "hit" or "miss"
  std::string cache_id;            // where there is a cache
  int64_t input_tokens = 0;        // estimated
  std::vector<RungView> rungs;     // in the order in which they would be asked now
  std::optional<RungView> canary;  // that a share of such requests is sent to first
  double canary_share = 0;         // 0: it is rolled back, or may not answer
};

struct DataClass {
  static constexpr std::string_view kRoute = "of the route", kClient = "said by the client", kKey = "of the key", kContent = "by what stands in the request";
  const DataClassConfig* config = nullptr;
  std::string_view why;
};

// The class of what is sent to a route: the highest of the route's, of the key's (empty: it has none) and of what the client says. A client
// can raise it, never lower it. kInvalid: there is no such class. kForbidden: the key's is not configured any more.
Result<DataClass> class_of(const Snapshot& snapshot, const Route& route, const std::string& said, const std::string& of_key);
// The names of all classes, for messages.
std::string class_names(const Config& config);

// kNotFound, kInvalid as for the request itself. Nothing is reserved and nothing learnt.
Result<Decision> decide(const Snapshot& snapshot, Memory& memory, const Request& request, const Caller& caller, const std::string& data_class,
                        const std::string& key_class, const Privacy& privacy);

}  // namespace ajar
