// Precompiled for the commands: also CLI11, which was a fifth of the time of each.
#include "pch.h"

#include <CLI/CLI.hpp>
