// Not a test: see emulated.h.
#if defined(__x86_64__) && !defined(AJAR_PORTABLE_KERNELS)
#include "engine/emulated/names.h"
#include "engine/emulated/instructions.h"

#include "engine/kernels_avxvnni.cc"
#endif
