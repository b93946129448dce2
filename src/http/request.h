#pragma once
// HttpRequest: what a parser produces and a handler gets.

#include <string>

#include "http/headers.h"

namespace ajar {

// One request, complete. The handler may move the strings out.
struct HttpRequest {
  std::string method;  // "POST"
  std::string path;    // "/v1/models", as sent (not percent-decoded), never empty; "*" for OPTIONS *
  std::string query;   // without '?'
  Headers headers;
  std::string body;
  int minor_version = 1;
};

}  // namespace ajar
