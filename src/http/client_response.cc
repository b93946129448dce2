#include <algorithm>
#include <cstring>

#include "http/client_impl.h"

namespace ajar {

Error ClientResponse::State::connection_error(const Io& io) const {
  if (token.cancelled() || !stream.is_open()) return {.code = Code::kCancelled, .message = "cancelled"};
  std::string what = "the upstream closed the connection";
  if (io.kind == Io::Kind::kFailed) what = "the connection to the upstream failed: " + errno_text(io.error);
  return {.code = Code::kCut, .message = what};
}

Io ClientResponse::State::fill() {
  if (!buffer) buffer = client.take_buffer();
  Io io = stream.try_read({buffer.get(), Client::Impl::kBuffer});
  begin = 0;
  end = io.bytes;
  // A short read has emptied the socket; TLS may hold more.
  maybe_more = io.bytes == Client::Impl::kBuffer || (io.ok() && stream.is_tls());
  return io;
}

Task<Status> ClientResponse::State::read_head(TimePoint deadline) {
  maybe_more = false;  // the upstream needs a moment
  while (!parser.done()) {
    if (!maybe_more) {
      Wake wake = co_await stream.readable(deadline);
      if (wake == Wake::kTimeout)
        co_return fail(Code::kTimeout, parser.started() ? "the answer's head did not end in time"
                                                        : "no answer in time");
      if (wake == Wake::kClosed) co_return fail(Code::kCancelled, "cancelled");
    }
    Io io = fill();
    if (io.would_block()) continue;
    if (!io.ok()) co_return std::unexpected(connection_error(io));
    auto used = parser.feed({buffer.get(), end});
    if (!used) co_return std::unexpected(std::move(used.error()));
    begin = *used;
  }
  begin_body();
  co_return Status{};
}

void ClientResponse::State::begin_body() {
  left = parser.content_length();
  if (parser.framing() == Framing::kNone) end_body();
}

// The connection is free as soon as the last byte is in, before the caller has taken it.
void ClientResponse::State::end_body() {
  if (done) return;
  done = true;
  hook.reset();
  if (parser.keep_alive() && reusable && begin == end) pool.put(std::move(stream));
  stream = Stream();
}

Result<std::string_view> ClientResponse::State::decode() {
  char* bytes = buffer.get();
  switch (parser.framing()) {
    case Framing::kNone: return "";
    case Framing::kUntilClose: {
      std::string_view data(bytes + begin, end - begin);
      begin = end;
      return data;
    }
    case Framing::kLength: {
      size_t take = size_t(std::min<uint64_t>(left, end - begin));
      std::string_view data(bytes + begin, take);
      begin += take;
      left -= take;
      if (left == 0) end_body();
      return data;
    }
    case Framing::kChunked: break;
  }
  // Chunks are moved together, so that one read gives one view.
  char* out = nullptr;
  size_t size = 0;
  while (begin < end && !chunks.done()) {
    auto piece = chunks.next({bytes + begin, end - begin});
    if (!piece) return fail(Code::kUpstream, std::move(piece.error().message));
    begin += piece->consumed;
    if (piece->data.empty()) continue;
    if (!out) {
      out = bytes + (piece->data.data() - bytes);
    } else {
      std::memmove(out + size, piece->data.data(), piece->data.size());
    }
    size += piece->data.size();
  }
  if (chunks.done()) end_body();
  return std::string_view(out, size);
}

ClientResponse::ClientResponse(std::unique_ptr<State> state) : state_(std::move(state)) {}
ClientResponse::ClientResponse(ClientResponse&&) noexcept = default;
ClientResponse& ClientResponse::operator=(ClientResponse&&) noexcept = default;
ClientResponse::~ClientResponse() = default;

int ClientResponse::status() const { return state_->parser.status; }
const Headers& ClientResponse::headers() const { return state_->parser.headers; }
bool ClientResponse::reused() const { return state_->reused; }

std::optional<Result<std::string_view>> ClientResponse::try_read() {
  State& s = *state_;
  for (;;) {
    if (s.begin < s.end && !s.done) {
      auto data = s.decode();
      if (!data || !data->empty()) return data;
    }
    if (s.done) return std::string_view();
    if (!s.maybe_more) {
      if (s.stream.is_open()) return std::nullopt;
      return std::unexpected(s.connection_error({}));
    }
    Io io = s.fill();
    if (io.ok()) continue;
    if (io.would_block()) return std::nullopt;
    if (io.kind == Io::Kind::kEnd && s.parser.framing() == Framing::kUntilClose) {
      s.end_body();
      continue;
    }
    s.maybe_more = true;  // so that the next read says the same
    return std::unexpected(s.connection_error(io));
  }
}

Task<Result<std::string_view>> ClientResponse::read(TimePoint deadline) {
  for (;;) {
    if (auto got = try_read()) co_return *std::move(got);
    switch (co_await state_->stream.readable(deadline)) {
      case Wake::kReady: state_->maybe_more = true; break;
      case Wake::kTimeout: co_return fail(Code::kTimeout, "the upstream fell silent");
      case Wake::kClosed: co_return fail(Code::kCancelled, "cancelled");
    }
  }
}

Task<Result<std::string>> ClientResponse::read_all(TimePoint deadline, size_t limit) {
  std::string all;
  for (;;) {
    auto got = try_read();
    if (!got) got = co_await read(deadline);
    if (!*got) co_return std::unexpected(std::move(got->error()));
    if ((*got)->empty()) co_return all;
    if (all.empty() && state_->parser.framing() == Framing::kLength)
      all.reserve(std::min<uint64_t>(state_->parser.content_length(), std::min(limit, size_t(1) << 20)));
    if ((*got)->size() > limit - all.size())
      co_return fail(Code::kUpstream, "the answer is larger than " + std::to_string(limit) + " bytes");
    all.append(**got);
  }
}

}  // namespace ajar
