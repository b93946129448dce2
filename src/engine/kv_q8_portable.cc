#define AJAR_KERNELS q8_portable
#include "engine/kv_q8_vector.h"

namespace ajar::engine {

extern const Q8Kernels q8_kernels_portable;
constinit const Q8Kernels q8_kernels_portable{q8_portable::store_token, q8_portable::attend, q8_portable::to_halves};

}  // namespace ajar::engine
