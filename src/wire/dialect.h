#pragma once
// A dialect is one API's words: requests and replies, bytes on one side and our types on the other. No I/O: bytes
// come in, values go out. One folder per dialect; none knows another.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "core/event.h"
#include "core/reply.h"
#include "core/request.h"

namespace ajar::wire {

// What a writer needs to know of the target beyond the request: facts, not policy.
struct TargetInfo {
  std::string model;          // the upstream's own model name
  std::string preset;         // "openai", "azure", "vllm", "mistral", ...: small differences of one dialect
  std::string base_path;      // path prefix of the base URL, "/v1", without a trailing slash
  std::string api_version;    // Azure's query parameter, Anthropic's header; empty: the dialect's default
  bool keep_unknown = true;   // pass unknown fields on (same dialect); false drops them
  int64_t default_max_tokens = 0;  // where the dialect demands a limit and the client gave none; 0: the
                                   // dialect's own default
};

// An upstream HTTP request less its credentials, which the provider adds.
struct WireRequest {
  std::string path;  // path and query
  std::vector<std::pair<std::string, std::string>> headers;  // beyond content-type
  std::string body;
  std::vector<std::string> dropped;  // what the target cannot express and may lawfully be left out ("seed")
};

// Upstream bytes to events. One object per reply; not shared between threads.
class ReplyDecoder {
 public:
  virtual ~ReplyDecoder() = default;
  // One frame of a stream (wire/framer.h): its name, which may be empty, and its data. Appends to `out`. An in-band
  // error becomes an Error with what the provider said (kUpstream, kRateLimit, ...); unreadable data is kUpstream
  // naming the cause.
  virtual Status on_event(std::string_view name, std::string_view data, EventBatch& out) = 0;
  // A whole, non-streamed body (HTTP 200). An error object inside a 200 is an Error.
  virtual Status on_body(std::string_view body, EventBatch& out) = 0;
  // The stream's bytes have ended properly. kCut when the reply itself had not: no terminal mark was seen.
  virtual Status on_end(EventBatch& out) = 0;
  // True once the dialect's terminal mark was seen; later bytes may be ignored.
  virtual bool done() const = 0;
};

// Events to client bytes. One object per reply.
class ReplyEncoder {
 public:
  virtual ~ReplyEncoder() = default;
  // Appends the bytes of a stream for these events (SSE frames). Never fails.
  virtual void encode(const EventBatch& events, std::string& out) = 0;
  // Appends the end of the stream: the dialect's proper end for kComplete, otherwise an in-band error and no
  // proper end. `error` is set for every end but kComplete.
  virtual void finish(StreamEnd end, const Error* error, std::string& out) = 0;
};

// What a client wants of the reply; kept from the request so that the request itself may go.
struct ReplyOptions {
  DialectId dialect = DialectId::kOpenAiChat;  // of the client
  bool include_usage = false;
  std::string model;   // shown where the provider names none
  bool legacy_functions = false;  // Request::legacy_functions
  std::string id;      // the call's, "req-…": where the dialect wants an id and the provider gave none
  int64_t input_estimate = 0;     // tokens: for dialects that show the input's size before the provider tells it
};

// JSON error body in the dialect's form. `request_id` goes where the dialect has a place for it. The HTTP status
// is api's decision and is passed in because some dialects repeat it in the body.
using WriteError = std::string (*)(const Error& error, int http_status, std::string_view request_id);

// The client's side of a chat dialect as one row of functions. Static: one per dialect and stream form.
struct Front {
  DialectId id;
  std::string_view endpoint;     // in call rows and metrics: "chat", "messages", ...
  std::string_view stream_type;  // the content type of a streamed answer
  std::string_view id_header;    // where the dialect's clients look for the request's id, beside x-request-id; may be empty
  // What the URL says (Gemini's model and whether to stream) is set on the request by the caller.
  Result<Request> (*read_request)(std::string_view body);
  std::unique_ptr<ReplyEncoder> (*new_encoder)(ReplyOptions options);
  std::string (*write_reply)(const Reply& reply, const ReplyOptions& options);
  WriteError write_error;
};

}  // namespace ajar::wire
