#pragma once
// One model's prices as they stand in TOML, in the catalogue and in the configuration alike.

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 0  // its parser is compiled once, in toml_parser.cc
#include <toml++/toml.h>

#include "gateway/prices.h"

namespace ajar {

// Errors begin with file:line:column.
Result<Price> read_price(const toml::table& table, std::string_view file);

}  // namespace ajar
