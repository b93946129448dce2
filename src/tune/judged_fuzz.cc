// A file of judged answers is somebody else's: it is refused, or a threshold is chosen or refused by it.
#include <cstdlib>

#include "tune/calibrate.h"
#include "tune/task_split.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ajar;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto judged = tune::parse_judged(bytes, "fuzz")) {
    const auto calibrated = tune::calibrate(*judged, {.guarantee = {.alpha = 0.2, .delta = 0.2}, .cost_ratio = 0.1});
    if (calibrated && calibrated->text.empty()) std::abort();
  }
  if (const auto rows = learn::parse_labelled(bytes, "fuzz")) {
    const auto split = tune::split_rows(*rows, "oos", 0.2);
    if (split && split->train.empty()) std::abort();
  }
  return 0;
}
