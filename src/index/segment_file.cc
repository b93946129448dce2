#include "index/segment_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>

namespace ajar::index {
namespace {

constexpr std::string_view kManifestMagic = "AJARMAN1";

std::unexpected<Error> failed(std::string_view doing, const std::string& path) {
  return fail(errno == ENOENT ? Code::kNotFound : Code::kUnavailable, std::string(doing) + " " + path + ": " + std::strerror(errno));
}

Status write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("write", path);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <class T>
bool get(std::string_view& in, T& value) {
  if (in.size() < sizeof value) return false;
  std::memcpy(&value, in.data(), sizeof value);
  in.remove_prefix(sizeof value);
  return true;
}

}  // namespace

uint64_t checksum(std::string_view bytes) {
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;
  uint64_t lane[4] = {bytes.size() * kOdd, 0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0};
  const char* p = bytes.data();
  size_t left = bytes.size();
  const auto mix = [&](uint64_t& l, uint64_t word) { l = std::rotl((l ^ word) * kOdd, 29) + word; };
  for (; left >= 32; left -= 32, p += 32) {
    uint64_t w[4];
    std::memcpy(w, p, 32);
    for (int i = 0; i < 4; ++i) mix(lane[i], w[i]);
  }
  for (int i = 0; left > 0; ++i) {
    uint64_t word = 0;
    const size_t n = left < 8 ? left : 8;
    std::memcpy(&word, p, n);
    mix(lane[i], word), p += n, left -= n;
  }
  uint64_t sum = 0;
  for (const uint64_t l : lane) {
    sum = (sum ^ l) * kOdd;
    sum ^= sum >> 32;
  }
  return sum;
}

void seal(std::string& bytes) { put(bytes, checksum(bytes)); }

Result<std::string_view> unseal(std::string_view file) {
  if (file.size() < 8) return fail(Code::kInvalid, "the file is cut short");
  uint64_t sum;
  std::memcpy(&sum, file.data() + file.size() - 8, 8);
  file.remove_suffix(8);
  if (sum != checksum(file)) return fail(Code::kInvalid, "the file is damaged (its checksum does not fit)");
  return file;
}

std::shared_ptr<const Buffer> Buffer::own(std::string bytes) {
  std::shared_ptr<Buffer> buffer(new Buffer);
  buffer->owned_ = std::move(bytes);
  buffer->view_ = buffer->owned_;
  return buffer;
}

Result<std::shared_ptr<const Buffer>> Buffer::map(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed("open", path);
  struct stat info {};
  if (::fstat(fd, &info) != 0) {
    auto error = failed("stat", path);
    ::close(fd);
    return error;
  }
  std::shared_ptr<Buffer> buffer(new Buffer);
  if (info.st_size > 0) {
    void* data = ::mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED) {
      auto error = failed("map", path);
      ::close(fd);
      return error;
    }
    buffer->view_ = {static_cast<const char*>(data), static_cast<size_t>(info.st_size)};
    buffer->mapped_ = true;
  }
  ::close(fd);
  return buffer;
}

Buffer::~Buffer() {
  if (mapped_) ::munmap(const_cast<char*>(view_.data()), view_.size());
}

Status replace_file(const std::string& path, std::string_view bytes) {
  const std::string beside = path + ".new";
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return failed("make", beside);
  Status written = write_all(fd, bytes, beside);
  if (written && ::fsync(fd) != 0) written = failed("sync", beside);
  ::close(fd);
  AJAR_TRY(written);
  if (::rename(beside.c_str(), path.c_str()) != 0) return failed("rename", beside);
  const int folder = ::open(path.substr(0, path.rfind('/') + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) ::fsync(folder), ::close(folder);
  return {};
}

Status write_manifest(const std::string& path, const Manifest& manifest) {
  std::string out(kManifestMagic);
  put(out, manifest.watermark);
  put(out, manifest.next_file);
  put(out, static_cast<uint32_t>(manifest.files.size()));
  for (const std::string& name : manifest.files) put(out, static_cast<uint32_t>(name.size())), out += name;
  seal(out);
  return replace_file(path, out);
}

Result<Manifest> read_manifest(std::string_view file) {
  AJAR_ASSIGN(std::string_view in, unseal(file));
  const auto damaged = [] { return fail(Code::kInvalid, "the manifest is damaged"); };
  if (!in.starts_with(kManifestMagic)) return damaged();
  in.remove_prefix(kManifestMagic.size());
  Manifest manifest;
  uint32_t files = 0;
  if (!get(in, manifest.watermark) || !get(in, manifest.next_file) || !get(in, files) || files > kMaxSegments) return damaged();
  for (uint32_t i = 0; i < files; ++i) {
    uint32_t size = 0;
    if (!get(in, size) || size > in.size() || size > 255) return damaged();
    manifest.files.emplace_back(in.substr(0, size));
    if (manifest.files.back().find('/') != std::string::npos) return damaged();
    in.remove_prefix(size);
  }
  if (!in.empty()) return damaged();
  return manifest;
}

Result<Manifest> read_manifest_file(const std::string& path) {
  auto buffer = Buffer::map(path);
  if (!buffer && buffer.error().code == Code::kNotFound) return Manifest{};
  if (!buffer) return std::unexpected(std::move(buffer).error());
  auto manifest = read_manifest((*buffer)->bytes());
  if (!manifest) return std::unexpected(std::move(manifest.error()).in(path));
  return manifest;
}

}  // namespace ajar::index
