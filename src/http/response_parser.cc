#include "http/parser.h"
#include "http/syntax.h"

namespace ajar {
namespace {

constexpr int kMaxInterim = 16;

std::unexpected<Error> bad(std::string what) {
  return fail(Code::kUpstream, "malformed HTTP response: " + std::move(what));
}

}  // namespace

void ResponseParser::reset(bool to_head) {
  size_t max_head = limits_.max_head_bytes;
  *this = ResponseParser(max_head);
  to_head_ = to_head;
}

Result<size_t> ResponseParser::feed(std::string_view bytes) {
  size_t total = 0;
  while (!done_ && total < bytes.size()) {
    started_ = true;
    size_t used = 0;
    switch (scanner_.feed(bytes.substr(total), limits_.max_head_bytes, limits_.max_head_bytes, used)) {
      case HeadScanner::State::kMore: return total + used;
      case HeadScanner::State::kComplete: break;
      case HeadScanner::State::kMalformed: return bad("lines must end in CRLF");
      case HeadScanner::State::kLineTooLong:
      case HeadScanner::State::kTooLong:
        return bad("the head is larger than " + std::to_string(limits_.max_head_bytes) + " bytes");
    }
    AJAR_TRY(parse_head(scanner_.head()));
    scanner_.reset();
    total += used;
    if (status >= 200) {
      done_ = true;
    } else if (status == 101) {
      return bad("101 without a request for it");
    } else if (++interim_ > kMaxInterim) {
      return bad("too many 1xx answers");
    }
  }
  return total;
}

// status-line = HTTP-version SP status-code SP [ reason-phrase ]   (RFC 9112 section 4)
Status ResponseParser::parse_head(std::string_view head) {
  size_t line_end = head.find("\r\n");
  std::string_view line = head.substr(0, line_end);
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || (line[7] != '1' && line[7] != '0') ||
      line[8] != ' ' || !is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11]) ||
      (line.size() > 12 && line[12] != ' '))
    return bad("status line");
  for (char c : line)
    if (!is_field_char(c)) return bad("control character in the status line");
  minor_version = line[7] - '0';
  status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  if (status < 100 || status > 599) return bad("status " + std::to_string(status));
  headers.adopt(head.substr(line_end + 2));
  if (Status fields = parse_fields(headers, 0, limits_.max_fields); !fields)
    return bad(fields.error().message);

  // RFC 9112 section 6.3.
  size_t codings = 0;
  bool has_length = false, close = false, keep = false;
  std::string_view coding;
  for (auto [name, value] : headers) {
    switch (name.size()) {
      case 10:
        if (!iequals(name, "connection")) break;
        close |= list_has(value, "close");
        keep |= list_has(value, "keep-alive");
        break;
      case 14:
        if (iequals(name, "content-length")) {
          auto length = parse_length(value);
          if (!length) return bad("Content-Length");
          if (has_length && *length != content_length_) return bad("Content-Lengths that differ");
          has_length = true;
          content_length_ = *length;
        }
        break;
      case 17:
        if (!iequals(name, "transfer-encoding")) break;
        ++codings;
        coding = value;
        break;
      default: break;
    }
  }
  if (codings > 0) {
    if (has_length) return bad("both Transfer-Encoding and Content-Length");
    if (codings > 1 || !iequals(coding, "chunked") || minor_version == 0)
      return bad("Transfer-Encoding");
  }
  bool no_body = to_head_ || status < 200 || status == 204 || status == 304;
  framing_ = no_body                                  ? Framing::kNone
             : codings                                ? Framing::kChunked
             : has_length && content_length_ == 0     ? Framing::kNone
             : has_length                             ? Framing::kLength
                                                      : Framing::kUntilClose;
  keep_alive_ = !close && (minor_version == 1 || keep) && framing_ != Framing::kUntilClose;
  if (status < 200) content_length_ = 0;
  return {};
}

}  // namespace ajar
