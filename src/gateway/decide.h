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
  std::string_view cache;          // "off", "hit" or "miss"
  std::string cache_id;            // where there is a cache
  int64_t input_tokens = 0;        // estimated
  std::vector<RungView> rungs;     // in the order in which they would be asked now
};

// The class of what is sent to a route: the highest of the route's and of what the client says. A client can raise it, never
// lower it. kInvalid: there is no such class.
Result<const DataClassConfig*> class_of(const Snapshot& snapshot, const Route& route, const std::string& said);

// kNotFound, kInvalid as for the request itself. Nothing is reserved and nothing learnt.
Result<Decision> decide(const Snapshot& snapshot, Memory& memory, const Request& request, const Caller& caller, const std::string& data_class,
                        const Privacy& privacy);

}  // namespace ajar
