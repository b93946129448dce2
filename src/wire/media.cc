#include "wire/media.h"

#include "base/text.h"

namespace ajar::wire {

bool split_data_uri(std::string_view url, std::string& media_type, std::string& base64) {
  if (!is_data_uri(url)) return false;
  const size_t comma = url.find(',');
  if (comma == url.npos) return false;
  std::string_view head = url.substr(5, comma - 5);
  const std::string_view body = url.substr(comma + 1);
  constexpr std::string_view kMark = ";base64";
  if (head.size() >= kMark.size() && iequals(head.substr(head.size() - kMark.size()), kMark)) {
    head.remove_suffix(kMark.size());
    base64 = body;
  } else {
    const auto bytes = percent_decode(body);
    if (!bytes) return false;
    base64 = base64_encode(*bytes);
  }
  media_type = head.empty() ? std::string_view("text/plain") : head;
  return true;
}

std::string join_data_uri(std::string_view media_type, std::string_view base64) {
  std::string out;
  out.reserve(media_type.size() + base64.size() + 16);
  return out.append("data:").append(media_type).append(";base64,").append(base64);
}

}  // namespace ajar::wire
