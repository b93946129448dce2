#pragma once
// What a rung's confidence is worth: the file between `ajar calibrate`, which writes it, and a route, which reads it.

#include <string>
#include <string_view>

#include "base/error.h"
#include "learn/isotonic.h"

namespace ajar {

struct RungCalibration {
  std::string route, target, source;    // what it was made of
  learn::Isotonic probability;          // of the raw confidence
  double accept = 1;                    // least calibrated probability
  double alpha = 0, delta = 0, bound = 1, share = 0;
  int64_t samples = 0;
  std::string made_at;                  // RFC 3339

  std::string json() const;
  // kInvalid says what is wrong.
  static Result<RungCalibration> parse(std::string_view json);
  static Result<RungCalibration> read(const std::string& file);
};

}  // namespace ajar
