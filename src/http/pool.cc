#include "http/pool.h"

#include <algorithm>

namespace ajar {

struct ConnectionPool::Kept final : Deadline, StreamWatcher {
  Kept(ConnectionPool& pool, Stream stream) : pool(pool), stream(std::move(stream)) {}
  ~Kept() override { disarm(); }
  void expire() override { pool.remove(this); }
  void on_readable() override {
    // TLS may have had something to say to itself; anything else is the end, or bytes that nobody asked for.
    if (!stream.peek().would_block()) return pool.remove(this);
    stream.watch(this);
  }
  ConnectionPool& pool;
  Stream stream;
  TimePoint since = now();
};

// One that was in use a moment ago is not asked whether it is alive: the watch would have told, all but now.
constexpr auto kTrusted = std::chrono::milliseconds(100);

ConnectionPool::ConnectionPool(Loop& loop, size_t max_idle, Millis idle_timeout)
    : loop_(loop), max_idle_(max_idle), idle_timeout_(idle_timeout) {}
ConnectionPool::~ConnectionPool() = default;

Stream ConnectionPool::take() {
  TimePoint trusted = now() - kTrusted;
  while (!idle_.empty()) {
    std::unique_ptr<Kept> kept = std::move(idle_.back());
    idle_.pop_back();
    kept->stream.watch(nullptr);
    if (kept->since > trusted || kept->stream.peek().would_block()) return std::move(kept->stream);
  }
  return {};
}

void ConnectionPool::put(Stream stream) {
  if (!stream.is_open() || max_idle_ == 0) return;
  if (idle_.size() >= max_idle_) idle_.erase(idle_.begin());
  idle_.push_back(std::make_unique<Kept>(*this, std::move(stream)));
  Kept& kept = *idle_.back();
  kept.arm(loop_.deadlines(), kept.since + idle_timeout_);
  kept.stream.watch(&kept);
}

void ConnectionPool::remove(Kept* kept) {
  auto it = std::find_if(idle_.begin(), idle_.end(), [&](auto& item) { return item.get() == kept; });
  if (it != idle_.end()) idle_.erase(it);
}

}  // namespace ajar
