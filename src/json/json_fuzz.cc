// The fast parser and the plain validator must agree on what JSON is; what parses must survive a round trip.
#include <cstdlib>

#include "base/text.h"
#include "json/read.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ajar;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static json::Document document, again;
  const auto value = document.parse(text);
  if (value) {
    if (!json::explain(text).empty() || !valid_utf8(text)) std::abort();
    const std::string raw = json::raw(*value);
    const auto second = again.parse(raw);
    if (!second || json::raw(*second) != raw) std::abort();
  }
  return 0;
}
