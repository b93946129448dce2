#include "http/writer.h"

#include <charconv>
#include <ctime>

#include "http/syntax.h"

namespace ajar {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "";
  }
}

std::string_view http_date() {
  static thread_local char text[32];
  static thread_local time_t made = -1;
  time_t seconds = time(nullptr);
  if (seconds != made) {
    tm utc{};
    gmtime_r(&seconds, &utc);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    made = seconds;
  }
  return text;
}

void append_number(std::string& out, uint64_t n) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, n).ptr);
}

namespace {

void append_fields(std::string& out, const Headers& headers) {
  for (auto [name, value] : headers) {
    if (!Headers::valid_name(name) || !Headers::valid_value(value)) continue;
    out.append(name).append(": ").append(value).append("\r\n");
  }
}

}  // namespace

void append_response_head(std::string& out, int status, const Headers& headers, BodyStyle style,
                          uint64_t length, Persist persist) {
  out.append("HTTP/1.1 ");
  append_number(out, uint64_t(status));
  out.append(" ").append(reason_phrase(status)).append("\r\ndate: ").append(http_date()).append("\r\n");
  append_fields(out, headers);
  if (style == BodyStyle::kLength) {
    out.append("content-length: ");
    append_number(out, length);
    out.append("\r\n");
  } else if (style == BodyStyle::kChunked) {
    out.append("transfer-encoding: chunked\r\n");
  }
  if (persist == Persist::kClose) out.append("connection: close\r\n");
  if (persist == Persist::kKeepAlive) out.append("connection: keep-alive\r\n");
  out.append("\r\n");
}

void append_request_head(std::string& out, std::string_view method, std::string_view target,
                         std::string_view host, const Headers& headers, std::string_view extra,
                         uint64_t length) {
  out.append(method).append(" ").append(target).append(" HTTP/1.1\r\nhost: ").append(host).append("\r\n");
  append_fields(out, headers);
  out.append(extra);
  if (length > 0 || (method != "GET" && method != "HEAD")) {
    out.append("content-length: ");
    append_number(out, length);
    out.append("\r\n");
  }
  out.append("\r\n");
}

}  // namespace ajar
