#pragma once
// One HTTP client per loop: connections to upstreams are pooled per loop and never cross threads.

#include <memory>
#include <unordered_map>

#include "http/client.h"
#include "net/loop.h"

namespace ajar {

class Clients {
 public:
  // One client on every loop of the group, which must outlive this. Destroy after the loops have stopped.
  static Result<std::unique_ptr<Clients>> make(LoopGroup& loops, const ClientOptions& options);

  Client& here();  // the calling loop's own

 private:
  std::unordered_map<const Loop*, std::unique_ptr<Client>> by_loop_;  // read-only once made
};

}  // namespace ajar
