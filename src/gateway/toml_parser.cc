// toml++'s own code, compiled once (TOML_HEADER_ONLY).
#define TOML_IMPLEMENTATION
#include "gateway/prices_toml.h"
