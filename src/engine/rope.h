#pragma once
// Rotary position embedding (Su et al., RoFormer, 2021) and its extensions to longer contexts: linear, NTK-aware, YaRN
// (Peng et al., 2023), Llama 3's by wavelength, LongRope (Ding et al., 2024).

#include <span>
#include <vector>

#include "engine/model_config.h"

namespace ajar::engine {

class Rope {
 public:
  // `local`: of layers with a sliding window. `context`: how long sequences may become here; LongRope chooses its factors by it.
  Rope(const RopeConfig& config, bool local, int32_t context);

  int dims() const { return static_cast<int>(frequencies_.size()) * 2; }
  // cos and sin of the angles of one position, dims/2 of each.
  void angles(int32_t position, float* cosines, float* sines) const;

 private:
  std::vector<double> frequencies_;  // radians per position
  float magnitude_ = 1;              // of the turned vectors
};

}  // namespace ajar::engine
