#pragma once
// For tests: a forward pass that is as plain as the papers' formulas, in double, one token after the other.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/checkpoint.h"

namespace ajar::engine {

// Logits after every token: [token][vocab].
std::vector<std::vector<float>> reference_logits(const Checkpoint& checkpoint, std::span<const int32_t> tokens);

// A folder of its own that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace ajar::engine
