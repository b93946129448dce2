// Model output is anything, cut anywhere: what is restored must not depend on the cuts, and nothing may be lost or held
// for ever.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "guard/placeholder.h"
#include "guard/restorer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ajar;
  using namespace ajar::guard;
  static const Scanner scanner({.entities = EntitySet::identifying()});
  static const Pseudonyms map = [] {
    Pseudonyms made(scanner, "a key of the fuzzer's tenant....");
    if (!made.mask_text("Mary Johnson, mary@example.com, 4111 1111 1111 1111, \"password: ab\\\"9xcd\"")) std::abort();
    return made;
  }();
  if (size < 2) return 0;
  // '@' stands for a placeholder, so that the fuzzer need not guess digits.
  static const std::string placeholder = [] {
    Pseudonyms made(scanner, "a key of the fuzzer's tenant....");
    return *made.mask_text("Mary Johnson");
  }();
  const size_t step = 1 + data[0] % 9;
  const auto kind = data[1] & 1 ? Event::Kind::kToolArgs : Event::Kind::kText;
  std::string text;
  for (size_t i = 2; i < size; ++i) data[i] == '@' ? text += placeholder : text += static_cast<char>(data[i]);
  Restorer whole(map);
  const std::string expected = whole.restore_text(text, kind == Event::Kind::kToolArgs);
  Restorer restorer(map);
  std::string out;
  EventBatch events;
  for (size_t at = 0; at < text.size(); at += step) {
    events.clear();
    events.push_back({.kind = kind, .text = text.substr(at, step)});
    restorer.restore(events);
    for (const Event& event : events) out += event.text;
  }
  events.clear();
  restorer.finish(events);
  for (const Event& event : events) out += event.text;
  if (out != expected || restorer.stats().held_most > kMaxPlaceholder ||
      restorer.stats().restored != whole.stats().restored)
    std::abort();
  return 0;
}
