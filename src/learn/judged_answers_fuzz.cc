// Files of judged and of recorded answers are somebody else's bytes: they are read or refused.
#include <cstdlib>

#include "learn/judged_answers.h"
#include "learn/routed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto rows = ajar::learn::parse_judged_answers(text, "f")) {
    if (rows->empty()) std::abort();
    for (const auto& row : *rows) ajar::learn::answer_features(row.row().evidence);
  }
  if (const auto file = ajar::learn::parse_routed(text, "f"); file && file->rows.empty()) std::abort();
  return 0;
}
