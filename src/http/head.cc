#include "http/head.h"

#include "http/syntax.h"

namespace ajar {

HeadScanner::State HeadScanner::feed(std::string_view bytes, size_t max_head, size_t max_first_line,
                                     size_t& consumed) {
  // RFC 9112 section 2.2: one empty line before the start line is ignored.
  consumed = 0;
  for (; lead_ != Lead::kOver && consumed < bytes.size(); ) {
    char c = bytes[consumed];
    if (lead_ == Lead::kNone && c != '\r') {
      lead_ = Lead::kOver;
      break;
    }
    if (lead_ == Lead::kCr && c != '\n') return State::kMalformed;
    lead_ = lead_ == Lead::kNone ? Lead::kCr : Lead::kOver;
    ++consumed;
  }
  bytes.remove_prefix(consumed);
  if (bytes.empty()) return State::kMore;

  // Lines are looked for in place, unless earlier bytes are kept.
  size_t before = partial_.size();
  std::string_view all = bytes;
  if (before > 0) {
    partial_.append(bytes.substr(0, max_head + 1 - before));
    all = partial_;
  }
  if (!is_token_char(all[0])) return State::kMalformed;
  for (;;) {
    size_t lf = all.find('\n', scanned_);
    size_t line_end = lf == all.npos ? all.size() : lf;  // or later
    if (line_start_ == 0 && line_end > max_first_line + 1) return State::kLineTooLong;
    if (line_end >= max_head) return State::kTooLong;
    if (lf == all.npos) break;
    if (lf == 0 || all[lf - 1] != '\r') return State::kMalformed;
    scanned_ = lf + 1;
    if (lf - 1 == line_start_) {
      head_ = all.substr(0, line_start_);
      consumed += scanned_ - before;
      return State::kComplete;
    }
    line_start_ = scanned_;
  }
  scanned_ = all.size();
  if (before == 0) partial_.assign(bytes);
  consumed += bytes.size();
  return State::kMore;
}

void HeadScanner::reset() {
  std::string().swap(partial_);
  head_ = {};
  line_start_ = scanned_ = 0;
  lead_ = Lead::kNone;
}

// field-line = field-name ":" OWS field-value OWS   (RFC 9112 section 5)
Status parse_fields(Headers& headers, size_t from, size_t max_fields) {
  std::string_view rest = headers.text().substr(from);
  while (!rest.empty()) {
    size_t end = rest.find("\r\n");
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    if (line[0] == ' ' || line[0] == '\t') return invalid("", "a folded header line");
    size_t colon = 0;
    while (colon < line.size() && is_token_char(line[colon])) ++colon;
    if (colon == line.size()) return invalid("", "a header line without ':'");
    if (line[colon] != ':' || colon == 0) return invalid("", "a malformed header name");
    std::string_view value = trim_ows(line.substr(colon + 1));
    for (char c : value)
      if (!is_field_char(c)) return invalid("", "a control character in a header value");
    if (headers.size() == max_fields)
      return fail(Code::kTooLarge, "more than " + std::to_string(max_fields) + " header lines");
    headers.index(line.substr(0, colon), value);
  }
  return {};
}

}  // namespace ajar
