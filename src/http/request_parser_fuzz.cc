// The request parser: split anywhere it must do what it does unsplit, and whatever it accepts Beast's parser must
// accept with the same meaning (ours refuses more, never less).

#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <cstdlib>

#include "http/parser.h"

namespace ajar {
namespace {

struct Outcome {
  std::string error;
  size_t used = 0;
  bool done = false;
  HttpRequest request;
  bool operator==(const Outcome& o) const {
    if (error != o.error || done != o.done) return false;
    if (!error.empty()) return true;
    if (used != o.used || request.method != o.request.method || request.path != o.request.path ||
        request.query != o.request.query || request.body != o.request.body ||
        request.headers.size() != o.request.headers.size())
      return false;
    for (size_t i = 0; i < request.headers.size(); ++i)
      if (request.headers[i].name != o.request.headers[i].name ||
          request.headers[i].value != o.request.headers[i].value)
        return false;
    return true;
  }
};

Outcome parse(std::string_view bytes, size_t step) {
  RequestParser parser({.max_head_bytes = 2048, .max_target_bytes = 200, .max_fields = 20, .max_body_bytes = 500});
  Outcome out;
  while (!bytes.empty() && !parser.done()) {
    std::string piece(bytes.substr(0, step));
    auto n = parser.feed(piece);
    if (!n) {
      out.error = std::to_string(parser.http_status()) + n.error().message;
      break;
    }
    out.used += *n;
    if (*n < piece.size() && !parser.done()) std::abort();
    bytes.remove_prefix(piece.size());
  }
  out.done = parser.done();
  out.request = std::move(parser.request);
  return out;
}

namespace http = boost::beast::http;
struct Beast final : http::basic_parser<true> {
  std::string method, target, body;
  std::vector<std::pair<std::string, std::string>> fields;
  using Fault = boost::system::error_code;
  using View = boost::beast::string_view;
  void on_request_impl(http::verb, View m, View t, int, Fault&) override {
    method.assign(m.data(), m.size());
    target.assign(t.data(), t.size());
  }
  void on_response_impl(int, View, int, Fault&) override {}
  void on_field_impl(http::field, View name, View value, Fault&) override {
    fields.emplace_back(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
  }
  void on_header_impl(Fault&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, Fault&) override {}
  std::size_t on_body_impl(View bytes, Fault&) override { return body.append(bytes.data(), bytes.size()), bytes.size(); }
  void on_chunk_header_impl(std::uint64_t, View, Fault&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View bytes, Fault&) override {
    return body.append(bytes.data(), bytes.size()), bytes.size();
  }
  void on_finish_impl(Fault&) override {}
};

void require(bool condition) {
  if (!condition) std::abort();
}

void compare_with_beast(std::string_view bytes, const Outcome& ours) {
  Beast beast;
  beast.eager(true);
  boost::system::error_code error;
  size_t at = bytes.starts_with("\r\n") ? 2 : 0;  // Beast does not skip the empty line
  while (at < ours.used && !beast.is_done()) {
    size_t n = beast.put(boost::asio::buffer(bytes.data() + at, ours.used - at), error);
    at += n;
    if (error == http::error::need_more) error = {};
    // Beast judges trailers as if they were headers (a Transfer-Encoding there, say); we drop them unread.
    if (error && beast.is_header_done() && beast.chunked() && beast.body == ours.request.body) return;
    require(!error);
    if (n == 0) break;
  }
  // Of a body with neither length nor chunks Beast knows the end only by being told.
  require(beast.is_header_done());
  require(beast.method == ours.request.method);
  require(beast.body == ours.request.body);
  require(beast.fields.size() >= ours.request.headers.size());  // Beast counts trailers
  for (size_t i = 0; i < ours.request.headers.size(); ++i) {
    require(beast.fields[i].first == ours.request.headers[i].name);
    require(beast.fields[i].second == ours.request.headers[i].value);
  }
}

}  // namespace
}  // namespace ajar

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  ajar::Outcome whole = ajar::parse(bytes, bytes.size());
  if (!(ajar::parse(bytes, 1 + data[0] % 32) == whole)) std::abort();
  if (whole.done) ajar::compare_with_beast(bytes, whole);
  return 0;
}
