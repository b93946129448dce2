// What a proxied request costs: client → Server → Client → upstream Server, all with kept connections, each role in
// a process of its own. `cpu_us` is the proxy's CPU time per request, system calls included.

#include <benchmark/benchmark.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include <ctime>

#include "http/client.h"
#include "http/server.h"
#include "net/testing.h"

namespace ajar {
namespace {

using testing::RawSocket;

double cpu_seconds(pid_t pid) {
  clockid_t clock;
  timespec t{};
  if (clock_getcpuclockid(pid, &clock) == 0) clock_gettime(clock, &t);
  return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
}

// Serves in a child process with one loop. The port comes back through a pipe.
struct Child {
  template <class MakeHandler>
  explicit Child(MakeHandler make_handler) {
    int pipe_fds[2];
    if (pipe(pipe_fds) != 0) std::abort();
    pid = fork();
    if (pid == 0) {
      LoopGroup loops(1);
      Server server(loops, {.listen = {"127.0.0.1:0"}}, make_handler(loops[0]));
      if (!server.listen()) std::abort();
      port = server.port();
      if (write(pipe_fds[1], &port, sizeof port) != sizeof port) std::abort();
      pause();
    }
    if (read(pipe_fds[0], &port, sizeof port) != sizeof port) std::abort();
    close(pipe_fds[0]);
    close(pipe_fds[1]);
  }
  ~Child() {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  pid_t pid;
  uint16_t port = 0;
};

constexpr int kEvents = 64;

HttpHandler upstream(Loop&) {
  auto body = std::make_shared<std::string>(1200, 'y');
  return [body](Exchange& e) -> Task<> {
    if (e.request().path != "/stream") {
      (void)co_await e.send(200, {{"content-type", "application/json"}}, *body);
      co_return;
    }
    (void)co_await e.start(200, {{"content-type", "text/event-stream"}});
    std::string event = "data: " + std::string(242, 'z') + "\n\n";
    for (int i = 0; i < kEvents; ++i) {
      (void)co_await e.write(event);
      // Let go of the processor, so that the events arrive one by one.
      co_await sleep_until(now());
    }
    (void)co_await e.finish();
  };
}

HttpHandler proxy(uint16_t port, Loop& loop) {
  struct State {
    std::unique_ptr<Client> client;
    Url plain, stream;
  };
  auto state = std::make_shared<State>();
  state->client = *Client::create(loop, {.max_idle_per_origin = 256});
  std::string origin = "http://127.0.0.1:" + std::to_string(port);
  state->plain = *parse_url(origin + "/v1/chat/completions");
  state->stream = *parse_url(origin + "/stream");
  return [state](Exchange& e) -> Task<> {
    bool streaming = e.request().path == "/stream";
    Headers headers{{"content-type", "application/json"}, {"authorization", "Bearer 0123456789abcdef"}};
    auto response = co_await state->client->send({.url = streaming ? state->stream : state->plain,
                                                  .headers = headers,
                                                  .body = e.request().body,
                                                  .connect_deadline = after(Millis(1000)),
                                                  .first_byte_deadline = after(Millis(60'000))},
                                                 e.cancel());
    if (!response) {
      (void)co_await e.send(502, {}, response.error().message);
      co_return;
    }
    TimePoint deadline = after(Millis(60'000));
    if (!streaming) {
      auto body = co_await response->read_all(deadline, 1 << 20);
      (void)co_await e.send(response->status(), {{"content-type", "application/json"}}, *body);
      co_return;
    }
    (void)co_await e.start(200, {{"content-type", "text/event-stream"}});
    for (;;) {
      auto got = co_await response->read(deadline);
      if (!got || got->empty()) break;
      if (!co_await e.write(*got)) co_return;
    }
    (void)co_await e.finish();
  };
}

// A closed loop over `connections` connections: each sends its next request when it has its answer.
void drive(uint16_t port, int connections, int64_t requests, std::string_view request,
           std::string_view end, size_t length) {
  std::vector<RawSocket> sockets;
  std::vector<std::string> got(static_cast<size_t>(connections));
  std::vector<pollfd> polls;
  int64_t sent = 0, done = 0;
  for (int i = 0; i < connections; ++i) {
    sockets.push_back(RawSocket::connect(port));
    polls.push_back({.fd = sockets.back().fd(), .events = POLLIN, .revents = 0});
    if (sent < requests) sockets.back().send(request), ++sent;
  }
  char buffer[16384];
  while (done < requests) {
    poll(polls.data(), polls.size(), -1);
    for (size_t i = 0; i < polls.size(); ++i) {
      if (!(polls[i].revents & POLLIN)) continue;
      ssize_t n = recv(polls[i].fd, buffer, sizeof buffer, 0);
      if (n <= 0) std::abort();
      got[i].append(buffer, size_t(n));
      if (got[i].size() < length || !got[i].ends_with(end)) continue;
      got[i].clear();
      ++done;
      if (sent < requests) sockets[i].send(request), ++sent;
    }
  }
}

std::string request_to(std::string_view path) {
  std::string body(2000, 'x');
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: gateway.local\r\nUser-Agent: bench/1.0\r\nAccept: application/json\r\n"
         "Content-Type: application/json\r\nAuthorization: Bearer sk-0123456789abcdef\r\nContent-Length: 2000\r\n\r\n" +
         body;
}

// The floor: the same bytes over the same number of sockets by recv and send alone, without HTTP.
struct Floor {
  explicit Floor(uint16_t upstream_port) {
    int pipe_fds[2];
    if (pipe(pipe_fds) != 0) std::abort();
    pid = fork();
    if (pid == 0) {
      int listener = socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      socklen_t size = sizeof address;
      bind(listener, reinterpret_cast<sockaddr*>(&address), size);
      listen(listener, 100);
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
      port = ntohs(address.sin_port);
      if (write(pipe_fds[1], &port, sizeof port) != sizeof port) std::abort();
      int epoll = epoll_create1(0);
      auto watch = [&](int fd) {
        epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
      };
      watch(listener);
      std::vector<int> other(4096, -1);
      char buffer[16384];
      for (;;) {
        epoll_event events[64];
        int n = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < n; ++i) {
          int fd = events[i].data.fd;
          if (fd == listener) {
            int client = accept(listener, nullptr, nullptr);
            int up = RawSocket::connect(upstream_port).release();
            other[size_t(client)] = up;
            other[size_t(up)] = client;
            watch(client);
            watch(up);
            continue;
          }
          ssize_t got = recv(fd, buffer, sizeof buffer, 0);
          if (got > 0) {
            send(other[size_t(fd)], buffer, size_t(got), MSG_NOSIGNAL);
          } else {
            epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr);
            shutdown(other[size_t(fd)], SHUT_RDWR);  // and leave both open: this is only a yardstick
          }
        }
      }
    }
    if (read(pipe_fds[0], &port, sizeof port) != sizeof port) std::abort();
    close(pipe_fds[0]);
    close(pipe_fds[1]);
  }
  ~Floor() {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  pid_t pid;
  uint16_t port = 0;
};

template <class Middle>
void measure_requests(benchmark::State& state, Middle& middle) {
  std::string request = request_to("/v1/chat/completions");
  int connections = int(state.range(0));
  drive(middle.port, connections, 2000, request, "y", 1200);
  double cpu = 0;
  for (auto _ : state) {
    double before = cpu_seconds(middle.pid);
    drive(middle.port, connections, 20'000, request, "y", 1200);
    cpu += cpu_seconds(middle.pid) - before;
  }
  state.SetItemsProcessed(state.iterations() * 20'000);
  state.counters["cpu_us"] = cpu * 1e6 / double(state.iterations() * 20'000);
}

void BM_Floor(benchmark::State& state) {
  Child up(upstream);
  Floor middle(up.port);
  measure_requests(state, middle);
}
BENCHMARK(BM_Floor)->Arg(1)->Arg(32)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(3);

void BM_ProxiedRequest(benchmark::State& state) {
  Child up(upstream);
  Child middle([&](Loop& loop) { return proxy(up.port, loop); });
  measure_requests(state, middle);
}
BENCHMARK(BM_ProxiedRequest)->Arg(1)->Arg(32)->Arg(128)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(3);

void BM_ProxiedEvent(benchmark::State& state) {
  Child up(upstream);
  Child middle([&](Loop& loop) { return proxy(up.port, loop); });
  std::string request = request_to("/stream");
  int connections = int(state.range(0));
  double cpu = 0;
  for (auto _ : state) {
    double before = cpu_seconds(middle.pid);
    drive(middle.port, connections, 1000, request, "0\r\n\r\n", 1200);
    cpu += cpu_seconds(middle.pid) - before;
  }
  state.SetItemsProcessed(state.iterations() * 1000 * kEvents);
  state.counters["cpu_us"] = cpu * 1e6 / double(state.iterations() * 1000 * kEvents);
}
BENCHMARK(BM_ProxiedEvent)->Arg(1)->Arg(32)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(3);

}  // namespace
}  // namespace ajar
