#include <algorithm>
#include <memory>

#include "http/parser.h"
#include "http/syntax.h"

namespace ajar {
namespace {

constexpr size_t kMaxMethod = 32;
constexpr size_t kFirstReserve = 256 * 1024;  // of a body: memory is given for bytes that came, not for promises

// Hosts that could be read as something else are refused; the full grammar is not checked.
bool plausible_host(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) {
    return c > ' ' && c != 0x7f && c != '/' && c != '\\' && c != '@' && c != '?' && c != '#' && c != ',';
  });
}

}  // namespace

std::unexpected<Error> RequestParser::refuse(int status, Code code, std::string message) {
  http_status_ = status;
  return fail(code, std::move(message));
}

void RequestParser::reset() {
  // Not an assignment: that would keep the strings' memory.
  ParserLimits limits = limits_;
  std::destroy_at(this);
  std::construct_at(this, limits);
}

Result<size_t> RequestParser::feed(std::string_view bytes) {
  size_t used = 0;
  if (!head_done_) {
    if (bytes.empty()) return 0;
    started_ = true;
    auto state = scanner_.feed(bytes, limits_.max_head_bytes, limits_.max_target_bytes + kMaxMethod, used);
    switch (state) {
      case HeadScanner::State::kMore: return used;
      case HeadScanner::State::kComplete: break;
      case HeadScanner::State::kMalformed:
        return refuse(400, Code::kInvalid, "this is not HTTP/1.1: lines must end in CRLF");
      case HeadScanner::State::kLineTooLong:
        return refuse(414, Code::kTooLarge, "the request line is longer than " +
                                                std::to_string(limits_.max_target_bytes) + " bytes");
      case HeadScanner::State::kTooLong:
        return refuse(431, Code::kTooLarge, "the request's head is larger than " +
                                                std::to_string(limits_.max_head_bytes) + " bytes");
    }
    AJAR_TRY(parse_head(scanner_.head()));
    scanner_.reset();
    bytes.remove_prefix(used);
    head_done_ = true;
    done_ = framing_ == Framing::kNone;
    if (framing_ == Framing::kLength) {
      if (content_length_ > limits_.max_body_bytes)
        return refuse(413, Code::kTooLarge, "the body is larger than " +
                                                std::to_string(limits_.max_body_bytes) + " bytes");
      request.body.reserve(std::min<uint64_t>(content_length_, kFirstReserve));
      done_ = content_length_ == 0;
    }
  }
  auto body_used = feed_body(bytes);
  if (!body_used) return body_used;
  return used + *body_used;
}

Result<size_t> RequestParser::feed_body(std::string_view bytes) {
  size_t used = 0;
  if (framing_ == Framing::kLength) {
    used = size_t(std::min<uint64_t>(bytes.size(), content_length_ - body_size_));
    request.body.resize(body_size_);  // room() may have opened space that was not filled
    request.body.append(bytes.substr(0, used));
    body_size_ += used;
    done_ = body_size_ == content_length_;
    return used;
  }
  while (framing_ == Framing::kChunked && !chunks_.done() && used < bytes.size()) {
    auto piece = chunks_.next(bytes.substr(used));
    if (!piece) return refuse(400, piece.error().code, piece.error().message);
    used += piece->consumed;
    if (piece->data.size() > limits_.max_body_bytes - request.body.size())
      return refuse(413, Code::kTooLarge,
                    "the body is larger than " + std::to_string(limits_.max_body_bytes) + " bytes");
    request.body.append(piece->data);
  }
  if (framing_ == Framing::kChunked) done_ = chunks_.done();
  return used;
}

size_t RequestParser::room() {
  if (!head_done_ || done_ || framing_ != Framing::kLength) return 0;
  if (request.body.size() == body_size_) {
    size_t target = std::min<uint64_t>(content_length_, std::max(body_size_ * 2, kFirstReserve));
    request.body.reserve(target);
    // The bytes are about to be overwritten: do not clear them.
    request.body.resize_and_overwrite(target, [](char*, size_t n) { return n; });
  }
  return request.body.size() - body_size_;
}

char* RequestParser::room_data() { return request.body.data() + body_size_; }

void RequestParser::commit(size_t n) {
  body_size_ += n;
  done_ = body_size_ == content_length_;
}

Status RequestParser::parse_head(std::string_view head) {
  size_t line_end = head.find("\r\n");
  AJAR_TRY(parse_request_line(head.substr(0, line_end)));
  request.headers.adopt(head.substr(line_end + 2));
  if (Status fields = parse_fields(request.headers, 0, limits_.max_fields); !fields) {
    int status = fields.error().code == Code::kTooLarge ? 431 : 400;
    return refuse(status, fields.error().code, std::move(fields.error().message));
  }
  return interpret();
}

// request-line = method SP request-target SP HTTP-version   (RFC 9112 section 3)
Status RequestParser::parse_request_line(std::string_view line) {
  size_t first = line.find(' ');
  size_t last = line.rfind(' ');
  if (first == line.npos || first == last || first == 0)
    return refuse(400, Code::kInvalid, "malformed request line");
  std::string_view verb = line.substr(0, first);
  std::string_view target = line.substr(first + 1, last - first - 1);
  std::string_view version = line.substr(last + 1);
  if (!std::all_of(verb.begin(), verb.end(), is_token_char))
    return refuse(400, Code::kInvalid, "malformed method");
  if (verb.size() > kMaxMethod) return refuse(501, Code::kUnsupported, "unknown method");
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) ||
      version[6] != '.' || !is_digit(version[7]))
    return refuse(400, Code::kInvalid, "malformed HTTP version");
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return refuse(505, Code::kUnsupported, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  request.minor_version = version[7] - '0';
  request.method = verb;
  return parse_target(target);
}

// RFC 9112 section 3.2: origin-form, absolute-form, asterisk-form. Authority-form (CONNECT) is not ours.
Status RequestParser::parse_target(std::string_view target) {
  for (char c : target)
    if (c <= ' ' || c == 0x7f || c == '#' || static_cast<unsigned char>(c) >= 0x80)
      return refuse(400, Code::kInvalid, "a forbidden character in the request target");
  if (target.size() > limits_.max_target_bytes)
    return refuse(414, Code::kTooLarge, "the request target is longer than " +
                                            std::to_string(limits_.max_target_bytes) + " bytes");
  if (request.method == "CONNECT") return refuse(501, Code::kUnsupported, "CONNECT is not supported");
  if (target == "*" && request.method == "OPTIONS") {
    request.path = target;
    return {};
  }
  if (!target.starts_with('/')) {
    size_t scheme = target.find("://");
    if (scheme == target.npos ||
        (!iequals(target.substr(0, scheme), "http") && !iequals(target.substr(0, scheme), "https")))
      return refuse(400, Code::kInvalid, "the request target must start with '/'");
    target.remove_prefix(scheme + 3);
    size_t end = std::min(target.find_first_of("/?"), target.size());
    if (end == 0 || !plausible_host(target.substr(0, end)))
      return refuse(400, Code::kInvalid, "malformed host in the request target");
    target.remove_prefix(end);
  }
  size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (request.path.empty()) request.path = "/";
  if (mark != target.npos) request.query = target.substr(mark + 1);
  return {};
}

// What the fields say about framing and the connection (RFC 9112 section 6, RFC 9110 section 7.2).
Status RequestParser::interpret() {
  size_t hosts = 0, codings = 0;
  bool has_length = false, close = false, keep = false;
  std::string_view coding;
  for (auto [name, value] : request.headers) {
    switch (name.size()) {
      case 4:
        if (!iequals(name, "host")) break;
        if (!plausible_host(value)) return refuse(400, Code::kInvalid, "malformed Host header");
        ++hosts;
        break;
      case 6:
        if (iequals(name, "expect")) {
          if (!iequals(value, "100-continue"))
            return refuse(417, Code::kUnsupported, "unknown expectation");
          expects_continue_ = request.minor_version == 1;
        }
        break;
      case 10:
        if (!iequals(name, "connection")) break;
        close |= list_has(value, "close");
        keep |= list_has(value, "keep-alive");
        break;
      case 14:
        if (iequals(name, "content-length")) {
          auto length = parse_length(value);
          if (!length) return refuse(400, Code::kInvalid, "malformed Content-Length");
          if (has_length && *length != content_length_)
            return refuse(400, Code::kInvalid, "Content-Length headers that differ");
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
  if (hosts > 1) return refuse(400, Code::kInvalid, "more than one Host header");
  if (hosts == 0 && request.minor_version == 1) return refuse(400, Code::kInvalid, "missing Host header");
  if (codings > 0) {
    if (request.minor_version == 0)
      return refuse(400, Code::kInvalid, "Transfer-Encoding in an HTTP/1.0 request");
    if (has_length)
      return refuse(400, Code::kInvalid, "both Transfer-Encoding and Content-Length");
    if (codings > 1 || !iequals(coding, "chunked"))
      return refuse(501, Code::kUnsupported, "the only Transfer-Encoding supported is chunked");
  }
  framing_ = codings ? Framing::kChunked : has_length ? Framing::kLength : Framing::kNone;
  keep_alive_ = !close && (request.minor_version == 1 || keep);
  return {};
}

}  // namespace ajar
