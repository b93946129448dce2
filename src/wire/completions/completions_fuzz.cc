// Requests read back as they were written; no reply crashes us, and what we say of it is valid JSON.
#include <cstdlib>

#include "base/text.h"
#include "json/read.h"
#include "wire/completions/completions.h"
#include "wire/gemini/gemini.h"
#include "wire/openai/chat.h"
#include "wire/openai_error.h"
#include "wire/reply_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ajar;
  using namespace ajar::wire;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static json::Document document;
  if (const auto request = completions::read_request(text)) {
    const TargetInfo target{.model = "m", .base_path = "/v1"};
    const auto first = completions::write_request(*request, target);
    if (!first || !document.parse(first->body)) std::abort();
    const auto again = completions::read_request(first->body);
    if (!again || completions::write_request(*again, target)->body != first->body) std::abort();
    for (const auto& out : {openai::write_request(*request, target), gemini::write_request(*request, target)}) {
      if (out ? !json::explain(out->body).empty() : out.error().field.empty()) std::abort();
    }
    if (!json::explain("{" + completions::echo(*request) + "}").empty()) std::abort();
  }
  fuzz::reply(data, size, completions::new_decoder, openai::read_error);
  const auto decoder = completions::new_decoder();
  const auto encoder = completions::new_encoder({.include_usage = true, .model = "m"});
  std::string out;
  Fold fold;
  for (const std::string_view line : split(text, '\n')) {
    EventBatch events;
    const Status status = decoder->on_event("", line, events);
    encoder->encode(events, out);
    fold.add(events);
    if (!status) break;
  }
  encoder->finish(StreamEnd::kComplete, nullptr, out);
  for (std::string_view rest = out; !rest.empty();) {
    const size_t end = rest.find("\n\n");
    if (!rest.starts_with("data: ") || end == rest.npos) std::abort();
    const std::string_view payload = rest.substr(6, end - 6);
    if (payload != "[DONE]" && !document.parse_object(payload)) std::abort();
    rest.remove_prefix(end + 2);
  }
  if (!document.parse_object(completions::write_reply(fold.take(), {}))) std::abort();
  return 0;
}
