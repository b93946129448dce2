#include "learn/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace ajar::learn {
namespace {

std::unexpected<Error> failed(const std::string& path) {
  return fail(errno == ENOENT ? Code::kNotFound : Code::kUnavailable, path + ": " + std::strerror(errno));
}

class Handle {
 public:
  Handle(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
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
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }

 private:
  const int fd_;
};

}  // namespace

Result<std::string> read_file(const std::string& path, int64_t most) {
  const Handle file(path, O_RDONLY);
  struct stat info{};
  if (!file || ::fstat(file.fd(), &info) != 0) return failed(path);
  if (!S_ISREG(info.st_mode)) return fail(Code::kInvalid, path + " is no file");
  if (info.st_size > most) return fail(Code::kTooLarge, path + " is larger than " + std::to_string(most) + " bytes");
  std::string out(static_cast<size_t>(info.st_size), '\0');
  size_t have = 0;
  while (have < out.size()) {
    const ssize_t n = ::read(file.fd(), out.data() + have, out.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(path);
    if (n == 0) break;
    have += static_cast<size_t>(n);
  }
  out.resize(have);
  return out;
}

Status write_file(const std::string& path, std::string_view bytes) {
  const std::string part = path + ".part";
  {
    const Handle file(part, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file || !file.write(bytes) || ::fsync(file.fd()) != 0) {
      auto error = failed(part);
      ::unlink(part.c_str());
      return error;
    }
  }
  if (::rename(part.c_str(), path.c_str()) != 0) return failed(path);
  const auto folder = std::filesystem::path(path).parent_path();
  const Handle parent(folder.empty() ? "." : folder.string(), O_RDONLY | O_DIRECTORY);
  if (parent) ::fsync(parent.fd());
  return {};
}

}  // namespace ajar::learn
