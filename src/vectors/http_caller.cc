#include "vectors/http_caller.h"

#include <future>

#include "http/client.h"

namespace ajar::vectors {
namespace {

// Its parameters live on the thread that waits for it.
Task<> exchange(Client& client, const HttpAsk& ask, const Url& url, std::promise<Result<HttpAnswer>>& promise) {
  const auto run = [](Client& client, const HttpAsk& ask, const Url& url) -> Task<Result<HttpAnswer>> {
    Headers headers{{"user-agent", "ajar"}, {"accept", "application/json"}};
    if (!ask.body.empty()) headers.set("content-type", "application/json");
    for (const auto& [name, value] : ask.headers) headers.set(name, value);
    const TlsOptions tls{.ca_file = ask.ca_file};
    CancelToken token;
    const TimePoint deadline = after(ask.timeout);
    AJAR_CO_ASSIGN(ClientResponse response, co_await client.send({.url = url, .method = ask.method, .headers = headers, .body = ask.body,
                                                                  .connect_deadline = deadline, .first_byte_deadline = deadline, .tls = &tls}, token));
    HttpAnswer answer{.status = response.status()};
    AJAR_CO_ASSIGN(answer.body, co_await response.read_all(deadline, ask.most));
    co_return answer;
  };
  auto answer = co_await run(client, ask, url);
  promise.set_value(std::move(answer));
}

}  // namespace

HttpCaller::HttpCaller(ProxyConfig proxy) : loops_(1) {
  auto made = Client::create(loops_[0], {.proxy = std::move(proxy)});
  if (!made) made = Client::create(loops_[0], {});
  client_ = std::move(*made);
}

HttpCaller::~HttpCaller() { loops_.stop(); }

Result<HttpAnswer> HttpCaller::call(const HttpAsk& ask) {
  AJAR_ASSIGN(const Url url, parse_url(ask.url));
  std::promise<Result<HttpAnswer>> promise;
  auto future = promise.get_future();
  loops_[0].spawn(exchange(*client_, ask, url, promise));
  return future.get();
}

}  // namespace ajar::vectors
