#pragma once
// What one request carries beside its words: who asks, until when, whether it still matters, and what it cost so
// far. Made by `api`, passed by reference down the line, stored nowhere. Confined to the request's loop.

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/cancel.h"

namespace ajar {

struct Caller {
  std::string key_id;    // empty: the server runs open, without keys
  std::string key_name;
  std::string team;      // empty: none
};

struct Context {
  std::string id;                    // "req-…", in the response header, the log and the call row
  std::string_view endpoint = "chat";  // in the call row; a literal
  Caller caller;
  TimePoint started = now();         // the request's first byte was there
  TimePoint deadline = kNever;       // of the whole request
  CancelToken* cancel = nullptr;  // fires when the client leaves; never null on the request line
  int64_t input_estimate = 0;        // tokens; known once the request is admitted
  // What the target of the latest attempt cannot express and was left out of the request ("top_k").
  std::vector<std::string> dropped;
  std::string data_class;            // privacy class of the data as the client states it; the gateway may raise it
  // Whether this client wants to be given kept answers, and its own to be kept.
  bool cache_read = true, cache_write = true;
  std::vector<std::string> cache_tags;  // that its answer is kept under
  // Set by providers that know how likely they are right, before the reply's end: 0 to 1.
  std::optional<double> confidence;
  bool asked = false;                // the latest attempt's provider has the whole request and may be working on it

  // Time spent waiting for upstreams; the rest of the wall time is ours (ajar_overhead_seconds).
  std::chrono::nanoseconds upstream_wait{0};

  void waited_since(TimePoint from) { upstream_wait += now() - from; }
  bool cancelled() const { return cancel != nullptr && cancel->cancelled(); }
};

}  // namespace ajar
