// The end of a program with a folder's fuzzers (cmake/folder.cmake writes what is before it and AJAR_FUZZERS, their names and functions).
// It is the fuzzer that it is called as. No #pragma once: included once, at the end of a file.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

struct Fuzzer {
  std::string_view name;
  int (*one_input)(const uint8_t* data, size_t size);
};
constexpr Fuzzer kFuzzers[] = {AJAR_FUZZERS};
const Fuzzer* called_as = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char*** argv) {
  std::string_view name = (*argv)[0];
  name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
  for (const Fuzzer& fuzzer : kFuzzers)
    if (fuzzer.name == name) called_as = &fuzzer;
  if (called_as) return 0;
  std::fprintf(stderr, "This program is called by the name of a fuzzer:");
  for (const Fuzzer& fuzzer : kFuzzers) std::fprintf(stderr, " %s", fuzzer.name.data());
  std::fprintf(stderr, "\n");
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) { return called_as->one_input(data, size); }
