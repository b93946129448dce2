#pragma once
// Errors to HTTP: the only place where a Code becomes a status.

#include <string>

#include "base/error.h"
#include "http/headers.h"

namespace ajar::api {

// The status for a client. An upstream's own 4xx that is about the request stays what it was.
int http_status(const Error& error);
// Retry-After, and x-should-retry: false where SDKs must not try again.
void add_error_headers(const Error& error, Headers& headers);

}  // namespace ajar::api
