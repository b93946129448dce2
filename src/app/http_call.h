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
  explicit HttpCaller(ProxyConfig proxy);
  ~HttpCaller();

  using Fields = std::vector<std::pair<std::string, std::string>>;
  // Any HTTP status is a value; errors are about reaching the server.
  Result<HttpReply> call(const std::string& method, const std::string& url, const Fields& headers,
                         const std::string& body, Millis timeout = Millis(60'000));
  // The same, handing over the body as it comes. `on_bytes` runs on this thread's behalf, in order; false stops.
  Result<HttpReply> stream(const std::string& method, const std::string& url, const Fields& headers,
                           const std::string& body, Millis timeout,
                           const std::function<bool(std::string_view)>& on_bytes);
  // A GET of something large: `stall` bounds each wait, not the whole. `on_head` sees the status and headers before any
  // of the body; where it says false the body is left.
  Result<HttpReply> download(const std::string& url, const Fields& headers, Millis stall,
                             const std::function<bool(const HttpReply&)>& on_head,
                             const std::function<bool(std::string_view)>& on_bytes);

 private:
  Result<HttpReply> run(const std::string& method, const std::string& url, const Fields& headers, std::string_view body,
                        Millis timeout, bool whole, const std::function<bool(const HttpReply&)>& on_head,
                        const std::function<bool(std::string_view)>& on_bytes);

  LoopGroup loops_;
  std::unique_ptr<Client> client_;
};

}  // namespace ajar::app
