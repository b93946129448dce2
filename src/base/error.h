#pragma once
// Errors are values: a function that can fail returns Result<T> (or Status), and the caller adds where.
// `api` alone turns a Code into an HTTP status; `wire` alone turns an Error into a dialect's JSON.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace ajar {

enum class Code : uint8_t {
  kInvalid,          // the caller's request is wrong; `field` says where (400)
  kUnauthenticated,  // no key, or an unknown or revoked one (401)
  kBudget,           // a budget is exhausted; SDKs must not retry (402)
  kForbidden,        // the key may not do this (403)
  kNotFound,         // no such route, key or path (404)
  kMethod,           // the path exists, the HTTP method does not (405)
  kConflict,         // (409)
  kTooLarge,         // body, header or context over its limit (413)
  kUnsupported,      // media type or a feature that the target cannot express (415 / 400)
  kRateLimit,        // RPM, TPM or concurrency; `retry_after_ms` says when (429)
  kInternal,         // our own fault (500)
  kUpstream,         // the model's server answered with an error or nonsense (502, or its own status)
  kUnavailable,      // nothing can answer now: connection refused, breaker open, overload (503)
  kTimeout,          // a deadline passed (504)
  kCut,              // the upstream's bytes ended before its reply did
  kCancelled,        // the client left
  kFiltered,         // a policy stopped the reply
};

std::string_view code_name(Code code);  // "rate_limit", stable: it appears in logs and metrics

struct Error {
  Code code = Code::kInternal;
  std::string message;          // one sentence for a person, never containing a secret
  std::string field;            // the offending field, "messages[2].content", or empty
  std::string type;             // the upstream's own error type or code, or empty
  int upstream_status = 0;      // HTTP status the upstream gave, 0 when there was none
  int64_t retry_after_ms = -1;  // when trying again makes sense, -1 when unknown

  // Puts "where: " before the message; for adding context on the way up.
  Error&& in(std::string_view where) && {
    message.insert(0, ": ").insert(0, where);
    return std::move(*this);
  }
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> fail(Code code, std::string message, std::string field = {}) {
  return std::unexpected(
      Error{.code = code, .message = std::move(message), .field = std::move(field)});
}
inline std::unexpected<Error> invalid(std::string field, std::string message) {
  return fail(Code::kInvalid, std::move(message), std::move(field));
}

}  // namespace ajar

// AJAR_TRY(expr): leaves the function with the error of a Status or Result.
// AJAR_ASSIGN(decl, expr): the same, otherwise binds the value. In coroutines use AJAR_CO_TRY.
#define AJAR_CAT2(a, b) a##b
#define AJAR_CAT(a, b) AJAR_CAT2(a, b)
#define AJAR_TRY(expr)                                                        \
  do {                                                                        \
    if (auto ajar_status = (expr); !ajar_status)                              \
      return std::unexpected(std::move(ajar_status).error());                 \
  } while (0)
#define AJAR_ASSIGN(decl, expr)                                               \
  auto AJAR_CAT(ajar_result_, __LINE__) = (expr);                             \
  if (!AJAR_CAT(ajar_result_, __LINE__))                                      \
    return std::unexpected(std::move(AJAR_CAT(ajar_result_, __LINE__)).error()); \
  decl = std::move(*AJAR_CAT(ajar_result_, __LINE__))
#define AJAR_CO_TRY(expr)                                                     \
  do {                                                                        \
    if (auto ajar_status = (expr); !ajar_status)                              \
      co_return std::unexpected(std::move(ajar_status).error());              \
  } while (0)
#define AJAR_CO_ASSIGN(decl, expr)                                            \
  auto AJAR_CAT(ajar_result_, __LINE__) = (expr);                             \
  if (!AJAR_CAT(ajar_result_, __LINE__))                                      \
    co_return std::unexpected(std::move(AJAR_CAT(ajar_result_, __LINE__)).error()); \
  decl = std::move(*AJAR_CAT(ajar_result_, __LINE__))
