#include "app/http_call.h"

#include <future>

namespace ajar::app {

HttpCaller::HttpCaller() : HttpCaller(ProxyConfig()) {}

HttpCaller::HttpCaller(ProxyConfig proxy) : loops_(1) {
  auto made = Client::create(loops_[0], {.proxy = std::move(proxy)});
  if (!made) made = Client::create(loops_[0], {});  // a malformed proxy is as none
  client_ = std::move(*made);
}

HttpCaller::~HttpCaller() { loops_.stop(); }

Result<HttpReply> HttpCaller::call(const std::string& method, const std::string& url, const Fields& headers,
                                   const std::string& body, Millis timeout) {
  std::string whole;
  auto reply = stream(method, url, headers, body, timeout, [&](std::string_view bytes) {
    whole += bytes;
    return true;
  });
  if (reply) reply->body = std::move(whole);
  return reply;
}

Result<HttpReply> HttpCaller::stream(const std::string& method, const std::string& url, const Fields& fields,
                                     const std::string& body, Millis timeout,
                                     const std::function<bool(std::string_view)>& on_bytes) {
  return run(method, url, fields, body, timeout, true, nullptr, on_bytes);
}

Result<HttpReply> HttpCaller::download(const std::string& url, const Fields& fields, Millis stall,
                                       const std::function<bool(const HttpReply&)>& on_head,
                                       const std::function<bool(std::string_view)>& on_bytes) {
  return run("GET", url, fields, {}, stall, false, on_head, on_bytes);
}

// `whole`: the timeout is for everything together.
Result<HttpReply> HttpCaller::run(const std::string& method, const std::string& url, const Fields& fields,
                                  std::string_view body, Millis timeout, bool whole,
                                  const std::function<bool(const HttpReply&)>& on_head,
                                  const std::function<bool(std::string_view)>& on_bytes) {
  AJAR_ASSIGN(const Url parsed, parse_url(url));
  std::promise<Result<HttpReply>> promise;
  auto future = promise.get_future();
  const auto exchange = [&]() -> Task<> {
    Headers headers{{"user-agent", "ajar-cli"}};
    if (method != "GET") headers.set("content-type", "application/json");
    for (const auto& [name, value] : fields) headers.set(name, value);
    CancelToken token;
    const TimePoint deadline = after(timeout);
    const ClientRequest request{.url = parsed, .method = method, .headers = headers, .body = body,
                                .connect_deadline = deadline, .first_byte_deadline = deadline};
    auto response = co_await client_->send(request, token);
    if (!response) {
      promise.set_value(std::unexpected(response.error()));
      co_return;
    }
    HttpReply reply{.status = response->status(), .headers = response->headers()};
    const bool wanted = !on_head || on_head(reply);
    while (wanted) {
      const auto bytes = co_await response->read(whole ? deadline : after(timeout));
      if (!bytes) {
        promise.set_value(std::unexpected(bytes.error()));
        co_return;
      }
      if (bytes->empty() || !on_bytes(*bytes)) break;
    }
    promise.set_value(std::move(reply));
  };
  loops_[0].spawn(exchange());
  return future.get();
}

}  // namespace ajar::app
