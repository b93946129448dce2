#pragma once
// A file of judged answers to a threshold, in words: what `ajar calibrate` prints. Pure functions, any thread.

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "learn/threshold.h"

namespace ajar::tune {

// JSON Lines of {"confidence": 0.93, "right": true}, or "loss": 0..1 in place of "right"; or CSV with a header that names these columns.
// kInvalid names `source` and the line.
Result<std::vector<learn::Judged>> parse_judged(std::string_view bytes, std::string_view source);

struct CalibrateOptions {
  learn::ThresholdOptions guarantee;
  double cost_ratio = 0;   // price of an answer of this rung by that of the one above; 0: unknown, then no saving is told
};

struct Calibrated {
  learn::Calibration calibration;
  std::string text;        // lines for a terminal: threshold, bound, share, saving; or how many more are needed
};
// The errors of choose_threshold.
Result<Calibrated> calibrate(const std::vector<learn::Judged>& judged, const CalibrateOptions& options);

}  // namespace ajar::tune
