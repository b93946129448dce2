#if defined(__x86_64__) && !defined(AJAR_PORTABLE_KERNELS)
#define AJAR_KERNELS q8_avx512
#include "engine/kv_q8_vector.h"

namespace ajar::engine {

extern const Q8Kernels q8_kernels_avx512;
constinit const Q8Kernels q8_kernels_avx512{q8_avx512::store_token, q8_avx512::attend, q8_avx512::to_halves};

}  // namespace ajar::engine

#endif
