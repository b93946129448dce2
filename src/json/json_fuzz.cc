// The fast parser and the plain validator must agree on what JSON is; what parses must survive a round trip, and an object's members are
// the same without a parser.
#include <cstdlib>

#include "base/text.h"
#include "json/members.h"
#include "json/read.h"
#include "json/write.h"

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
    if (const auto object = json::as_object(*second)) {
      std::string_view rest = std::string_view(raw).substr(1, raw.size() - 2);
      for (const auto field : *object) {
        std::string key;
        json::append_string(key, field.key);
        const auto member = json::next_member(rest);
        if (!member || member->key != key || member->value != json::raw(field.value)) std::abort();
      }
      if (!rest.empty()) std::abort();
    }
  }
  return 0;
}
