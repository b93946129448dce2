#include "engine/stream_decoder.h"

#include "engine/unicode.h"

namespace ajar::engine {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

}  // namespace

void StreamDecoder::add(int32_t id, std::string& out) {
  std::string bytes;
  tokenizer_.append_bytes(id, bytes);
  if (skip_space_ && !bytes.empty()) {
    skip_space_ = false;
    if (bytes[0] == ' ') bytes.erase(0, 1);
  }
  add_bytes(bytes, out);
}

void StreamDecoder::add_bytes(std::string_view bytes, std::string& out) {
  held_.append(bytes);
  const size_t whole = held_.size() - unicode::incomplete_tail(held_);
  const std::string_view ready = std::string_view(held_).substr(0, whole);
  for (size_t at = 0; at < ready.size();) {
    const size_t begin = at;
    if (unicode::next(ready, at) < unicode::kBadByte) {
      out.append(ready.substr(begin, at - begin));
      continue;
    }
    // A start that was cut short is one fault with the bytes that belonged to it.
    size_t end = begin + 1;
    while (end <= ready.size() && end - begin <= 3 && unicode::incomplete_tail(ready.substr(begin, end - begin)) == end - begin) ++end;
    at = std::max(begin + 1, end - 1);
    out.append(kReplacement);
  }
  held_.erase(0, whole);
}

void StreamDecoder::spell(int32_t id, std::string& out) {
  finish(out);
  out.append(tokenizer_.piece(id));
}

void StreamDecoder::finish(std::string& out) {
  if (!held_.empty()) out.append(kReplacement);
  held_.clear();
}

}  // namespace ajar::engine
