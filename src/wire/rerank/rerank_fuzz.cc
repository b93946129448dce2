// The first byte chooses: a client's request, or a server's answer to a fixed one.
#include <cstdlib>

#include "wire/rerank/rerank.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ajar;
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    const auto request = wire::rerank::read_request(body);
    if (!request) return 0;
    const auto written = wire::rerank::write_request(*request, {.model = "m"}, DialectId::kOpenAiChat);
    // What we write of a request is a request.
    if (!written || !wire::rerank::read_request(written->body)) std::abort();
    return 0;
  }
  RerankRequest request;
  request.documents = {"a", "b", "c"};
  request.return_documents = true;
  const auto reply = wire::rerank::read_reply(body, request);
  if (!reply) return 0;
  for (const auto& result : reply->results) {
    if (result.index >= 3) std::abort();
  }
  if (!wire::rerank::read_reply(wire::rerank::write_reply(*reply, request), request)) std::abort();
  return 0;
}
