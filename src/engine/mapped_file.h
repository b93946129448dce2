#pragma once
// A file as memory: read-only, shared with every process that maps it, gone when the last owner lets go.

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace ajar::engine {

class MappedFile {
 public:
  // kNotFound or kInvalid names the file.
  static Result<std::shared_ptr<const MappedFile>> open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const { return {data_, size_}; }

 private:
  MappedFile() = default;
  const char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace ajar::engine
