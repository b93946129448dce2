#if defined(__x86_64__) && !defined(AJAR_PORTABLE_KERNELS)
#define AJAR_KERNELS avx512
#include "engine/kernels_vector.h"

namespace ajar::engine {

extern const Kernels kernels_avx512;
constinit const Kernels kernels_avx512 = avx512::table("avx512");

}  // namespace ajar::engine

#endif
