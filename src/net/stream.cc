#include "net/stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "net/stream_impl.h"

namespace ajar {
namespace {

Io from_return(ssize_t n) {
  if (n > 0) return {.bytes = size_t(n)};
  if (n == 0) return {.kind = Io::Kind::kEnd};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {.kind = Io::Kind::kWouldBlock};
  return {.kind = Io::Kind::kFailed, .error = errno};
}

constexpr Io kClosedIo{.kind = Io::Kind::kFailed, .error = EBADF};

}  // namespace

std::string errno_text(int error) {
  char buffer[128];
  return strerror_r(error, buffer, sizeof buffer);
}

void Stream::Impl::on_events(uint32_t events) {
  constexpr uint32_t kEnds = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  bool read = events & (EPOLLIN | kEnds), write = events & (EPOLLOUT | EPOLLHUP | EPOLLERR);
  if (events & kEnds) ended = true;
  if (read) ready[kRead] = true;
  if (write) ready[kWrite] = true;
  retain();
  if (write) waiters[kWrite].wake(Wake::kReady);
  if (read && fd >= 0) {
    if (waiters[kRead].waiting()) {
      waiters[kRead].wake(Wake::kReady);
    } else if (watcher) {
      std::exchange(watcher, nullptr)->on_readable();
    }
  }
  release();
}

void Stream::Impl::tell_watcher_later() {
  if (std::exchange(telling, true)) return;
  struct Hold {
    explicit Hold(Impl* impl) : impl(impl) { impl->retain(); }
    Hold(Hold&& other) noexcept : impl(std::exchange(other.impl, nullptr)) {}
    ~Hold() {
      if (impl) impl->release();
    }
    Impl* impl;
  };
  loop.post([hold = Hold(this)] {
    Impl& impl = *hold.impl;
    impl.telling = false;
    if (impl.ready[kRead] && impl.watcher && !impl.waiters[kRead].waiting())
      std::exchange(impl.watcher, nullptr)->on_readable();
  });
}

void Stream::Impl::close() {
  if (fd < 0) return;
  loop.poller().remove(fd, this);
  ::close(std::exchange(fd, -1));
  watcher = nullptr;
  for (Waiter& waiter : waiters) waiter.wake_later(Wake::kClosed);
  free_ssl();
}

Stream::Stream(Loop& loop, int fd) : impl_(new Impl(loop)) {
  if (!loop.poller().add(fd, impl_)) {
    ::close(fd);
  } else {
    impl_->fd = fd;
  }
}

Stream& Stream::operator=(Stream&& other) noexcept {
  if (this != &other) {
    Stream old(std::move(*this));
    impl_ = std::exchange(other.impl_, nullptr);
  }
  return *this;
}

Stream::~Stream() {
  if (!impl_) return;
  impl_->close();
  impl_->release();
}

bool Stream::is_open() const { return impl_ && impl_->fd >= 0; }
int Stream::fd() const { return impl_ ? impl_->fd : -1; }
bool Stream::is_tls() const { return impl_ && impl_->ssl; }

void Stream::close() {
  if (impl_) impl_->close();
}

void Stream::shutdown_write() {
  if (!is_open()) return;
  if (impl_->ssl) SSL_shutdown(impl_->ssl);
  ::shutdown(impl_->fd, SHUT_WR);
}

Io Stream::try_read(std::span<char> into) {
  if (!is_open()) return kClosedIo;
  if (impl_->ssl) return try_read_tls(into);
  Io io = from_return(::recv(impl_->fd, into.data(), into.size(), MSG_DONTWAIT));
  if (io.would_block()) {
    impl_->would_block(kRead);
  } else if (io.bytes < into.size()) {
    impl_->short_read();
  }
  return io;
}

Io Stream::try_write(std::span<const iovec> from) {
  if (!is_open()) return kClosedIo;
  if (impl_->ssl) return try_write_tls(from);
  Io io;
  if (from.size() == 1) {
    io = from_return(::send(impl_->fd, from[0].iov_base, from[0].iov_len, MSG_DONTWAIT | MSG_NOSIGNAL));
  } else {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(from.data());
    message.msg_iovlen = from.size();
    io = from_return(::sendmsg(impl_->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
  }
  if (io.would_block()) impl_->would_block(kWrite);
  return io;
}

int Stream::try_accept() {
  if (!is_open()) return errno = EBADF, -1;
  int fd = ::accept4(impl_->fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) impl_->would_block(kRead);
  return fd;
}

Io Stream::peek() {
  if (!is_open()) return kClosedIo;
  char byte;
  if (!impl_->ssl) {
    Io io = from_return(::recv(impl_->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT));
    if (io.would_block()) impl_->would_block(kRead);
    return io;
  }
  int n = SSL_peek(impl_->ssl, &byte, 1);  // takes in session tickets and the like
  if (n > 0) return {.bytes = 1};
  switch (SSL_get_error(impl_->ssl, n)) {
    case SSL_ERROR_WANT_READ: impl_->would_block(kRead); return {.kind = Io::Kind::kWouldBlock};
    case SSL_ERROR_ZERO_RETURN: return {.kind = Io::Kind::kEnd};
    default: return {.kind = Io::Kind::kFailed, .error = EPROTO};
  }
}

Task<Wake> Stream::ready(int direction, TimePoint deadline) {
  return impl_->waiters[direction].wait(deadline, [impl = impl_, direction](Waiter& waiter) {
    if (impl->fd < 0) return waiter.wake_later(Wake::kClosed);
    if (impl->ready[direction]) waiter.wake_later(Wake::kReady);
  });
}

Task<Wake> Stream::readable(TimePoint deadline) { return ready(kRead, deadline); }
Task<Wake> Stream::writable(TimePoint deadline) { return ready(kWrite, deadline); }

void Stream::watch(StreamWatcher* watcher) {
  if (!is_open()) return;
  impl_->watcher = watcher;
  if (watcher && impl_->ready[kRead]) impl_->tell_watcher_later();
}

Task<Result<size_t>> Stream::read_some(std::span<char> into, TimePoint deadline) {
  for (;;) {
    Io io = try_read(into);
    if (io.ok()) co_return io.bytes;
    if (io.kind == Io::Kind::kEnd) co_return size_t(0);
    if (io.error == EBADF) co_return fail(Code::kCancelled, "the connection was closed");
    if (!io.would_block()) co_return fail(Code::kCut, errno_text(io.error));
    switch (co_await readable(deadline)) {
      case Wake::kReady: break;
      case Wake::kTimeout: co_return fail(Code::kTimeout, "nothing to read before the deadline");
      case Wake::kClosed: co_return fail(Code::kCancelled, "the connection was closed");
    }
  }
}

Task<Status> Stream::write(std::string_view bytes, Millis stall) {
  iovec buffer{const_cast<char*>(bytes.data()), bytes.size()};
  co_return co_await write_rest(std::span(&buffer, 1), 0, stall);
}

Task<Status> Stream::write_rest(std::span<const iovec> from, size_t done, Millis stall) {
  std::array<iovec, 8> rest;
  for (;;) {
    size_t count = 0, skip = done;
    for (const iovec& buffer : from) {
      if (skip >= buffer.iov_len) {
        skip -= buffer.iov_len;
        continue;
      }
      if (count == rest.size()) break;
      rest[count++] = {static_cast<char*>(buffer.iov_base) + skip, buffer.iov_len - skip};
      skip = 0;
    }
    if (count == 0) co_return Status{};
    Io io = try_write(std::span(rest.data(), count));
    if (io.ok()) {
      done += io.bytes;
      continue;
    }
    if (!io.would_block()) co_return fail(Code::kCancelled, errno_text(io.error));
    switch (co_await writable(after(stall))) {
      case Wake::kReady: break;
      case Wake::kTimeout: co_return fail(Code::kTimeout, "the peer takes no bytes");
      case Wake::kClosed: co_return fail(Code::kCancelled, "the connection was closed");
    }
  }
}

std::string Stream::peer_address() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  char text[INET6_ADDRSTRLEN] = "";
  if (!is_open() || getpeername(impl_->fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return {};
  if (address.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in&>(address).sin_addr, text, sizeof text);
  } else if (address.ss_family == AF_INET6) {
    const in6_addr& v6 = reinterpret_cast<sockaddr_in6&>(address).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
      inet_ntop(AF_INET, &v6.s6_addr[12], text, sizeof text);
    } else {
      inet_ntop(AF_INET6, &v6, text, sizeof text);
    }
  }
  return text;
}

}  // namespace ajar
