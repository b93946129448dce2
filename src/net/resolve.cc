#include "net/resolve.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <cstring>

#include "net/loop.h"

namespace ajar {
namespace {
constexpr auto kFresh = std::chrono::seconds(30);
constexpr auto kFreshFailure = std::chrono::seconds(1);
constexpr size_t kMaxEntries = 1024;

// Blocks.
std::vector<IpAddress> look_up(const std::string& host, std::string& error) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  int failed = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  error = failed ? gai_strerror(failed) : "no address";
  std::vector<IpAddress> addresses;
  if (failed) return addresses;
  for (addrinfo* info = found; info; info = info->ai_next) {
    boost::asio::ip::tcp::endpoint endpoint;
    if (info->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), info->ai_addr, info->ai_addrlen);
    if (std::find(addresses.begin(), addresses.end(), endpoint.address()) == addresses.end())
      addresses.push_back(endpoint.address());
  }
  freeaddrinfo(found);
  return addresses;
}

}  // namespace

std::vector<IpAddress> interleave_families(std::vector<IpAddress> addresses) {
  if (addresses.empty()) return addresses;
  std::vector<IpAddress> first, second, mixed;
  for (const IpAddress& address : addresses)
    (address.is_v6() == addresses[0].is_v6() ? first : second).push_back(address);
  for (size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) mixed.push_back(first[i]);
    if (i < second.size()) mixed.push_back(second[i]);
  }
  return mixed;
}

struct Resolver::State {
  std::unordered_map<std::string, Entry> entries;
};

Resolver::Resolver(Loop& loop) : loop_(loop), state_(std::make_shared<State>()) {}
Resolver::~Resolver() = default;

void Resolver::start(const std::string& host) {
  state_->entries[host].pending = true;
  loop_.background([weak = std::weak_ptr(state_), &loop = loop_, host] {
    std::string error;
    std::vector<IpAddress> addresses = interleave_families(look_up(host, error));
    loop.post([weak, host, addresses = std::move(addresses), error = std::move(error)]() mutable {
      auto state = weak.lock();
      if (!state) return;
      Entry& entry = state->entries[host];
      entry.pending = false;
      entry.addresses = std::move(addresses);
      entry.error = std::move(error);
      entry.fresh_until = now() + (entry.addresses.empty() ? std::chrono::nanoseconds(kFreshFailure)
                                                           : std::chrono::nanoseconds(kFresh));
      for (Waiter* waiter : entry.waiters) waiter->wake_later(Wake::kReady);
    });
  });
}

Task<Result<std::vector<IpAddress>>> Resolver::resolve(std::string host, TimePoint deadline) {
  boost::system::error_code not_numeric;
  IpAddress numeric = boost::asio::ip::make_address(host, not_numeric);
  if (!not_numeric) co_return std::vector<IpAddress>{numeric};
  std::shared_ptr<State> state = state_;
  auto it = state->entries.find(host);
  if (it == state->entries.end() || (!it->second.pending && it->second.fresh_until <= now())) {
    if (state->entries.size() >= kMaxEntries)
      std::erase_if(state->entries, [](const auto& item) {
        return !item.second.pending && item.second.waiters.empty();
      });
    start(host);
    it = state->entries.find(host);
  }
  Entry& entry = it->second;  // stable, and kept while somebody waits for it
  if (entry.pending) {
    Waiter waiter(loop_);
    struct Listed {
      std::list<Waiter*>& list;
      std::list<Waiter*>::iterator at;
      ~Listed() { list.erase(at); }
    } listed{entry.waiters, entry.waiters.insert(entry.waiters.end(), &waiter)};
    if (co_await waiter.wait(deadline) == Wake::kTimeout)
      co_return fail(Code::kTimeout, "timed out resolving " + host);
  }
  if (entry.addresses.empty())
    co_return fail(Code::kUnavailable, "cannot resolve " + host + ": " + entry.error);
  co_return entry.addresses;
}

}  // namespace ajar
