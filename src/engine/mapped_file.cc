#include "engine/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ajar::engine {

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::string& path) {
  const auto failed = [&](int error) {
    return fail(error == ENOENT ? Code::kNotFound : Code::kInvalid, path + ": " + std::strerror(error), "file");
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed(errno);
  struct stat info {};
  const int rc = fstat(fd, &info);
  if (rc != 0 || !S_ISREG(info.st_mode)) {
    const int error = rc != 0 ? errno : S_ISDIR(info.st_mode) ? EISDIR : ENODEV;
    ::close(fd);
    return failed(error);
  }
  std::shared_ptr<MappedFile> file(new MappedFile);
  file->size_ = size_t(info.st_size);
  if (file->size_ != 0) {
    void* data = mmap(nullptr, file->size_, PROT_READ, MAP_SHARED, fd, 0);
    const int error = errno;
    ::close(fd);
    if (data == MAP_FAILED) {
      file->size_ = 0;
      return failed(error);
    }
    file->data_ = static_cast<const char*>(data);
  } else {
    ::close(fd);
  }
  return file;
}

MappedFile::~MappedFile() {
  if (size_ != 0) munmap(const_cast<char*>(data_), size_);
}

}  // namespace ajar::engine
