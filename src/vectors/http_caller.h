#pragma once
// The HTTP call of the stores over our own client: a loop of its own carries the calls of all threads, over kept connections.

#include "net/connect.h"
#include "net/loop.h"
#include "vectors/stores.h"

namespace ajar {
class Client;
}

namespace ajar::vectors {

class HttpCaller {
 public:
  // A malformed proxy counts as none.
  explicit HttpCaller(ProxyConfig proxy = {});
  ~HttpCaller();  // no call may be running

  Result<HttpAnswer> call(const HttpAsk& ask);

 private:
  LoopGroup loops_;
  std::unique_ptr<Client> client_;
};

}  // namespace ajar::vectors
