#include "store/blobs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>

namespace ajar::store {
namespace {

std::unexpected<Error> failed(const std::string& path) {
  const Code code = errno == ENOENT ? Code::kNotFound : Code::kUnavailable;
  return fail(code, path + ": " + std::strerror(errno));
}

class Handle {
 public:
  Handle(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~Handle() {
    if (fd_ >= 0) ::close(fd_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  explicit operator bool() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  bool write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return false;
      bytes.remove_prefix(size_t(n));
    }
    return true;
  }

 private:
  const int fd_;
};

}  // namespace

Result<Blobs> Blobs::open(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failed(folder);
  return Blobs(folder);
}

Status Blobs::put(const std::string& id, std::string_view bytes) const {
  assert(id.find('/') == id.npos);
  const std::string part = path(id) + ".part";
  {
    const Handle file(part, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file || !file.write(bytes) || ::fsync(file.fd()) != 0) {
      auto error = failed(part);
      ::unlink(part.c_str());
      return error;
    }
  }
  if (::rename(part.c_str(), path(id).c_str()) != 0) return failed(path(id));
  const Handle folder(folder_, O_RDONLY | O_DIRECTORY);
  if (folder) ::fsync(folder.fd());
  return {};
}

Result<std::string> Blobs::read(const std::string& id, int64_t offset, size_t size) const {
  const Handle file(path(id), O_RDONLY);
  if (!file) return failed(path(id));
  std::string out(size, '\0');
  size_t have = 0;
  while (have < size) {
    const ssize_t n = ::pread(file.fd(), out.data() + have, size - have, offset + int64_t(have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(path(id));
    if (n == 0) break;
    have += size_t(n);
  }
  out.resize(have);
  return out;
}

Result<std::string> Blobs::read(const std::string& id) const {
  AJAR_ASSIGN(const int64_t bytes, size(id));
  return read(id, 0, size_t(bytes));
}

Status Blobs::append(const std::string& id, std::string_view bytes) const {
  const Handle file(path(id), O_WRONLY | O_CREAT | O_APPEND);
  struct stat before {};
  if (!file || ::fstat(file.fd(), &before) != 0) return failed(path(id));
  if (file.write(bytes)) return {};
  auto error = failed(path(id));
  if (::ftruncate(file.fd(), before.st_size) != 0) return failed(path(id));
  return error;
}

Status Blobs::sync(const std::string& id) const {
  const Handle file(path(id), O_WRONLY);
  if (!file || ::fsync(file.fd()) != 0) return failed(path(id));
  return {};
}

Result<int64_t> Blobs::size(const std::string& id) const {
  struct stat info {};
  if (::stat(path(id).c_str(), &info) != 0) return failed(path(id));
  return int64_t(info.st_size);
}

Status Blobs::trim_to_lines(const std::string& id) const {
  AJAR_ASSIGN(const std::string text, read(id));
  const size_t end = text.rfind('\n');
  const size_t keep = end == text.npos ? 0 : end + 1;
  if (keep != text.size() && ::truncate(path(id).c_str(), off_t(keep)) != 0) return failed(path(id));
  return {};
}

Status Blobs::remove(const std::string& id) const {
  if (::unlink(path(id).c_str()) != 0 && errno != ENOENT) return failed(path(id));
  return {};
}

}  // namespace ajar::store
