// The life of one connection: read a request, run the handler, again.

#include "http/connection.h"

#include <poll.h>

#include <algorithm>
#include <cstdio>

#include "base/random.h"
#include "base/text.h"

namespace ajar {
namespace {

constexpr size_t kMaxPipelined = 64 * 1024;
constexpr auto kPollInterval = std::chrono::milliseconds(25);
constexpr auto kLinger = std::chrono::seconds(2);
constexpr size_t kDirectRead = 16 * 1024;  // a body with more than this to come is read into its place

ParserLimits limits_of(const ServerOptions& options) {
  return {.max_head_bytes = options.max_head_bytes,
          .max_target_bytes = std::min<size_t>(8 * 1024, options.max_head_bytes),
          .max_body_bytes = options.max_body_bytes};
}

Error make_error(Code code, std::string message) {
  return Error{.code = code, .message = std::move(message)};
}

}  // namespace

HttpConnection::HttpConnection(std::shared_ptr<ServerState> state, ServerLoop& owner, Stream stream)
    : state_(std::move(state)),
      owner_(owner),
      stream_(std::move(stream)),
      parser_(limits_of(state_->options)) {
  next_ = owner_.first;
  if (next_) next_->prev_ = this;
  owner_.first = this;
}

HttpConnection::~HttpConnection() {
  if (next_) next_->prev_ = prev_;
  (prev_ ? prev_->next_ : owner_.first) = next_;
  if (state_->connections.fetch_sub(1) == 1) {
    std::lock_guard lock(state_->mutex);
    state_->gone.notify_all();
  }
}

Task<> HttpConnection::run(std::shared_ptr<ServerState> state, ServerLoop& owner, Stream stream,
                           Admission admission) {
  HttpConnection connection(std::move(state), owner, std::move(stream));
  if (admission == Admission::kRefuse) {
    co_await connection.refuse(503, make_error(Code::kUnavailable, "too many connections"));
  } else {
    co_await connection.serve();
  }
}

Task<> HttpConnection::serve() {
  for (bool first = true;; first = false) {
    if (co_await read_request(first) == Read::kEnd) co_return;
    co_await answer();
    if (!keep_alive_ || !stream_.is_open()) co_return;
  }
}

// Reads until one request is complete. Bytes pass through the loop's shared buffer, so that a connection owns none
// while it waits; a large body is read into its place.
Task<HttpConnection::Read> HttpConnection::read_request(bool first) {
  parser_.reset();
  body_received_ = 0;
  const ServerOptions& options = state_->options;
  TimePoint idle_deadline = after(first ? options.header_timeout : options.idle_timeout);
  TimePoint head_deadline = kNever, body_start = kNever;
  Status status;
  if (!pending_.empty()) {
    std::string bytes = std::move(pending_);
    pending_.clear();
    status = take(bytes);
  }
  // A new connection has usually sent its request already; a kept one usually has not.
  bool wait_first = !first || parser_.started();
  while (status && !parser_.done()) {
    if (parser_.started() && head_deadline == kNever) head_deadline = after(options.header_timeout);
    if (parser_.head_done() && body_start == kNever) {
      body_start = now();
      if (parser_.expects_continue() && body_received_ == 0) {
        static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        iovec buffer{const_cast<char*>(kContinue.data()), kContinue.size()};
        if (stream_.try_write({&buffer, 1}).bytes != kContinue.size()) co_return Read::kEnd;
      }
    }
    if (wait_first) {
      idle_ = !parser_.started();
      if (idle_ && owner_.draining) co_return Read::kEnd;
      Wake wake = co_await stream_.readable(
          idle_ ? idle_deadline : read_deadline(head_deadline, body_start));
      idle_ = false;
      if (wake == Wake::kClosed) co_return Read::kEnd;
      if (wake == Wake::kTimeout) {
        if (parser_.started())
          co_await refuse(408, make_error(Code::kTimeout, "the request came too slowly"));
        co_return Read::kEnd;
      }
    }
    Io io;
    bool direct = parser_.head_done() && parser_.framing() == Framing::kLength &&
                  parser_.content_length() - body_received_ > kDirectRead;
    if (direct) {
      size_t room = parser_.room();
      io = stream_.try_read({parser_.room_data(), room});
      parser_.commit(io.bytes);
      body_received_ += io.bytes;
      wait_first = io.bytes < room;
    } else {
      io = stream_.try_read({owner_.loop.scratch(), Loop::kScratch});
      if (io.ok()) status = take({owner_.loop.scratch(), io.bytes});
      wait_first = io.bytes < Loop::kScratch;
    }
    if (!io.ok() && !io.would_block()) co_return Read::kEnd;
  }
  if (!status) {
    co_await refuse(parser_.http_status(), std::move(status.error()));
    co_return Read::kEnd;
  }
  co_return Read::kRequest;
}

// Feeds the parser and keeps what belongs to the next request.
Status HttpConnection::take(std::string_view bytes) {
  auto used = parser_.feed(bytes);
  if (!used) return std::unexpected(std::move(used.error()));
  if (parser_.head_done()) body_received_ = parser_.request.body.size();
  if (*used < bytes.size()) pending_.assign(bytes.substr(*used));
  return {};
}

TimePoint HttpConnection::read_deadline(TimePoint head_deadline, TimePoint body_start) const {
  if (body_start == kNever) return head_deadline;
  const ServerOptions& options = state_->options;
  TimePoint slowest = kNever;
  if (options.body_min_rate > 0)
    slowest = body_start + options.body_gap_timeout +
              Millis(1000 * body_received_ / options.body_min_rate);
  return std::min(after(options.body_gap_timeout), slowest);
}

Task<> HttpConnection::answer() {
  token_.emplace();
  id_.clear();
  answer_ = Answer::kNone;
  status_ = 0;
  bytes_written_ = 0;
  head_only_ = parser_.request.method == "HEAD";
  keep_alive_ = parser_.keep_alive() && !owner_.draining;
  stream_.watch(this);
  Exchange exchange(*this);
  bool threw = false;
  try {
    co_await state_->handler(exchange);
  } catch (const std::exception& e) {
    threw = true;
    std::fprintf(stderr, "ajar: exception in an HTTP handler: %s\n", e.what());
  }
  stream_.watch(nullptr);
  poll_.disarm();
  if (answer_ == Answer::kNone && stream_.is_open()) {
    keep_alive_ &= !threw;
    co_await answer_error(500, make_error(Code::kInternal, "no answer was given"));
  }
  if (answer_ != Answer::kDone) abort();
  token_.reset();
  parser_.reset();  // frees the body before the connection idles
  std::string().swap(held_head_);
}

Task<> HttpConnection::answer_error(int status, Error error) {
  ErrorBody body;
  if (state_->options.error_body) {
    body = state_->options.error_body(error, parser_.request.path);
  } else {
    body.body = R"({"error":{"message":")";
    for (char c : error.message) {
      if (c == '"' || c == '\\') body.body += '\\';
      if (static_cast<unsigned char>(c) >= 0x20) body.body += c;
    }
    body.body.append(R"(","code":")").append(code_name(error.code)).append(R"("}})");
  }
  Headers headers;
  headers.add("content-type", body.content_type);
  (void)co_await send(status, std::move(headers), body.body);
}

// The client may still be sending: closing at once would reset the connection and could destroy the answer on its
// way (RFC 9112 section 9.6). So end our side, and read on for a while.
Task<> HttpConnection::refuse(int status, Error error) {
  keep_alive_ = false;
  answer_ = Answer::kNone;
  token_.emplace();
  co_await answer_error(status, std::move(error));
  stream_.shutdown_write();
  TimePoint deadline = now() + kLinger;
  while (now() < deadline && !owner_.draining) {
    Io io = stream_.try_read({owner_.loop.scratch(), Loop::kScratch});
    if (io.ok()) continue;
    if (!io.would_block() || co_await stream_.readable(deadline) != Wake::kReady) break;
  }
  stream_.close();
}

// While the handler runs: the client's end, or bytes of its next requests.
void HttpConnection::on_readable() {
  Io io = stream_.try_read({owner_.loop.scratch(), Loop::kScratch});
  if (io.ok()) pending_.append(owner_.loop.scratch(), io.bytes);
  if (!io.ok() && !io.would_block()) return leave();
  if (pending_.size() < kMaxPipelined) return stream_.watch(this);
  poll_.arm(owner_.loop.deadlines(), now() + kPollInterval);
}

void HttpConnection::poll_hangup() {
  pollfd entry{.fd = stream_.fd(), .events = POLLRDHUP, .revents = 0};
  if (entry.fd < 0) return;
  if (::poll(&entry, 1, 0) > 0) return leave();
  poll_.arm(owner_.loop.deadlines(), now() + kPollInterval);
}

// The client has gone (or has to go).
void HttpConnection::leave() {
  if (peer_.empty() && token_) peer_ = stream_.peer_address();
  stream_.close();
  if (token_) token_->cancel();
}

void HttpConnection::abort() {
  if (answer_ != Answer::kDone) answer_ = Answer::kCut;
  keep_alive_ = false;
  stream_.close();
}

const std::string& HttpConnection::id() {
  if (id_.empty()) id_ = new_id("req_");
  return id_;
}

}  // namespace ajar
