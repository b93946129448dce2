#pragma once
// What the heads of requests and responses have in common. Inside http only.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/headers.h"

namespace ajar {

// Gathers a head that arrives in pieces. Every line must end in CRLF; the head ends with an empty line.
class HeadScanner {
 public:
  enum class State : uint8_t { kMore, kComplete, kMalformed, kLineTooLong, kTooLong };

  // On kComplete head() is the start line and the fields, each with its CRLF, without the empty line; it points
  // into `bytes` or into this object. `consumed` counts bytes of this call's input.
  State feed(std::string_view bytes, size_t max_head, size_t max_first_line, size_t& consumed);
  std::string_view head() const { return head_; }
  void reset();  // gives the memory away

 private:
  enum class Lead : uint8_t { kNone, kCr, kOver };
  std::string partial_;
  std::string_view head_;
  size_t line_start_ = 0;
  size_t scanned_ = 0;
  Lead lead_ = Lead::kNone;
};

// Parses the field lines of a head into `headers`, which must have adopted it; `from` is the offset of the first.
Status parse_fields(Headers& headers, size_t from, size_t max_fields);

}  // namespace ajar
