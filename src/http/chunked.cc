// Chunked transfer coding, RFC 9112 section 7.1:
//   chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF;  last-chunk = 1*"0" [ chunk-ext ] CRLF;  trailers CRLF
// White space around the size (BWS) is refused: recipients have disagreed about it.

#include <algorithm>

#include "http/parser.h"
#include "http/syntax.h"

namespace ajar {
namespace {

constexpr int kMaxDigits = 15;
constexpr size_t kMaxExtension = 256;

std::unexpected<Error> bad(const char* what) {
  return fail(Code::kInvalid, std::string("malformed chunked body: ") + what);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

// chunk-ext = *( ";" token [ "=" ( token / quoted-string ) ] ), without white space around the signs, in ASCII.
bool ChunkDecoder::take_extension(char c) {
  bool token = is_token_char(c);
  bool ends_part = part_ == Part::kName || part_ == Part::kValue || part_ == Part::kQuoteEnd;
  if (ends_part && c == ';') return part_ = Part::kNameFirst, true;
  if (ends_part && c == '\r') return state_ = State::kSizeLf, true;
  switch (part_) {
    case Part::kNameFirst: return part_ = Part::kName, token;
    case Part::kName:
      if (c == '=') return part_ = Part::kValueFirst, true;
      return token;
    case Part::kValueFirst: return part_ = c == '"' ? Part::kQuoted : Part::kValue, c == '"' || token;
    case Part::kValue: return token;
    case Part::kQuoted:
      if (c == '"') part_ = Part::kQuoteEnd;
      if (c == '\\') part_ = Part::kEscape;
      return is_field_char(c) && c > 0;
    case Part::kEscape: return part_ = Part::kQuoted, is_field_char(c) && c > 0;
    case Part::kQuoteEnd: return false;
  }
  return false;
}

Result<ChunkDecoder::Piece> ChunkDecoder::next(std::string_view in) {
  size_t i = 0;
  for (; i < in.size() && state_ != State::kDone; ++i) {
    char c = in[i];
    switch (state_) {
      case State::kSizeFirst:
      case State::kSize:
        if (int digit = hex_digit(c); digit >= 0) {
          if (++digits_ > kMaxDigits) return bad("the chunk size is too long");
          left_ = left_ * 16 + uint64_t(digit);
          state_ = State::kSize;
        } else if (state_ == State::kSizeFirst) {
          return bad("expected a chunk size");
        } else if (c == ';') {
          state_ = State::kExtension;
          part_ = Part::kNameFirst;
        } else if (c == '\r') {
          state_ = State::kSizeLf;
        } else {
          return bad("unexpected character after the chunk size");
        }
        break;
      case State::kExtension:
        if (++extension_ > kMaxExtension || ++overhead_ > max_overhead_)
          return bad("chunk extensions are too long");
        if (!take_extension(c)) return bad("malformed chunk extension");
        break;
      case State::kSizeLf:
        if (c != '\n') return bad("CR without LF");
        state_ = left_ == 0 ? State::kTrailerFirst : State::kData;
        break;
      case State::kData: {
        size_t take = size_t(std::min<uint64_t>(left_, in.size() - i));
        left_ -= take;
        if (left_ == 0) state_ = State::kDataCr;
        return Piece{i + take, in.substr(i, take)};
      }
      case State::kDataCr:
        if (c != '\r') return bad("the chunk is longer than its size");
        state_ = State::kDataLf;
        break;
      case State::kDataLf:
        if (c != '\n') return bad("CR without LF");
        state_ = State::kSizeFirst;
        digits_ = 0;
        extension_ = 0;
        left_ = 0;
        break;
      case State::kTrailerFirst:
        if (c == '\r') {
          state_ = State::kEndLf;
          break;
        }
        state_ = State::kTrailerName;
        if (c == ':') return bad("a trailer without a name");
        [[fallthrough]];
      case State::kTrailerName:
        if (++overhead_ > max_overhead_) return bad("trailers are too long");
        if (c == ':') {
          state_ = State::kTrailerValue;
        } else if (!is_token_char(c)) {
          return bad("malformed trailer");
        }
        break;
      case State::kTrailerValue:
        if (c == '\r') {
          state_ = State::kTrailerLf;
        } else if (!is_field_char(c)) {
          return bad("control character in a trailer");
        } else if (++overhead_ > max_overhead_) {
          return bad("trailers are too long");
        }
        break;
      case State::kTrailerLf:
        if (c != '\n') return bad("CR without LF");
        state_ = State::kTrailerFirst;
        break;
      case State::kEndLf:
        if (c != '\n') return bad("CR without LF");
        state_ = State::kDone;
        break;
      case State::kDone: break;
    }
  }
  return Piece{i, {}};
}

}  // namespace ajar
