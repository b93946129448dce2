#include "http/server.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "http/connection.h"
#include "net/connect.h"

namespace ajar {
namespace {

constexpr int kBacklog = 4096;
constexpr int kBatch = 64;            // accepted in one go, before others have their turn
constexpr size_t kMaxRefusing = 256;  // over the limit, still told so politely
constexpr auto kForced = std::chrono::seconds(5);  // for handlers to return once their clients are cut

std::unexpected<Error> os_error(const std::string& where) {
  return fail(Code::kUnavailable, where + ": " + errno_text(errno));
}

// A listening socket; `port` replaces port 0 of the address and receives what was bound.
Result<int> open_listener(const addrinfo& info, uint16_t& port, bool share, const std::string& name) {
  int fd = ::socket(info.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return os_error("cannot listen on " + name);
  int on = 1, off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (share) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (info.ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // accepted sockets inherit it
  sockaddr_storage address{};
  std::memcpy(&address, info.ai_addr, info.ai_addrlen);
  auto& port_field = info.ai_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                                : reinterpret_cast<sockaddr_in&>(address).sin_port;
  if (port != 0) port_field = htons(port);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), info.ai_addrlen) != 0 ||
      (share && ::listen(fd, kBacklog) != 0)) {
    auto error = os_error("cannot listen on " + name);
    ::close(fd);
    return error;
  }
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(port_field);
  return fd;
}

// One socket per loop, all on one port: the kernel spreads the connections.
Result<std::vector<int>> open_listeners(const std::string& name, size_t count, uint16_t& port) {
  AJAR_ASSIGN(Endpoint to, parse_host_port(name.find_first_of(":[") == name.npos ? ':' + name : name, -1));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  std::string host = to.host.empty() ? "::" : to.host;
  int failed = getaddrinfo(host.c_str(), std::to_string(to.port).c_str(), &hints, &found);
  if (failed) return fail(Code::kInvalid, "cannot listen on " + name + ": " + gai_strerror(failed));
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  std::vector<int> fds;
  port = to.port;
  // SO_REUSEPORT would also share the port with another process of ours, silently: ask without it first.
  if (port != 0) {
    auto probe = open_listener(*found, port, false, name);
    if (!probe) return std::unexpected(std::move(probe.error()));
    ::close(*probe);
  }
  for (size_t i = 0; i < count; ++i) {
    auto fd = open_listener(*found, port, true, name);
    if (!fd) {
      for (int open : fds) ::close(open);
      return std::unexpected(std::move(fd.error()));
    }
    fds.push_back(*fd);
  }
  return fds;
}

Task<> accept_loop(std::shared_ptr<ServerState> state, ServerLoop& owner,
                   std::shared_ptr<Stream> listener) {
  while (co_await listener->readable(kNever) == Wake::kReady) {
    for (int i = 0; i < kBatch && listener->is_open(); ++i) {
      int fd = listener->try_accept();
      if (fd < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) break;
        if (errno != EMFILE && errno != ENFILE && errno != ENOMEM && errno != ENOBUFS) continue;
        co_await sleep_until(now() + Millis(50));  // out of descriptors: wait for some to be freed
        break;
      }
      size_t open = state->connections.fetch_add(1);
      size_t limit = state->options.max_connections;
      Stream stream(owner.loop, fd);
      if (!stream.is_open() || open >= limit + kMaxRefusing) {
        state->connections.fetch_sub(1);
        continue;
      }
      owner.loop.spawn(HttpConnection::run(state, owner, std::move(stream),
                                           open >= limit ? Admission::kRefuse : Admission::kServe));
    }
  }
}

}  // namespace

ServerState::ServerState(LoopGroup& loops, ServerOptions options, HttpHandler handler)
    : loops(loops), options(std::move(options)), handler(std::move(handler)) {
  for (size_t i = 0; i < loops.size(); ++i) per_loop.push_back(std::make_unique<ServerLoop>(loops[i]));
}

Server::Server(LoopGroup& loops, ServerOptions options, HttpHandler handler)
    : state_(std::make_shared<ServerState>(loops, std::move(options), std::move(handler))) {}

Server::~Server() { drain(Millis(0)); }

Status Server::listen() {
  std::vector<std::vector<int>> all;
  for (const std::string& name : state_->options.listen) {
    uint16_t port = 0;
    auto fds = open_listeners(name, state_->loops.size(), port);
    if (!fds) {
      for (auto& earlier : all)
        for (int fd : earlier) ::close(fd);
      return std::unexpected(std::move(fds.error()));
    }
    all.push_back(*std::move(fds));
    state_->ports.push_back(port);
  }
  for (const auto& fds : all) {
    for (size_t i = 0; i < fds.size(); ++i) {
      state_->loops[i].post([state = state_, i, fd = fds[i]] {
        ServerLoop& owner = *state->per_loop[i];
        auto listener = std::make_shared<Stream>(owner.loop, fd);
        owner.stop_accepting.push_back([listener] { listener->close(); });
        owner.loop.spawn(accept_loop(state, owner, listener));
      });
    }
  }
  return {};
}

uint16_t Server::port(size_t i) const { return state_->ports.at(i); }
size_t Server::connections() const { return state_->connections; }

bool Server::drain(Millis patience) {
  ServerState& state = *state_;
  if (state.loops.stopped()) return state.connections == 0;
  auto on_each_loop = [&](auto act) {
    for (auto& owner : state.per_loop)
      owner->loop.post([self = state_, owner = owner.get(), act] { act(*owner); });
  };
  auto wait = [&](auto limit) {
    std::unique_lock lock(state.mutex);
    return state.gone.wait_for(lock, limit, [&] { return state.connections == 0; });
  };
  std::atomic<size_t> stopped{0};
  on_each_loop([&stopped, &state](ServerLoop& owner) {
    owner.draining = true;
    for (auto& stop : owner.stop_accepting) stop();
    owner.stop_accepting.clear();
    for (HttpConnection* c = owner.first; c; c = c->next())
      if (c->idle()) c->close_now();
    std::lock_guard lock(state.mutex);
    ++stopped;
    state.gone.notify_all();
  });
  {
    // Nothing new is accepted once every loop has said so.
    std::unique_lock lock(state.mutex);
    state.gone.wait(lock, [&] { return stopped == state.per_loop.size(); });
  }
  if (wait(patience)) return true;
  on_each_loop([](ServerLoop& owner) {
    for (HttpConnection* c = owner.first; c; c = c->next()) c->close_now();
  });
  wait(kForced);
  return false;
}

}  // namespace ajar
