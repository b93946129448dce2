#pragma once
// Models asked aside: for audits, shadows and their judges. No client waits, no key pays, no fallback; the data's class holds as it does
// on the line.

#include <optional>
#include <string>

#include "core/reply.h"
#include "gateway/route.h"
#include "net/task.h"

namespace ajar {

struct AsideReply {
  Reply reply;
  int64_t cost = 0;             // nano-dollars, where a price is known
  double first_seconds = 0;     // to its first event
  double seconds = 0;
};

// On the caller's loop. What is referred to outlives the task. kForbidden: this data may not go there (`masked`: the request's personal data
// are replaced); otherwise as Provider::complete.
Task<Result<AsideReply>> ask_aside(const Target& target, const Route& route, const DataClassConfig* data, const Request& request, std::string call_id,
                                   std::string_view endpoint, bool masked = false);

struct Sameness {
  std::optional<bool> same;     // nothing: no verdict could be had
  int64_t cost = 0;             // of the judge
};
// Whether two answers to the same request say the same: by their texts (judge.h), and where these differ by the route's audit_judge if it has
// one.
Task<Sameness> compare_aside(const Snapshot& snapshot, const Route& route, const DataClassConfig* data, const Request& request, const Reply& a,
                             const Reply& b, std::string call_id, std::string_view endpoint, bool masked = false);

}  // namespace ajar
