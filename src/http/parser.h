#pragma once
// Incremental HTTP/1.x parsing, RFC 9112, strict: whatever two implementations might read differently is refused.
// Refused: bare CR or LF, obs-fold, space before ':', control characters, a missing or repeated Host in HTTP/1.1,
// any Transfer-Encoding but `chunked`, Transfer-Encoding with Content-Length or in HTTP/1.0, Content-Length that
// differs or is not a plain number, long chunk extensions, whatever exceeds a limit.
// Pure: bytes in, values out. The result does not depend on how the bytes were split.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/head.h"
#include "http/headers.h"
#include "http/request.h"

namespace ajar {

struct ParserLimits {
  size_t max_head_bytes = 32 * 1024;
  size_t max_target_bytes = 8 * 1024;
  size_t max_fields = 128;
  size_t max_body_bytes = 32 * 1024 * 1024;
};

// What ends the body.
enum class Framing : uint8_t { kNone, kLength, kChunked, kUntilClose };

// Chunked transfer coding (RFC 9112 section 7.1), one piece at a time.
class ChunkDecoder {
 public:
  struct Piece {
    size_t consumed = 0;    // bytes of the input used up, the piece included
    std::string_view data;  // a part of the input; may be empty
  };
  explicit ChunkDecoder(size_t max_overhead = 16 * 1024) : max_overhead_(max_overhead) {}

  // Consumes up to and including the next run of data, or all input. Nothing is consumed once done().
  Result<Piece> next(std::string_view in);
  bool done() const { return state_ == State::kDone; }
  void reset() { *this = ChunkDecoder(max_overhead_); }

 private:
  enum class State : uint8_t {
    kSizeFirst, kSize, kExtension, kSizeLf, kData, kDataCr, kDataLf,
    kTrailerFirst, kTrailerName, kTrailerValue, kTrailerLf, kEndLf, kDone
  };
  enum class Part : uint8_t { kNameFirst, kName, kValueFirst, kValue, kQuoted, kEscape, kQuoteEnd };

  bool take_extension(char c);

  State state_ = State::kSizeFirst;
  Part part_ = Part::kNameFirst;  // of an extension
  int digits_ = 0;
  uint64_t left_ = 0;        // of the current chunk
  size_t extension_ = 0;     // bytes of this chunk's extensions
  size_t overhead_ = 0;      // bytes of extensions and trailers of the whole body
  size_t max_overhead_;
};

// feed() until done(), take `request`, reset().
class RequestParser {
 public:
  explicit RequestParser(const ParserLimits& limits = {}) : limits_(limits) {}

  // Consumes bytes of this request only; returns how many. The head may be complete before the body.
  // After an error, http_status() says what to answer, and the connection is unusable.
  Result<size_t> feed(std::string_view bytes);

  bool started() const { return started_; }      // a byte of the request was seen
  bool head_done() const { return head_done_; }
  bool done() const { return done_; }
  void reset();  // for the next request; gives the memory of this one away

  HttpRequest request;

  Framing framing() const { return framing_; }
  uint64_t content_length() const { return content_length_; }
  bool keep_alive() const { return keep_alive_; }
  bool expects_continue() const { return expects_continue_; }
  int http_status() const { return http_status_; }

  // For a body with a length: reads may go straight into its place. room() > 0 bytes are at room_data(); commit(n).
  size_t room();
  char* room_data();
  void commit(size_t n);

 private:
  std::unexpected<Error> refuse(int status, Code code, std::string message);
  Status parse_head(std::string_view head);
  Status parse_request_line(std::string_view line);
  Status parse_target(std::string_view target);
  Status interpret();
  Result<size_t> feed_body(std::string_view bytes);

  ParserLimits limits_;
  HeadScanner scanner_;
  bool started_ = false;
  bool head_done_ = false;
  bool done_ = false;
  bool keep_alive_ = true;
  bool expects_continue_ = false;
  Framing framing_ = Framing::kNone;
  uint64_t content_length_ = 0;
  size_t body_size_ = 0;  // received, of a body with a length
  ChunkDecoder chunks_;
  int http_status_ = 400;
};

// The head of a response; its body is framed by framing() and the reader's business.
class ResponseParser {
 public:
  explicit ResponseParser(size_t max_head_bytes = 64 * 1024) { limits_.max_head_bytes = max_head_bytes; }

  // `to_head`: the request was HEAD, so there is no body. Consumes the head only, also of 1xx answers, which
  // are skipped. kUpstream when it is malformed.
  Result<size_t> feed(std::string_view bytes);
  bool started() const { return started_; }
  bool done() const { return done_; }
  void reset(bool to_head);

  int status = 0;
  int minor_version = 1;
  Headers headers;
  Framing framing() const { return framing_; }
  uint64_t content_length() const { return content_length_; }
  bool keep_alive() const { return keep_alive_; }

 private:
  Status parse_head(std::string_view head);

  ParserLimits limits_;
  HeadScanner scanner_;
  bool started_ = false;
  bool done_ = false;
  bool to_head_ = false;
  bool keep_alive_ = true;
  int interim_ = 0;
  Framing framing_ = Framing::kNone;
  uint64_t content_length_ = 0;
};

}  // namespace ajar
