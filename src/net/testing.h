#pragma once
// For tests: plain blocking sockets that say exactly the bytes they are told to.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <future>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "net/loop.h"

namespace ajar::testing {

// A blocking socket with a 20 s receive timeout, so that a broken test ends.
class RawSocket {
 public:
  explicit RawSocket(int fd) : fd_(fd) {
    timeval limit{.tv_sec = 20, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  static RawSocket connect(uint16_t port) {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
    return RawSocket(fd);
  }
  RawSocket(RawSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  RawSocket& operator=(RawSocket&& other) noexcept { return std::swap(fd_, other.fd_), *this; }
  ~RawSocket() { close(); }

  int fd() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void reset() {  // RST instead of FIN
    linger hard{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
  }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(size_t(n));
    }
    return true;
  }
  // Reads until `text` has been seen (or the end); returns everything read.
  std::string read_until(std::string_view text) {
    std::string all;
    char c;
    while (!all.ends_with(text) && ::recv(fd_, &c, 1, 0) == 1) all += c;
    return all;
  }
  std::string read_exactly(size_t n) {
    std::string all(n, 0);
    ssize_t got = ::recv(fd_, all.data(), n, MSG_WAITALL);
    all.resize(size_t(std::max<ssize_t>(got, 0)));
    return all;
  }
  std::string read_all() {
    std::string all;
    char buffer[4096];
    ssize_t n;
    while ((n = ::recv(fd_, buffer, sizeof buffer, 0)) > 0) all.append(buffer, size_t(n));
    return all;
  }
  // One response with a content-length.
  std::string read_response() {
    std::string head = read_until("\r\n\r\n");
    size_t at = head.find("content-length: ");
    if (at == std::string::npos) return head;
    return head + read_exactly(size_t(std::stoul(head.substr(at + 16))));
  }
  bool readable_within(int ms) {
    pollfd entry{.fd = fd_, .events = POLLIN, .revents = 0};
    return ::poll(&entry, 1, ms) > 0;
  }

 private:
  int fd_;
};

// A listening socket on 127.0.0.1 whose connections are handed, one after another, to a script on its own thread.
class RawServer {
 public:
  using Script = std::function<void(RawSocket, int connection)>;
  explicit RawServer(Script script, int family = AF_INET) {
    fd_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_storage address{};
    socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    address.ss_family = sa_family_t(family);
    if (family == AF_INET) {
      reinterpret_cast<sockaddr_in&>(address).sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
      reinterpret_cast<sockaddr_in6&>(address).sin6_addr = in6addr_loopback;
    }
    ok_ = ::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(fd_, 64) == 0;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);
    if (!ok_) return;
    thread_ = std::thread([this, script = std::move(script)] {
      for (int i = 0;; ++i) {
        int fd = ::accept(fd_, nullptr, nullptr);
        if (fd < 0) return;
        ++accepted;
        threads_.emplace_back([script, i, fd] { script(RawSocket(fd), i); });
      }
    });
  }
  ~RawServer() {
    ::shutdown(fd_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    for (auto& thread : threads_) thread.join();
    ::close(fd_);
  }
  bool ok() const { return ok_; }
  uint16_t port() const { return port_; }
  std::atomic<int> accepted{0};

 private:
  int fd_ = -1;
  uint16_t port_ = 0;
  bool ok_ = false;
  std::thread thread_;
  std::vector<std::thread> threads_;
};

// Runs f(), a callable that returns a Task<>, on the loop and waits for it. f lives until the task is done.
template <class F>
void run_on(Loop& loop, F f) {
  auto done = std::make_shared<std::promise<void>>();  // the loop may still be in set_value when we go on
  loop.spawn([](F& f, std::shared_ptr<std::promise<void>> done) -> Task<> {
    co_await f();
    done->set_value();
  }(f, done));
  done->get_future().wait();
}

// Waits up to 20 s for a condition.
template <class F>
bool eventually(F condition) {
  for (int i = 0; i < 4000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

}  // namespace ajar::testing
