#pragma once
// The load client: closed loops over kept connections, one coroutine each. Requests are bytes made beforehand and
// answers are only framed, so that the client costs little beside what it measures.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/connect.h"
#include "net/loop.h"

namespace ajar::app {

struct LoadPlan {
  Endpoint to;
  std::string request;      // head and body
  int connections = 1;
  int64_t requests = 0;     // in all
  bool stream = false;      // answers are SSE that must end with [DONE], unless `end` says otherwise
  std::string_view end;     // what every answer must hold: its dialect's proper end
  std::string_view token;   // what stands once with each token of a stream, to be counted
  Millis ramp{0};           // over which the connections begin
  Millis patience{120'000}; // per answer
};

struct LoadResult {
  int64_t answered = 0;     // whole, with status 200
  int64_t failed = 0;
  int64_t events = 0;       // SSE events, [DONE] included
  int64_t tokens = 0;       // how often the plan's `token` came
  double seconds = 0;
  std::vector<float> latency_us;  // to the last byte
  std::vector<float> first_us;    // to the first byte of the body
  std::vector<float> delay_us;    // clocked tokens: from their writing to their arrival here
  std::vector<float> first_delay_us;  // the same of each answer's first token
  std::string failure;      // the first one, in words
};

std::string failures(const LoadResult& result);  // "": none

// The q-quantile (0 to 1) of values, 0 when there are none. Reorders them.
double quantile(std::vector<float>& values, double q);

// A request as bytes. `headers` are "Name: value" lines.
std::string request_bytes(const Endpoint& to, std::string_view path, const std::vector<std::string>& headers,
                          std::string_view body);
// make(text) with as much text, escapes in it, as gives about `size` bytes.
std::string filled(size_t size, const std::function<std::string(const std::string& text)>& make);
// A chat request of about `size` bytes.
std::string chat_body(std::string_view model, bool stream, size_t size);

class LoadClient {
 public:
  explicit LoadClient(size_t threads) : loops_(threads) {}
  // Blocks until every answer is there.
  LoadResult run(const LoadPlan& plan);
  // One connection each, one request at a time, in turn: a, b, a, b, …
  std::pair<LoadResult, LoadResult> alternate(const LoadPlan& a, const LoadPlan& b);

 private:
  LoopGroup loops_;
};

}  // namespace ajar::app
