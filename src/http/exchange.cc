// The answer's way out: one system call per send or write while the kernel takes it.

#include <charconv>

#include "http/connection.h"

namespace ajar {
namespace {

iovec buffer_of(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

// A head that goes out at once lives here.
std::string& head_scratch() {
  static thread_local std::string text;
  text.clear();
  return text;
}

}  // namespace

Persist HttpConnection::persist() const {
  if (!keep_alive_) return Persist::kClose;
  return parser_.request.minor_version == 0 ? Persist::kKeepAlive : Persist::kDefault;
}

Task<Status> HttpConnection::send(int status, Headers headers, std::string_view body) {
  if (answer_ != Answer::kNone) co_return fail(Code::kInternal, "the exchange was answered twice");
  answer_ = Answer::kDone;
  status_ = status;
  if (owner_.draining) keep_alive_ = false;
  bool headless = has_no_body(status);
  std::string& head = head_scratch();
  append_response_head(head, status, headers, headless ? BodyStyle::kNone : BodyStyle::kLength,
                       body.size(), persist());
  iovec buffers[2] = {buffer_of(head), buffer_of(body)};
  size_t count = headless || head_only_ || body.empty() ? 1 : 2;
  if (count == 2) bytes_written_ = body.size();
  if (auto flushed = flush(std::span(buffers, count))) co_return *std::move(flushed);
  co_return co_await flush_slowly(std::span(buffers, count), 1);
}

Task<Status> HttpConnection::start(int status, Headers headers) {
  if (answer_ != Answer::kNone) co_return fail(Code::kInternal, "the exchange was answered twice");
  answer_ = Answer::kHeadHeld;
  status_ = status;
  if (owner_.draining) keep_alive_ = false;
  bool chunks = parser_.request.minor_version == 1;
  if (!chunks) keep_alive_ = false;  // the end of the connection is the end of the body
  style_ = has_no_body(status) ? BodyStyle::kNone : chunks ? BodyStyle::kChunked : BodyStyle::kUntilClose;
  held_head_.clear();
  append_response_head(held_head_, status, headers, style_, 0, persist());
  if (head_only_) style_ = BodyStyle::kNone;
  co_return Status{};
}

Task<Status> HttpConnection::write(std::string_view bytes) {
  if (answer_ != Answer::kHeadHeld && answer_ != Answer::kStreaming)
    co_return fail(stream_.is_open() ? Code::kInternal : Code::kCancelled, "no answer is being written");
  iovec buffers[4];
  size_t count = 0;
  char size_line[24];
  if (answer_ == Answer::kHeadHeld) {
    buffers[count++] = buffer_of(held_head_);
    answer_ = Answer::kStreaming;
  }
  if (!bytes.empty() && style_ != BodyStyle::kNone) {
    bool chunked = style_ == BodyStyle::kChunked;
    if (chunked) {
      char* end = std::to_chars(size_line, size_line + 16, bytes.size(), 16).ptr;
      *end++ = '\r';
      *end++ = '\n';
      buffers[count++] = buffer_of({size_line, size_t(end - size_line)});
    }
    buffers[count++] = buffer_of(bytes);
    if (chunked) buffers[count++] = buffer_of("\r\n");
    bytes_written_ += bytes.size();
  }
  if (count == 0) co_return stream_.is_open() ? Status{} : fail(Code::kCancelled, "the client has gone");
  if (auto flushed = flush(std::span(buffers, count))) co_return *std::move(flushed);
  co_return co_await flush_slowly(std::span(buffers, count), 0);
}

Task<Status> HttpConnection::finish(std::string_view last) {
  if (answer_ != Answer::kHeadHeld && answer_ != Answer::kStreaming)
    co_return fail(stream_.is_open() ? Code::kInternal : Code::kCancelled, "no answer is being written");
  iovec buffers[5];
  size_t count = 0;
  char size_line[24];
  if (answer_ == Answer::kHeadHeld) buffers[count++] = buffer_of(held_head_);
  answer_ = Answer::kDone;
  bool chunked = style_ == BodyStyle::kChunked;
  if (!last.empty() && style_ != BodyStyle::kNone) {
    if (chunked) {
      char* end = std::to_chars(size_line, size_line + 16, last.size(), 16).ptr;
      *end++ = '\r';
      *end++ = '\n';
      buffers[count++] = buffer_of({size_line, size_t(end - size_line)});
    }
    buffers[count++] = buffer_of(last);
    if (chunked) buffers[count++] = buffer_of("\r\n");
    bytes_written_ += last.size();
  }
  if (chunked) buffers[count++] = buffer_of("0\r\n\r\n");
  if (count == 0) co_return stream_.is_open() ? Status{} : fail(Code::kCancelled, "the client has gone");
  auto flushed = flush(std::span(buffers, count));
  Status status = flushed ? *std::move(flushed) : co_await flush_slowly(std::span(buffers, count), 0);
  if (!status) answer_ = Answer::kCut;
  co_return status;
}

Task<Status> HttpConnection::send_raw(std::string_view bytes) {
  if (answer_ != Answer::kNone) co_return fail(Code::kInternal, "the exchange was answered twice");
  answer_ = Answer::kDone;
  keep_alive_ = false;
  iovec buffer = buffer_of(bytes);
  if (auto flushed = flush(std::span(&buffer, 1))) co_return *flushed;
  co_return co_await flush_slowly(std::span(&buffer, 1), 0);
}

// Writes without suspending; nothing when that did not suffice, and flush_slowly() has to go on.
std::optional<Status> HttpConnection::flush(std::span<const iovec> buffers) {
  size_t total = 0;
  for (const iovec& buffer : buffers) total += buffer.iov_len;
  Io io = stream_.try_write(buffers);
  if (io.bytes == total) return Status{};
  flushed_ = io.bytes;
  if (io.ok() || io.would_block()) return std::nullopt;
  leave();
  return fail(Code::kCancelled, "the client has gone");
}

// The first `held` buffers lie in head_scratch() and must be copied, since others will use it.
Task<Status> HttpConnection::flush_slowly(std::span<iovec> buffers, size_t held) {
  std::string copy;
  if (held == 1) {
    copy.assign(static_cast<char*>(buffers[0].iov_base), buffers[0].iov_len);
    buffers[0] = buffer_of(copy);
  }
  Status status = co_await stream_.write_rest(buffers, flushed_, state_->options.write_timeout);
  if (status) co_return status;
  bool slow = status.error().code == Code::kTimeout;
  leave();
  co_return fail(Code::kCancelled, slow ? "the client takes no bytes" : "the client has gone");
}

HttpRequest& Exchange::request() { return connection_.request(); }
const std::string& Exchange::id() { return connection_.id(); }
std::string Exchange::peer_address() { return connection_.peer_address(); }
CancelToken& Exchange::cancel() { return connection_.cancel(); }
Task<Status> Exchange::send(int status, Headers headers, std::string_view body) {
  return connection_.send(status, std::move(headers), body);
}
Task<Status> Exchange::start(int status, Headers headers) {
  return connection_.start(status, std::move(headers));
}
Task<Status> Exchange::write(std::string_view bytes) { return connection_.write(bytes); }
Task<Status> Exchange::finish(std::string_view last) { return connection_.finish(last); }
Task<Status> Exchange::send_raw(std::string_view bytes) { return connection_.send_raw(bytes); }
void Exchange::abort() { connection_.abort(); }
bool Exchange::started() const { return connection_.started(); }
uint64_t Exchange::bytes_written() const { return connection_.bytes_written(); }
int Exchange::status() const { return connection_.status(); }

}  // namespace ajar
