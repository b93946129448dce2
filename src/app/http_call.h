#pragma once
// Blocking HTTP for the command line: one call at a time, on a loop of its own.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "http/client.h"
#include "net/loop.h"

namespace ajar::app {

struct HttpReply {
  int status = 0;
  Headers headers;
  std::string body;
};

class HttpCaller {
 public:
  HttpCaller();
  ~HttpCaller();

  using Fields = std::vector<std::pair<std::string, std::string>>;
  // Any HTTP status is a value; errors are about reaching the server.
  Result<HttpReply> call(const std::string& method, const std::string& url, const Fields& headers,
                         const std::string& body, Millis timeout = Millis(60'000));
  // The same, handing over the body as it comes. `on_bytes` runs on this thread's behalf, in order; false stops.
  Result<HttpReply> stream(const std::string& method, const std::string& url, const Fields& headers,
                           const std::string& body, Millis timeout,
                           const std::function<bool(std::string_view)>& on_bytes);

 private:
  LoopGroup loops_;
  std::unique_ptr<Client> client_;
};

}  // namespace ajar::app
