#include "api/status.h"

namespace ajar::api {

int http_status(const Error& error) {
  switch (error.code) {
    case Code::kInvalid: return error.upstream_status == 422 ? 422 : 400;
    case Code::kUnauthenticated: return 401;
    case Code::kBudget: return 402;
    case Code::kForbidden: return 403;
    case Code::kNotFound: return 404;
    case Code::kMethod: return 405;
    case Code::kConflict: return 409;
    case Code::kTooLarge: return 413;
    case Code::kUnsupported: return 400;
    case Code::kRateLimit: return 429;
    case Code::kInternal: return 500;
    case Code::kUpstream: return 502;
    case Code::kUnavailable: return 503;
    case Code::kTimeout: return 504;
    case Code::kCut: return 502;
    case Code::kCancelled: return 499;  // nobody sees it but the log
    case Code::kFiltered: return 403;
  }
  return 500;
}

void add_error_headers(const Error& error, Headers& headers) {
  if (error.retry_after_ms >= 0 &&
      (error.code == Code::kRateLimit || error.code == Code::kUnavailable)) {
    headers.set("retry-after", std::to_string((error.retry_after_ms + 999) / 1000));
    headers.set("retry-after-ms", std::to_string(error.retry_after_ms));
  }
  if (error.code == Code::kBudget) headers.set("x-should-retry", "false");
}

}  // namespace ajar::api
