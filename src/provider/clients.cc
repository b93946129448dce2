#include "provider/clients.h"

#include <cassert>

namespace ajar {

Result<std::unique_ptr<Clients>> Clients::make(LoopGroup& loops, const ClientOptions& options) {
  auto clients = std::make_unique<Clients>();
  for (size_t i = 0; i < loops.size(); ++i) {
    AJAR_ASSIGN(clients->by_loop_[&loops[i]], Client::create(loops[i], options));
  }
  return clients;
}

Client& Clients::here() {
  const auto client = by_loop_.find(&Loop::current());
  assert(client != by_loop_.end());
  return *client->second;
}

}  // namespace ajar
