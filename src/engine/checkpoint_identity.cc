#include "engine/checkpoint_identity.h"

#include <algorithm>
#include <filesystem>

#include "engine/prefix_disk.h"

namespace ajar::engine {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSample = 4096;

void add(std::string& to, const fs::path& file) {
  std::error_code failed;
  to += file.filename().string() + ' ' + std::to_string(fs::file_size(file, failed)) + ' ' +
        std::to_string(fs::last_write_time(file, failed).time_since_epoch().count()) + '\n';
}

}  // namespace

std::string checkpoint_identity(const Checkpoint& checkpoint) {
  std::string seen;
  std::error_code failed;
  if (fs::is_directory(checkpoint.path(), failed)) {
    std::vector<fs::path> files;
    for (fs::directory_iterator at(checkpoint.path(), failed), end; !failed && at != end; at.increment(failed)) {
      std::error_code ignored;
      if (at->is_regular_file(ignored)) files.push_back(at->path());
    }
    std::ranges::sort(files);
    for (const fs::path& file : files) add(seen, file);
  } else {
    add(seen, checkpoint.path());
  }
  int64_t bytes = 0;
  for (const Tensor& tensor : checkpoint.tensors()) {
    seen += tensor.name + ' ' + std::to_string(static_cast<int>(tensor.dtype));
    for (int64_t n : tensor.shape) seen += ' ' + std::to_string(n);
    const size_t part = std::min(kSample, tensor.bytes.size());
    for (const auto sample : {tensor.bytes.first(part), tensor.bytes.last(part)}) seen += ' ' + std::to_string(page_checksum(sample));
    bytes += static_cast<int64_t>(tensor.bytes.size());
  }
  return checkpoint.config().architecture + ' ' + std::to_string(bytes) + ' ' + std::to_string(page_checksum(std::as_bytes(std::span(seen))));
}

}  // namespace ajar::engine
