// Requests: reading never crashes, what was written reads back as itself, and foreign writers refuse or write valid JSON.
#include <cstdlib>

#include "json/read.h"
#include "wire/anthropic/anthropic.h"
#include "wire/gemini/gemini.h"
#include "wire/openai/chat.h"
#include "wire/responses/responses.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ajar;
  using namespace ajar::wire;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto request = responses::read_request(text);
  if (!request) return 0;
  static json::Document document;
  const TargetInfo target{.model = "m", .base_path = "/v1"};
  const auto first = responses::write_request(*request, target);
  if (!first || !document.parse(first->body)) std::abort();
  const auto again = responses::read_request(first->body);
  if (!again || responses::write_request(*again, target)->body != first->body) std::abort();
  if (!document.parse("{" + responses::echo(*request) + "}")) std::abort();
  // Kept items, and going on from them.
  const std::string items = responses::write_input(*request);
  if (!document.parse(items)) std::abort();
  if (!responses::list_items(items, 3, true, "")) std::abort();
  Request next = *again;
  if (!responses::prepend(next, {items})) std::abort();
  for (const std::string& id : responses::references(next)) {
    if (!responses::resolve(next, id, R"({"type":"message","role":"user","content":"x"})")) std::abort();
  }
  if (const auto more = responses::write_request(next, target); !more || !document.parse(more->body)) std::abort();
  const auto check = [](const Result<WireRequest>& out) {
    if (out ? !json::explain(out->body).empty() : out.error().field.empty()) std::abort();
  };
  check(openai::write_request(*request, target));
  check(anthropic::write_request(*request, {.model = "claude-sonnet-4-5", .base_path = "/v1"}));
  check(gemini::write_request(*request, {.model = "gemini-3-pro-preview", .base_path = "/v1beta"}));
  return 0;
}
