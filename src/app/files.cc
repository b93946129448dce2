#include "app/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "base/text.h"

namespace ajar::app {

Result<std::unique_ptr<DataFolder>> DataFolder::hold(const std::string& path) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (failed) return fail(Code::kUnavailable, "cannot make the data folder " + path + ": " + failed.message());
  const std::string file = path + "/ajar.lock";
  const int lock = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) {
    return fail(Code::kUnavailable, "cannot write in the data folder " + path + ": " + std::strerror(errno));
  }
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    close(lock);
    return fail(Code::kConflict, "another ajar is using the data folder " + path);
  }
  return std::unique_ptr<DataFolder>(new DataFolder(path, lock));
}

DataFolder::~DataFolder() { close(lock_); }

Result<std::string> read_admin_token(const std::string& folder) {
  std::ifstream file(folder + "/admin.token");
  std::string token;
  if (!std::getline(file, token) || trim(token).empty()) {
    return fail(Code::kNotFound, "there is no admin token in " + folder);
  }
  return std::string(trim(token));
}

namespace {

Status write_secret(const std::string& file, const std::string& secret) {
  const std::string part = file + ".tmp", line = secret + "\n";
  const int fd = open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written = fd >= 0 && write(fd, line.data(), line.size()) == ssize_t(line.size()) && fsync(fd) == 0;
  if (fd >= 0) close(fd);
  if (!written || std::rename(part.c_str(), file.c_str()) != 0) return fail(Code::kUnavailable, "cannot write " + file + ": " + std::strerror(errno));
  return {};
}

}  // namespace

Result<std::string> DataFolder::admin_token() const {
  if (auto token = read_admin_token(path_)) return token;
  const std::string token = "adm-ajar-" + secure_base62(40);
  AJAR_TRY(write_secret(path_ + "/admin.token", token));
  return token;
}

Result<std::string> DataFolder::mask_secret() const {
  const std::string path = path_ + "/mask.secret";
  std::ifstream file(path);
  std::string secret;
  if (std::getline(file, secret) && trim(secret).size() >= 32) return std::string(trim(secret));
  secret = secure_base62(48);
  AJAR_TRY(write_secret(path, secret));
  return secret;
}

}  // namespace ajar::app
