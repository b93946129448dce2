#pragma once
// Stream: a TCP or TLS byte stream on one loop. Reads and writes are first tried without blocking; only when they
// would block does a coroutine suspend. Its descriptor stays registered with the loop's Poller; readiness is remembered
// until an attempt finds nothing, so that waiting, and watching for the peer's leaving, cost no system call. All bytes
// must therefore go through the try_ functions.

#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "net/task.h"
#include "net/waiter.h"

struct ssl_st;

namespace ajar {

class Loop;

// The result of one attempt.
struct Io {
  enum class Kind : uint8_t { kBytes, kEnd, kWouldBlock, kFailed };
  Kind kind = Kind::kBytes;
  size_t bytes = 0;
  int error = 0;  // errno; EPROTO for a TLS failure, including an end without close_notify
  bool ok() const { return kind == Kind::kBytes; }
  bool would_block() const { return kind == Kind::kWouldBlock; }
};

// Told, inside the loop's own callback, that a stream under watch() has bytes, an end or an error to read.
class StreamWatcher {
 public:
  virtual void on_readable() = 0;

 protected:
  ~StreamWatcher() = default;
};

class Stream {
 public:
  Stream() = default;  // closed
  // Takes over a non-blocking socket: connected, connecting or listening.
  Stream(Loop& loop, int fd);
  Stream(Stream&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}
  Stream& operator=(Stream&& other) noexcept;
  ~Stream();  // closes

  bool is_open() const;
  int fd() const;  // -1 when closed

  // Pending waits end with kClosed and later attempts fail; at any time on the loop's thread; idempotent.
  void close();
  void shutdown_write();  // sends FIN (TLS: close_notify first)

  // One attempt, never blocking. A TLS stream may have decrypted bytes buffered: read until it would block.
  Io try_read(std::span<char> into);
  Io try_write(std::span<const iovec> from);
  // Of a listening socket: the next connection, or -1 and errno.
  int try_accept();
  // TCP only: looks at the first unread byte without taking it.
  Io peek();

  // Suspend until an attempt is worth while. Await at once. At most one coroutine per direction.
  Task<Wake> readable(TimePoint deadline);
  Task<Wake> writable(TimePoint deadline);

  // Calls `watcher` once, the next time the stream is readable while no coroutine waits in readable(). A watcher
  // that wants more watches again after it has read until the stream would block. nullptr stops.
  void watch(StreamWatcher* watcher);

  // Bytes read, 0 for the end. kTimeout, kCancelled (closed by us), kCut (reset by the peer).
  Task<Result<size_t>> read_some(std::span<char> into, TimePoint deadline = kNever);
  // All bytes. kTimeout when nothing could be written for `stall` (zero: no limit), kCancelled when either side
  // has closed. The bytes must stay until it is done.
  Task<Status> write(std::string_view bytes, Millis stall = Millis{0});
  // Continues a write of `from` after its first `done` bytes.
  Task<Status> write_rest(std::span<const iovec> from, size_t done, Millis stall);

  // Makes the stream a TLS one; takes over `ssl` and runs its handshake. An error's message says why.
  Task<Status> handshake(ssl_st* ssl, TimePoint deadline);
  bool is_tls() const;

  std::string peer_address() const;  // "192.0.2.1" or "2001:db8::1", empty when unknown

 private:
  struct Impl;
  Io try_read_tls(std::span<char> into);
  Io try_write_tls(std::span<const iovec> from);
  Task<Wake> ready(int direction, TimePoint deadline);

  Impl* impl_ = nullptr;  // counted: callbacks that run or are posted hold it too
};

// What a failed attempt means to a caller: kCancelled for a peer that has gone while we write.
std::string errno_text(int error);

}  // namespace ajar
