#pragma once
// Kernels of processors that this machine is not, as sets like those of all_kernels(), so that their tests run everywhere: their
// sources once more, with the instructions written out (instructions.h). Compiled for AVX2, and none without it; not those that the
// machine has. For tests: they are slow, and their peak is that of AVX2.

#include <span>

#include "engine/kernels.h"

namespace ajar::engine {

std::span<const Kernels* const> emulated_kernels();

}  // namespace ajar::engine
