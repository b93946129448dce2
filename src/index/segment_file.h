#pragma once
// Files of an index: each is written once under a new name, made durable, and named by a manifest that is replaced by
// rename. So a crash at any moment leaves the old manifest with its files, or the new one with its own; what no manifest names
// is swept away. Every file ends in a checksum over all that stands before it.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ajar::index {

// 64 bits over 8-byte words in four lanes: against damage, not against malice. About 10 GB/s without special instructions.
uint64_t checksum(std::string_view bytes);
void seal(std::string& bytes);                          // appends the checksum
Result<std::string_view> unseal(std::string_view file); // what stands before it; kInvalid: damaged

// Bytes that live as long as the last owner: a string of ours, or a file mapped read-only.
class Buffer {
 public:
  static std::shared_ptr<const Buffer> own(std::string bytes);
  static Result<std::shared_ptr<const Buffer>> map(const std::string& path);  // kNotFound, kUnavailable: name the file
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  std::string_view bytes() const { return view_; }

 private:
  Buffer() = default;
  std::string owned_;
  std::string_view view_;
  bool mapped_ = false;
};

// Writes beside `path`, syncs, renames, syncs the folder. kUnavailable names the file and the cause.
Status replace_file(const std::string& path, std::string_view bytes);

struct Manifest {
  uint64_t watermark = 0;  // rows below it are in the segments; later ones must be added anew
  uint64_t next_file = 1;
  std::vector<std::string> files;  // in the order of their rows
};
inline constexpr size_t kMaxSegments = 10'000;

Status write_manifest(const std::string& path, const Manifest& manifest);
Result<Manifest> read_manifest(std::string_view file);          // of its bytes
Result<Manifest> read_manifest_file(const std::string& path);   // one that is not there is an empty one

}  // namespace ajar::index
