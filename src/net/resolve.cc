#include "net/resolve.h"

#include "net/loop.h"

namespace ajar {
namespace {
constexpr auto kFresh = std::chrono::seconds(30);
constexpr auto kFreshFailure = std::chrono::seconds(1);
constexpr size_t kMaxEntries = 1024;
using AsioResolver = boost::asio::ip::basic_resolver<boost::asio::ip::tcp,
                                                     boost::asio::io_context::executor_type>;
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
  explicit State(Loop& loop) : resolver(loop.io()) {}
  AsioResolver resolver;
  std::unordered_map<std::string, Entry> entries;
};

Resolver::Resolver(Loop& loop) : loop_(loop), state_(std::make_shared<State>(loop)) {}
Resolver::~Resolver() = default;

void Resolver::start(const std::string& host) {
  state_->entries[host].pending = true;
  state_->resolver.async_resolve(
      host, "", [weak = std::weak_ptr(state_), host](boost::system::error_code error, auto results) {
        auto state = weak.lock();
        if (!state) return;
        Entry& entry = state->entries[host];
        entry.pending = false;
        entry.addresses.clear();
        for (const auto& result : results) {
          IpAddress address = result.endpoint().address();
          if (std::find(entry.addresses.begin(), entry.addresses.end(), address) ==
              entry.addresses.end())
            entry.addresses.push_back(address);
        }
        entry.addresses = interleave_families(std::move(entry.addresses));
        entry.error = error ? error.message() : "no address";
        entry.fresh_until = now() + (entry.addresses.empty() ? std::chrono::nanoseconds(kFreshFailure)
                                                             : std::chrono::nanoseconds(kFresh));
        for (Waiter* waiter : entry.waiters) waiter->wake_later(Wake::kReady);
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
