#pragma once

#include <string>

#include "wire/dialect.h"

namespace ajar::wire::gemini {

// "/v1beta/models/gemini-2.5-flash"; a model with its own collection ("tunedModels/x") keeps it.
std::string model_path(const TargetInfo& target);

}  // namespace ajar::wire::gemini
