#pragma once
// Runs one case. See README.md for what is checked.

#include <string>

#include "case.h"

namespace ajar::wiretest {

struct Outcome {
  int checks = 0;
  std::string complaints;  // empty: passed
};

Outcome run_case(const Case& c);

}  // namespace ajar::wiretest
