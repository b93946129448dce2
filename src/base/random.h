#pragma once
// Random bytes and ids. secure_* come from the operating system's generator (through OpenSSL) and may be
// used for secrets; fast_* are for ids and jitter. All are safe from any thread.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ajar {

std::string secure_base62(size_t length);
uint64_t fast_random();                      // uniform 64 bits, thread-local generator
double fast_uniform();                       // [0, 1)
std::string new_id(std::string_view prefix); // prefix + 24 base62 characters
std::string sha256_hex(std::string_view bytes);

}  // namespace ajar
