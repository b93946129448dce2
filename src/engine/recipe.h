#pragma once
// Which number format each tensor of a model takes when it is made smaller. "Q4_0" and the like use one format nearly
// throughout; "Q4_K_M" and the like spend more bits where errors cost most: on the output, on V and on the way down.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/dtype.h"
#include "engine/model_config.h"

namespace ajar::engine {

struct Recipe {
  std::string_view name;
  Dtype base;
  enum class Mix : uint8_t { kNone, kSmall, kMedium, kLarge } mix = Mix::kNone;
  uint32_t gguf_file_type;      // general.file_type
  std::string_view description; // for a help text
};

Result<const Recipe*> find_recipe(std::string_view name);  // any case; kInvalid lists them
const std::vector<Recipe>& recipes();

// `tied`: the embedding is also the output. Vectors, routers and positions stay F32. Rows that the format's blocks do not
// divide take the nearest format that fits.
Dtype recipe_dtype(const Recipe& recipe, const ModelConfig& config, bool tied, std::string_view name,
                   const std::array<int64_t, 4>& shape);

}  // namespace ajar::engine
