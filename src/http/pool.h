#pragma once
// ConnectionPool: connections kept for one origin. An idle connection is watched: when its peer closes it, it goes at
// once and not when somebody tries to use it. Inside http only; loop-confined.

#include <memory>
#include <vector>

#include "net/loop.h"
#include "net/stream.h"

namespace ajar {

class ConnectionPool {
 public:
  ConnectionPool(Loop& loop, size_t max_idle, Millis idle_timeout);
  ~ConnectionPool();

  Stream take();  // the one used last that is still alive, or a closed one
  void put(Stream stream);
  size_t size() const { return idle_.size(); }

 private:
  struct Kept;
  void remove(Kept* kept);

  Loop& loop_;
  size_t max_idle_;
  Millis idle_timeout_;
  std::vector<std::unique_ptr<Kept>> idle_;
};

}  // namespace ajar
