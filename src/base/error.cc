#include "base/error.h"

namespace ajar {

std::string_view code_name(Code code) {
  switch (code) {
    case Code::kInvalid: return "invalid";
    case Code::kUnauthenticated: return "unauthenticated";
    case Code::kBudget: return "budget";
    case Code::kForbidden: return "forbidden";
    case Code::kNotFound: return "not_found";
    case Code::kMethod: return "method";
    case Code::kConflict: return "conflict";
    case Code::kTooLarge: return "too_large";
    case Code::kUnsupported: return "unsupported";
    case Code::kRateLimit: return "rate_limit";
    case Code::kInternal: return "internal";
    case Code::kUpstream: return "upstream";
    case Code::kUnavailable: return "unavailable";
    case Code::kTimeout: return "timeout";
    case Code::kCut: return "cut";
    case Code::kCancelled: return "cancelled";
    case Code::kFiltered: return "filtered";
  }
  return "internal";
}

}  // namespace ajar
