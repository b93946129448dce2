// A sealed map comes from a store that others may write to; what is inside is checked even when the seal is right. Also
// the rewriting of broken JSON: untouched strings stay byte for byte.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "guard/json_text.h"
#include "guard/pseudonym.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ajar::guard;
  static const Scanner scanner;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Pseudonyms map(scanner, "a key of the fuzzer's tenant....");
  const std::string key(32, 'k');
  if (map.open(text, key, "c", 1)) std::abort();  // nobody guesses a tag
  std::string sealed = map.seal(key, "c", 2);
  if (!map.open(sealed, key, "c", 1)) std::abort();
  std::string json(text);
  if (rewrite_json(json, [](std::string&, std::string_view, bool) { return false; }) || json != text) std::abort();
  rewrite_json(json, [](std::string& inner, std::string_view, bool) { return inner += 'x', true; });
  if (json_unescaped(json_escaped("a\n\"\\\t")) != "a\n\"\\\t") std::abort();
  if (!map.mask_text(text)) return 0;
  return 0;
}
