#include "engine/kernels.h"

#include <unistd.h>

#if defined(__x86_64__) && !defined(AJAR_PORTABLE_KERNELS)
#include <sys/syscall.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace ajar::engine {

extern const Kernels kernels_portable;
#if defined(__x86_64__) && !defined(AJAR_PORTABLE_KERNELS)
extern const Kernels kernels_avx2, kernels_avx512;
void multiply_avxvnni(const Product& product, const QuantizedRows& x);
void multiply_vnni(const Product& product, const QuantizedRows& x);
void multiply_amx(const Product& product, const uint16_t* tiles, std::byte* scratch);
void multiply_amx_integer(const Product& product, const QuantizedRows& x);
void attend_amx(const Attention& attention);
double peak_avxvnni(int64_t rounds);
double peak_vnni(int64_t rounds);
double peak_amx(int64_t rounds);
#elif defined(__aarch64__)
extern const Kernels kernels_neon;
void multiply_dotprod(const Product& product, const QuantizedRows& x);
double peak_dotprod(int64_t rounds);
#endif

bool allow_tiles() {
#if defined(__x86_64__) && !defined(AJAR_PORTABLE_KERNELS)
  constexpr int kRequest = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
#else
  return false;
#endif
}

namespace {

#if defined(__x86_64__) && !defined(AJAR_PORTABLE_KERNELS)
bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
}

struct Leaf {
  unsigned a, b, c, d;
};
Leaf features(unsigned subleaf) {  // of CPUID leaf 7, which __builtin_cpu_supports has asked for
  Leaf leaf{7, 0, subleaf, 0};
  asm volatile("cpuid" : "+a"(leaf.a), "=b"(leaf.b), "+c"(leaf.c), "=d"(leaf.d));
  return leaf;
}

bool has_amx() {
  unsigned d = features(0).d;
  return (d >> 22 & 1) != 0 && (d >> 24 & 1) != 0 && (d >> 25 & 1) != 0 && allow_tiles();  // AMX-BF16, AMX-TILE, AMX-INT8
}

bool has_avx_vnni() { return features(0).a >= 1 && (features(1).a >> 4 & 1) != 0; }
#endif

std::vector<const Kernels*> probe() {
  std::vector<const Kernels*> found;
#if defined(__x86_64__) && !defined(AJAR_PORTABLE_KERNELS)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  static Kernels narrow_vnni = kernels_avx2;
  narrow_vnni.name = "avx2-vnni", narrow_vnni.multiply_integer = multiply_avxvnni, narrow_vnni.narrow = false, narrow_vnni.peak = peak_avxvnni;
  if (avx2 && has_avx512()) {
    static Kernels wide = kernels_avx512;
    static Kernels vnni, amx;
    wide.multiply_integer = kernels_avx2.multiply_integer, wide.narrow = true;  // still faster than floats
    if (__builtin_cpu_supports("avx512vnni")) {
      vnni = wide, vnni.name = "avx512-vnni", vnni.multiply_integer = multiply_vnni, vnni.narrow = false, vnni.peak = peak_vnni;
      if (has_amx()) {
        amx = vnni, amx.name = "amx", amx.multiply_bfloat = multiply_amx, amx.multiply_integer = multiply_amx_integer, amx.attend_tiles = attend_amx, amx.peak = peak_amx;
        found.push_back(&amx);
      }
      found.push_back(&vnni);
    }
    found.push_back(&wide);
  }
  if (avx2 && has_avx_vnni()) found.push_back(&narrow_vnni);
  if (avx2) found.push_back(&kernels_avx2);
#elif defined(__aarch64__)
  constexpr unsigned long kDotProduct = 1ul << 20;  // HWCAP_ASIMDDP
  static Kernels dotprod = kernels_neon;
  dotprod.name = "neon-dotprod", dotprod.multiply_integer = multiply_dotprod, dotprod.peak = peak_dotprod;
  if ((getauxval(AT_HWCAP) & kDotProduct) != 0) found.push_back(&dotprod);
  found.push_back(&kernels_neon);
#endif
  found.push_back(&kernels_portable);
  return found;
}

}  // namespace

std::span<const Kernels* const> all_kernels() {
  static const std::vector<const Kernels*> found = probe();
  return found;
}

const Kernels& best_kernels() { return *all_kernels().front(); }

const Kernels* find_kernels(std::string_view name) {
  for (const Kernels* kernels : all_kernels())
    if (kernels->name == name) return kernels;
  return nullptr;
}

}  // namespace ajar::engine
