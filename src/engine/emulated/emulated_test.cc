#include "engine/emulated/emulated.h"

#include <vector>

namespace ajar::engine {

#if defined(__x86_64__) && !defined(AJAR_PORTABLE_KERNELS)

void emulated_vnni(const Product& product, const QuantizedRows& x);
void emulated_avxvnni(const Product& product, const QuantizedRows& x);
void emulated_amx(const Product& product, const uint16_t* tiles, std::byte* scratch);
void emulated_amx_integer(const Product& product, const QuantizedRows& x);
void emulated_attend_amx(const Attention& attention);

std::span<const Kernels* const> emulated_kernels() {
  static Kernels avxvnni, vnni, amx;
  static const std::vector<const Kernels*> sets = [] {
    std::vector<const Kernels*> found;
    const Kernels* avx2 = find_kernels("avx2");
    if (avx2 == nullptr) return found;
    avxvnni = *avx2, avxvnni.name = "avx2-vnni, emulated", avxvnni.multiply_integer = emulated_avxvnni, avxvnni.narrow = false;
    vnni = *avx2, vnni.name = "avx512-vnni, emulated", vnni.multiply_integer = emulated_vnni, vnni.narrow = false;
    amx = vnni, amx.name = "amx, emulated", amx.multiply_integer = emulated_amx_integer, amx.multiply_bfloat = emulated_amx, amx.attend_tiles = emulated_attend_amx;
    if (find_kernels("avx2-vnni") == nullptr) found.push_back(&avxvnni);
    if (find_kernels("avx512-vnni") == nullptr) found.push_back(&vnni);
    if (find_kernels("amx") == nullptr) found.push_back(&amx);
    return found;
  }();
  return sets;
}

#else

std::span<const Kernels* const> emulated_kernels() { return {}; }

#endif

}  // namespace ajar::engine
