#if defined(__x86_64__)
#define AJAR_KERNELS avx2
#include "engine/kernels_vector.h"

namespace ajar::engine {

extern const Kernels kernels_avx2;
constinit const Kernels kernels_avx2 = avx2::table("avx2");

}  // namespace ajar::engine

#endif
