// Any bytes under the name of a page, and a genuine page with any bytes changed: only what was written is ever given as good, and
// anything else is gone afterwards.
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "engine/prefix_disk.h"

using namespace ajar::engine;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string folder = [] {
    char name[] = "/tmp/ajar-pages-XXXXXX";
    return std::string(mkdtemp(name) != nullptr ? name : "/tmp");
  }();
  static const PageKey key{.chain = 0x1234, .parent = 7, .tokens = {1, 2, 3}};
  static const std::vector<std::byte> page(64, std::byte{42});
  static const std::string file = folder + "/0000000000001234.kv";
  const PrefixDiskOptions options{.folder = folder, .bytes = 1 << 20, .identity = "a model", .page_bytes = 64};
  static const std::string genuine = [&] {
    {
      PrefixDisk disk(options, {});
      disk.settle();
      disk.write(key, page);
    }
    std::ifstream in(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }();
  if (genuine.empty()) __builtin_trap();
  // An even first byte: the rest is the file. An odd one: pairs of place and change.
  std::string text = genuine;
  if (size > 0 && data[0] % 2 == 0) text.assign(reinterpret_cast<const char*>(data) + 1, size - 1);
  else
    for (size_t i = 1; i + 1 < size; i += 2) text[data[i] % text.size()] = static_cast<char>(text[data[i] % text.size()] ^ data[i + 1]);
  std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
  PrefixDisk disk(options, {});
  disk.settle();
  std::vector<std::byte> to(64);
  disk.read(key, to, 1);
  disk.settle();
  const auto read = disk.finished();
  if (read.size() != 1 || read[0].ok != (text == genuine)) __builtin_trap();
  if (read[0].ok && to != page) __builtin_trap();
  if (!read[0].ok && std::filesystem::exists(file)) __builtin_trap();
  if (disk.metrics().pages != (read[0].ok ? 1 : 0)) __builtin_trap();
  return 0;
}
