// The scanner reads what anybody sends. Findings lie inside, in order, apart, and do not depend on what was scanned
// before.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "guard/scanner.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ajar::guard;
  static const Scanner scanner({.minimum_score = 0.1f});
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Findings found = scanner.scan(text);
  size_t last = 0;
  for (const Finding& f : found) {
    if (f.begin < last || f.end <= f.begin || f.end > size || f.score < 0.1f || f.score > 1 || f.rule.empty())
      std::abort();
    last = f.end;
  }
  if (scanner.scan(text) != found) std::abort();
  return 0;
}
