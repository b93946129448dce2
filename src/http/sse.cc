#include "http/sse.h"

#include "base/text.h"

namespace ajar {
namespace {
constexpr std::string_view kBom = "\xEF\xBB\xBF";
}

// "strip one leading U+FEFF BYTE ORDER MARK, if any" (the UTF-8 decode algorithm).
const char* SseParser::skip_bom(const char* at, const char* end) {
  while (at < end && bom_ < 3) {
    if (*at != kBom[size_t(bom_)]) {
      partial_.assign(kBom.substr(0, size_t(bom_)));  // it was none: the bytes belong to the first line
      bom_ = -1;
      return at;
    }
    ++bom_;
    ++at;
  }
  if (bom_ == 3) bom_ = -1;
  return at;
}

bool SseParser::take_partial(std::string_view rest) {
  partial_.append(rest);
  bool ready = take_line(partial_);
  if (has_data_ && !data_owned_) own_data();
  partial_.clear();
  return ready;
}

bool SseParser::take_line(std::string_view line) {
  if (line.empty()) {  // "dispatch the event"
    if (has_data_) return true;
    reset_event();
    return false;
  }
  if (line[0] == ':') {
    ++comments_;
    return false;
  }
  event_bytes_ += line.size();
  size_t colon = line.find(':');
  std::string_view name = line.substr(0, colon);
  std::string_view value;
  if (colon != line.npos) {
    value = line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
  }
  if (name == "data") {
    add_data(value);
  } else if (name == "event") {
    event_ = value;
  } else if (name == "id") {
    if (value.find('\0') == value.npos) id_ = value;
  } else if (name == "retry") {
    if (value.find_first_not_of("0123456789") == value.npos)
      retry_ms_ = parse_int(value).value_or(retry_ms_);
  }
  return false;
}

void SseParser::add_data(std::string_view value) {
  if (!has_data_) {
    data_view_ = value;
    has_data_ = true;
    return;
  }
  if (!data_owned_) own_data();
  data_ += '\n';
  data_ += value;
}

void SseParser::own_data() {
  data_ = data_view_;
  data_owned_ = true;
}

void SseParser::reset_event() {
  event_.clear();
  has_data_ = data_owned_ = false;
  event_bytes_ = 0;
  if (data_.capacity() > 64 * 1024) std::string().swap(data_);
}

Status SseParser::too_large() const {
  return fail(Code::kUpstream,
              "a server-sent event is larger than " + std::to_string(max_event_bytes_) + " bytes");
}

}  // namespace ajar
