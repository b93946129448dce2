#pragma once
// The inside of Stream, shared by stream.cc (TCP, waiting) and stream_tls.cc. Not for others.

#include <openssl/ssl.h>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "net/loop.h"
#include "net/stream.h"

namespace ajar {

// The concrete executor avoids any_io_executor's queries on every wait.
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp,
                                                boost::asio::io_context::executor_type>;

enum Direction : int { kRead = 0, kWrite = 1 };

struct Stream::Impl {
  explicit Impl(Loop& loop) : loop(loop), socket(loop.io()), waiters{Waiter(loop), Waiter(loop)} {}
  ~Impl() { free_ssl(); }

  void retain() { ++refs; }
  void release() {
    if (--refs == 0) delete this;
  }
  void arm(int direction);
  void on_ready(int direction);
  void close();
  void free_ssl() {
    if (!ssl) return;
    // Without this OpenSSL forgets the session of a connection that was closed without a close_notify.
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(std::exchange(ssl, nullptr));
  }

  Loop& loop;
  Socket socket;
  SSL* ssl = nullptr;
  StreamWatcher* watcher = nullptr;
  int refs = 1;
  int fd = -1;
  bool armed[2] = {false, false};      // a wait is with the reactor
  bool signalled[2] = {false, false};  // it ended while nobody waited
  Waiter waiters[2];
};

}  // namespace ajar
