#pragma once
// Resolver: names to addresses, on the loop's background thread. One per loop; answers are kept for 30 s, and lookups of
// the same name that overlap share one.

#include <boost/asio/ip/address.hpp>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "net/task.h"
#include "net/waiter.h"

namespace ajar {

class Loop;
using IpAddress = boost::asio::ip::address;

// Families in alternation, the first one's first (RFC 8305 section 4 with a First Address Family Count of 1).
std::vector<IpAddress> interleave_families(std::vector<IpAddress> addresses);

class Resolver {
 public:
  explicit Resolver(Loop& loop);
  ~Resolver();

  // Never empty on success. kUnavailable when the name does not resolve, kTimeout.
  Task<Result<std::vector<IpAddress>>> resolve(std::string host, TimePoint deadline);

 private:
  struct Entry {
    std::vector<IpAddress> addresses;
    std::string error;
    TimePoint fresh_until{};
    bool pending = false;
    std::list<Waiter*> waiters;
  };
  struct State;
  void start(const std::string& host);

  Loop& loop_;
  std::shared_ptr<State> state_;  // the resolver's callbacks hold it weakly
};

}  // namespace ajar
