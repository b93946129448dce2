#pragma once
// The inside of Stream, shared by stream.cc (TCP, waiting) and stream_tls.cc. Not for others.

#include <openssl/ssl.h>

#include "net/loop.h"
#include "net/stream.h"

namespace ajar {

enum Direction : int { kRead = 0, kWrite = 1 };

struct Stream::Impl final : Polled {
  explicit Impl(Loop& loop) : loop(loop), waiters{Waiter(loop), Waiter(loop)} {}
  ~Impl() { free_ssl(); }

  void retain() { ++refs; }
  void release() {
    if (--refs == 0) delete this;
  }
  void on_events(uint32_t events) override;
  void tell_watcher_later();
  void close();
  // The kernel said EAGAIN: what comes next is a new edge.
  void would_block(int direction) { ready[direction] = false; }
  // The kernel gave less than it was asked for, so this was all; but the end may have come in the same edge.
  void short_read() { ready[kRead] = ended; }
  void free_ssl() {
    if (!ssl) return;
    // Without this OpenSSL forgets the session of a connection that was closed without a close_notify.
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(std::exchange(ssl, nullptr));
  }

  Loop& loop;
  SSL* ssl = nullptr;
  StreamWatcher* watcher = nullptr;
  int refs = 1;
  int fd = -1;
  bool ready[2] = {false, false};  // an attempt may succeed; edges set it, attempts that find nothing clear it
  bool ended = false;              // the peer's end, or an error, has been seen
  bool telling = false;            // a call of the watcher has been posted
  Waiter waiters[2];
};

}  // namespace ajar
