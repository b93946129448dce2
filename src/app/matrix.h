#pragma once
// The conformance matrix: every API that clients may speak, over every API that targets may speak, feature by feature,
// streamed and not. A cell is right when the feature works, or when Ajar refuses it with a 400 that names it.

#include <string>
#include <vector>

#include "app/selftest_lab.h"

namespace ajar::app::matrix {

// Providers and routes of the simulator, for the lab's configuration.
std::string config(const std::string& mock_url);

enum class Outcome : uint8_t {
  kYes,      // it works, streamed and not
  kRefused,  // a 400 that names the feature
  kLeftOut,  // what only tunes an answer: it was left out, and x-ajar-dropped says so
  kLacks,    // the client's or the target's API has no words for it
  kFailed,
};

struct Cell {
  std::string client, target, feature;
  Outcome outcome = Outcome::kFailed;
};

// Runs everything and adds a check per cell and form.
std::vector<Cell> run(Lab& lab, Checks& checks);

// A table per client's API: features down, targets across. Markdown, also fit for a terminal.
std::string tables(const std::vector<Cell>& cells);

}  // namespace ajar::app::matrix
