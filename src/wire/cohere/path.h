#pragma once

#include <string>

#include "wire/dialect.h"

namespace ajar::wire::cohere {

// "/v2/chat", behind the base URL's path; one that ends in /v2 is taken as it is.
std::string api_path(const TargetInfo& target, std::string_view endpoint);

}  // namespace ajar::wire::cohere
