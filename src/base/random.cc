#include "base/random.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <cstdlib>
#include <random>

namespace ajar {
namespace {

constexpr std::string_view kBase62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// xoshiro256++ (Blackman and Vigna), seeded once per thread.
struct Xoshiro {
  std::array<uint64_t, 4> s;
  Xoshiro() {
    std::random_device device;
    for (auto& word : s) word = (uint64_t{device()} << 32) | device();
  }
  static uint64_t rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  uint64_t next() {
    const uint64_t result = rotl(s[0] + s[3], 23) + s[0];
    const uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
  }
};

}  // namespace

std::string secure_base62(size_t length) {
  std::string out;
  std::array<unsigned char, 64> bytes;
  while (out.size() < length) {
    if (RAND_bytes(bytes.data(), bytes.size()) != 1) std::abort();  // no randomness, no secrets
    for (unsigned char byte : bytes) {
      if (byte < 248 && out.size() < length) out.push_back(kBase62[byte % 62]);  // 248 = 4*62
    }
  }
  return out;
}

uint64_t fast_random() {
  thread_local Xoshiro generator;
  return generator.next();
}

double fast_uniform() { return double(fast_random() >> 11) * 0x1.0p-53; }

std::string new_id(std::string_view prefix) {
  std::string out(prefix.size() + 24, '\0');
  prefix.copy(out.data(), prefix.size());
  for (size_t at = prefix.size(); at < out.size();) {
    uint64_t bits = fast_random();
    for (int i = 0; i < 8; ++i, bits /= 62) out[at++] = kBase62[bits % 62];
  }
  return out;
}

std::string sha256_hex(std::string_view bytes) {
  // Fetched once: OpenSSL 3 looks an algorithm up at every use of EVP_sha256(), which costs more than the hash.
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  struct Context {
    EVP_MD_CTX* raw = EVP_MD_CTX_new();
    ~Context() { EVP_MD_CTX_free(raw); }
  };
  thread_local Context context;
  std::array<unsigned char, 32> digest;
  unsigned int size = digest.size();
  if (EVP_DigestInit_ex2(context.raw, algorithm, nullptr) != 1 ||
      EVP_DigestUpdate(context.raw, bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(context.raw, digest.data(), &size) != 1) {
    std::abort();
  }
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out(2 * digest.size(), '\0');
  for (size_t i = 0; i < digest.size(); ++i) {
    out[2 * i] = kHex[digest[i] >> 4];
    out[2 * i + 1] = kHex[digest[i] & 15];
  }
  return out;
}

}  // namespace ajar
