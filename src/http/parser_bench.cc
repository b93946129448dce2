// Our request parser beside Beast's basic_parser (which checks less), and the SSE parser.

#include <benchmark/benchmark.h>

#include <boost/beast/http/basic_parser.hpp>

#include "http/parser.h"
#include "http/sse.h"

namespace ajar {
namespace {

const std::string kRequest =
    "POST /v1/chat/completions HTTP/1.1\r\nHost: gateway.local\r\nUser-Agent: OpenAI/Python 1.51.0\r\n"
    "Accept: application/json\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n"
    "Content-Type: application/json\r\nAuthorization: Bearer sk-0123456789abcdef0123456789abcdef\r\n"
    "X-Stainless-Lang: python\r\nX-Stainless-Os: Linux\r\nX-Stainless-Retry-Count: 0\r\nContent-Length: 2000\r\n\r\n" +
    std::string(2000, 'x');

void BM_RequestParser(benchmark::State& state) {
  RequestParser parser;
  for (auto _ : state) {
    parser.reset();
    benchmark::DoNotOptimize(parser.feed(kRequest));
  }
}
BENCHMARK(BM_RequestParser);

namespace http = boost::beast::http;
struct BeastParser final : http::basic_parser<true> {
  std::string method, target, body;
  Headers headers;
  using Error = boost::system::error_code;
  using View = boost::beast::string_view;
  void on_request_impl(http::verb, View m, View t, int, Error&) override {
    method.assign(m.data(), m.size());
    target.assign(t.data(), t.size());
  }
  void on_response_impl(int, View, int, Error&) override {}
  void on_field_impl(http::field, View name, View value, Error&) override {
    headers.add({name.data(), name.size()}, {value.data(), value.size()});
  }
  void on_header_impl(Error&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, Error&) override {}
  std::size_t on_body_impl(View bytes, Error&) override {
    body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, View, Error&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View bytes, Error&) override { return bytes.size(); }
  void on_finish_impl(Error&) override {}
};

void BM_BeastParser(benchmark::State& state) {
  for (auto _ : state) {
    BeastParser parser;
    parser.eager(true);
    boost::system::error_code error;
    benchmark::DoNotOptimize(parser.put(boost::asio::buffer(kRequest), error));
  }
}
BENCHMARK(BM_BeastParser);

void BM_Sse(benchmark::State& state) {
  std::string bytes;
  for (int i = 0; i < 40; ++i) bytes += "data: {\"id\":\"chatcmpl-1\",\"n\":\"" + std::string(210, 'z') + "\"}\n\n";
  SseParser parser;
  size_t total = 0;
  for (auto _ : state)
    (void)parser.feed(bytes, [&](const SseEvent& e) { total += e.data.size(); });
  benchmark::DoNotOptimize(total);
  state.SetItemsProcessed(state.iterations() * 40);
  state.SetBytesProcessed(state.iterations() * int64_t(bytes.size()));
}
BENCHMARK(BM_Sse);

}  // namespace
}  // namespace ajar
