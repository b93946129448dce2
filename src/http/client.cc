#include "http/client.h"

#include "http/client_impl.h"
#include "http/writer.h"

namespace ajar {
namespace {

constexpr size_t kKeptBuffers = 64;

std::string_view strip_scheme(std::string_view origin) { return origin.substr(origin.find("://") + 3); }

}  // namespace

ConnectionPool& Client::Impl::pool_for(const Url& url, const TlsOptions& tls) {
  static thread_local std::string key;
  key.assign(url.host).append(url.tls ? "|s" : "|p");
  append_number(key, url.port);
  if (url.tls) key.append(tls.insecure ? "|i|" : "|v|").append(tls.ca_file);
  auto it = pools.find(key);
  if (it == pools.end()) {
    auto pool = std::make_unique<ConnectionPool>(loop, options.max_idle_per_origin, options.idle_timeout);
    it = pools.emplace(key, std::move(pool)).first;
  }
  return *it->second;
}

std::unique_ptr<char[]> Client::Impl::take_buffer() {
  if (buffers.empty()) return std::unique_ptr<char[]>(new char[kBuffer]);
  auto buffer = std::move(buffers.back());
  buffers.pop_back();
  return buffer;
}

void Client::Impl::put_buffer(std::unique_ptr<char[]> buffer) {
  if (buffer && buffers.size() < kKeptBuffers) buffers.push_back(std::move(buffer));
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::create(Loop& loop, ClientOptions options) {
  AJAR_ASSIGN(auto connector, Connector::create(loop, options.proxy));
  auto impl = std::make_unique<Impl>(loop, std::move(options), std::move(connector));
  return std::unique_ptr<Client>(new Client(std::move(impl)));
}

size_t Client::idle_connections() const {
  size_t n = 0;
  for (const auto& [key, pool] : impl_->pools) n += pool->size();
  return n;
}

Task<Result<ClientResponse>> Client::send(const ClientRequest& request, CancelToken& token) {
  if (token.cancelled()) co_return fail(Code::kCancelled, "cancelled");
  Impl& impl = *impl_;
  const Url& url = request.url;
  const TlsOptions& tls = request.tls ? *request.tls : impl.options.tls;
  ConnectionPool& pool = impl.pool_for(url, tls);

  std::string head;
  {
    std::string origin = url.origin();
    std::string target, extra;
    const ProxyServer* proxy =
        url.tls ? nullptr : impl.connector->proxy_for({.host = url.host, .port = url.port});
    if (proxy) {
      target = origin + url.target;
      if (!proxy->authorization.empty()) extra = "proxy-authorization: " + proxy->authorization + "\r\n";
    }
    head.reserve(512);
    append_request_head(head, request.method, proxy ? target : url.target, strip_scheme(origin),
                        request.headers, extra, request.body.size());
  }
  iovec buffers[2] = {{head.data(), head.size()},
                      {const_cast<char*>(request.body.data()), request.body.size()}};
  std::span<const iovec> parts(buffers, request.body.empty() ? 1 : 2);

  for (bool fresh = false;; fresh = true) {
    auto state = std::make_unique<ClientResponse::State>(impl, pool, token);
    state->parser.reset(request.method == "HEAD");
    if (!fresh) state->stream = pool.take();
    state->reused = state->stream.is_open();
    if (!state->reused) {
      Endpoint to{.host = url.host, .port = url.port, .tls = url.tls};
      auto connected = co_await impl.connector->connect(to, tls, request.connect_deadline, token);
      if (!connected) co_return std::unexpected(std::move(connected.error()));
      state->stream = *std::move(connected);
    }
    state->hook.emplace(token, ClientResponse::State::CloseStream{&state->stream});

    Io io = state->stream.try_write(parts);
    Status sent;
    if (io.bytes != head.size() + request.body.size())
      sent = co_await state->stream.write_rest(parts, io.bytes, impl.options.write_timeout);
    // An upstream may refuse a request before it has read it, and close: then its answer is there to be read.
    state->reusable = sent.has_value();
    if (request.written) *request.written = sent.has_value();
    Status answered = co_await state->read_head(request.first_byte_deadline);
    if (answered) co_return ClientResponse(std::move(state));
    if (token.cancelled()) co_return fail(Code::kCancelled, "cancelled");
    bool retry = state->reused && !state->parser.started() && answered.error().code == Code::kCut;
    if (!retry) co_return std::unexpected(std::move(answered.error()).in(url.origin()));
  }
}

}  // namespace ajar
