#include "engine/kv_q8.h"

namespace ajar::engine {

extern const Q8Kernels q8_kernels_portable;
#if defined(__x86_64__) && !defined(AJAR_PORTABLE_KERNELS)
extern const Kernels kernels_avx2, kernels_avx512;
extern const Q8Kernels q8_kernels_avx2, q8_kernels_avx512;
#endif

// A set that has more than plain vectors (VNNI, AMX) is the plain one with some entries exchanged; this one stays.
const Q8Kernels& q8_kernels([[maybe_unused]] const Kernels& kernels) {
#if defined(__x86_64__) && !defined(AJAR_PORTABLE_KERNELS)
  if (kernels.soften == kernels_avx512.soften) return q8_kernels_avx512;
  if (kernels.soften == kernels_avx2.soften) return q8_kernels_avx2;
#endif
  return q8_kernels_portable;
}

}  // namespace ajar::engine
