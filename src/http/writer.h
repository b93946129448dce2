#pragma once
// Heads as bytes. Fields with control characters are left out rather than written.

#include <cstdint>
#include <string>
#include <string_view>

#include "http/headers.h"

namespace ajar {

std::string_view reason_phrase(int status);  // empty for an unknown one
std::string_view http_date();                // now, RFC 9110 section 5.6.7; valid until the next call on this thread

enum class BodyStyle : uint8_t { kNone, kLength, kChunked, kUntilClose };
enum class Persist : uint8_t { kDefault, kClose, kKeepAlive };  // what the connection header says

void append_response_head(std::string& out, int status, const Headers& headers, BodyStyle style,
                          uint64_t length, Persist persist);
// `target` and `host` as they go on the line; `extra` is a complete field line or empty.
void append_request_head(std::string& out, std::string_view method, std::string_view target,
                         std::string_view host, const Headers& headers, std::string_view extra,
                         uint64_t length);
void append_number(std::string& out, uint64_t n);

}  // namespace ajar
