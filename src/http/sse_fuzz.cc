// The SSE parser: split anywhere it must do what it does unsplit, and what a slow, literal reading of the
// specification does.

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "http/sse.h"

namespace ajar {
namespace {

using Events = std::vector<std::string>;

std::string show(std::string_view event, std::string_view data, std::string_view id) {
  return std::string(event) + '\x01' + std::string(data) + '\x01' + std::string(id);
}

Events parse(std::string_view bytes, size_t step, size_t limit, bool& failed) {
  SseParser parser(limit);
  Events events;
  while (!bytes.empty()) {
    std::string piece(bytes.substr(0, step));
    bytes.remove_prefix(piece.size());
    failed = !parser.feed(piece, [&](const SseEvent& e) { events.push_back(show(e.event, e.data, e.id)); });
    if (failed) break;
  }
  return events;
}

// The specification's own words: data and event type buffers, lines.
Events by_the_book(std::string_view bytes) {
  Events events;
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  std::string data, type, last_id;
  while (true) {
    size_t end = bytes.find_first_of("\r\n");
    if (end == bytes.npos) return events;  // an unfinished line
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end + (bytes.substr(end).starts_with("\r\n") ? 2 : 1));
    if (line.empty()) {
      if (!data.empty()) {
        data.pop_back();
        events.push_back(show(type, data, last_id));
      }
      data.clear();
      type.clear();
      continue;
    }
    if (line[0] == ':') continue;
    size_t colon = line.find(':');
    std::string_view field = line.substr(0, colon), value;
    if (colon != line.npos) {
      value = line.substr(colon + 1);
      if (value.starts_with(' ')) value.remove_prefix(1);
    }
    if (field == "event") type = value;
    if (field == "data") data.append(value).push_back('\n');
    if (field == "id" && value.find('\0') == value.npos) last_id = value;
  }
}

}  // namespace
}  // namespace ajar

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  size_t step = 1 + data[0] % 32;
  bool failed = false, failed_split = false;
  auto whole = ajar::parse(bytes, bytes.size(), 1 << 20, failed);
  if (failed || whole != ajar::by_the_book(bytes)) std::abort();
  if (whole != ajar::parse(bytes, step, 1 << 20, failed)) std::abort();
  failed = failed_split = false;
  auto limited = ajar::parse(bytes, bytes.size(), 40, failed);
  if (limited != ajar::parse(bytes, step, 40, failed_split) || failed != failed_split) std::abort();
  return 0;
}
