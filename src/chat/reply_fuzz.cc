// Any text as a reply of every family: the same events in one piece and cut in two, and arguments that are always JSON.
#include "chat/reply_parser.h"
#include "json/read.h"

using namespace ajar;
using namespace ajar::chat;

namespace {

std::string told(const ReplySyntax& syntax, ReplyStart start, std::string_view a, std::string_view b) {
  static const KnownTools tools{{{"now", {}}, {"f", {{"a", "string"}}}}};
  ReplyParser parser(syntax, tools, start, [] { return std::string("id"); });
  EventBatch events;
  if (!a.empty()) parser.feed(a, events);
  parser.feed(b, events);
  parser.finish(events);
  std::string out;
  Event::Kind last = Event::Kind::kStop;
  for (const Event& event : events) {
    if (event.kind == Event::Kind::kToolArgs) {
      json::Document document;
      if (!document.parse_object(event.text)) __builtin_trap();
    }
    if (event.kind != last || event.kind == Event::Kind::kToolCall) out += char('A' + int(event.kind));
    out += event.name + event.text;
    last = event.kind;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const auto rows = all_syntaxes();
  const ReplySyntax& syntax = rows[data[0] % rows.size()];
  const auto start = ReplyStart(data[1] % 3);
  const std::string_view text(reinterpret_cast<const char*>(data) + 3, size - 3);
  const size_t at = text.empty() ? 0 : data[2] % text.size();
  if (told(syntax, start, {}, text) != told(syntax, start, text.substr(0, at), text.substr(at))) __builtin_trap();
  return 0;
}
