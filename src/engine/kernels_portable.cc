#define AJAR_KERNELS portable
#include "engine/kernels_vector.h"

namespace ajar::engine {

extern const Kernels kernels_portable;
constinit const Kernels kernels_portable = portable::table("portable");

}  // namespace ajar::engine
