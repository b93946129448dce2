// Replies: no provider's bytes may crash us; our own stream is valid, is numbered without a gap, and says the same as our
// whole response.
#include <cstdlib>

#include "base/text.h"
#include "json/read.h"
#include "wire/openai_error.h"
#include "wire/reply_fuzz.h"
#include "wire/responses/responses.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ajar;
  using namespace ajar::wire;
  fuzz::reply(data, size, responses::new_decoder, openai::read_error);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto decoder = responses::new_decoder();
  const auto encoder = responses::new_encoder({.model = "m"});
  std::string out;
  Status status;
  for (const std::string_view line : split(text, '\n')) {
    EventBatch events;
    status = decoder->on_event("", line, events);
    encoder->encode(events, out);
    if (!status) break;
  }
  encoder->finish(status ? StreamEnd::kComplete : StreamEnd::kUpstreamError, status ? nullptr : &status.error(), out);
  static json::Document document;
  int64_t number = 0;
  for (std::string_view rest = out; !rest.empty();) {
    const size_t from = rest.find("data: "), end = rest.find("\n\n");
    if (!rest.starts_with("event: ") || from == rest.npos || end == rest.npos) std::abort();
    const auto event = document.parse_object(rest.substr(from + 6, end - from - 6));
    if (!event || json::int_or(*event, "sequence_number", -1) != number++) std::abort();
    rest.remove_prefix(end + 2);
  }
  return 0;
}
