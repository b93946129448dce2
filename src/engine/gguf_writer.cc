#include "engine/gguf_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ajar::engine {
namespace {

constexpr uint64_t kAlignment = GgufMetadata::kDefaultAlignment;

template <class T>
void append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void append_text(std::string& out, std::string_view text) {
  append(out, uint64_t(text.size()));
  out.append(text);
}
uint64_t padded(uint64_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

int dimensions(const std::array<int64_t, 4>& shape) {
  int count = 4;
  while (count > 1 && shape[size_t(count - 1)] == 1) --count;
  return count;
}

}  // namespace

GgufWriter::~GgufWriter() {
  if (file_ != nullptr) std::fclose(file_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

bool GgufWriter::has(std::string_view key) const { return std::ranges::find(names_, key) != names_.end(); }

bool GgufWriter::begin_key(std::string_view name) {
  if (has(name)) return false;
  names_.emplace_back(name);
  append_text(keys_, name);
  return true;
}
void GgufWriter::string(std::string_view name, std::string_view value) {
  if (!begin_key(name)) return;
  append(keys_, uint32_t(GgufType::kString));
  append_text(keys_, value);
}
void GgufWriter::u32(std::string_view name, uint32_t value) {
  if (!begin_key(name)) return;
  append(keys_, uint32_t(GgufType::kUint32));
  append(keys_, value);
}
void GgufWriter::f32(std::string_view name, float value) {
  if (!begin_key(name)) return;
  append(keys_, uint32_t(GgufType::kFloat32));
  append(keys_, value);
}
void GgufWriter::boolean(std::string_view name, bool value) {
  if (!begin_key(name)) return;
  append(keys_, uint32_t(GgufType::kBool));
  append(keys_, uint8_t(value));
}
void GgufWriter::array(GgufType item, size_t count) {
  append(keys_, uint32_t(GgufType::kArray));
  append(keys_, uint32_t(item));
  append(keys_, uint64_t(count));
}
void GgufWriter::strings(std::string_view name, std::span<const std::string> values) {
  if (!begin_key(name)) return;
  array(GgufType::kString, values.size());
  for (const std::string& value : values) append_text(keys_, value);
}
void GgufWriter::floats(std::string_view name, std::span<const float> values) {
  if (!begin_key(name)) return;
  array(GgufType::kFloat32, values.size());
  keys_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}
void GgufWriter::i32s(std::string_view name, std::span<const int32_t> values) {
  if (!begin_key(name)) return;
  array(GgufType::kInt32, values.size());
  keys_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}
void GgufWriter::booleans(std::string_view name, const std::vector<bool>& values) {
  if (!begin_key(name)) return;
  array(GgufType::kBool, values.size());
  for (const bool value : values) append(keys_, uint8_t(value));
}
void GgufWriter::copy(const GgufEntry& entry) {
  if (!begin_key(entry.key)) return;
  append(keys_, uint32_t(entry.type));
  if (entry.type == GgufType::kArray) {
    append(keys_, uint32_t(entry.item));
    append(keys_, entry.count);
  } else if (entry.type == GgufType::kString) {
    append(keys_, uint64_t(entry.value.size()));
  }
  keys_.append(entry.value);
}

void GgufWriter::tensor(std::string_view name, Dtype dtype, const std::array<int64_t, 4>& shape) {
  assert(file_ == nullptr && shape[0] % dtype_info(dtype).block_elements == 0);
  tensors_.push_back({std::string(name), dtype, shape, uint64_t(row_bytes(dtype, shape[0]) * shape[1] * shape[2] * shape[3])});
}

int64_t GgufWriter::data_bytes() const {
  uint64_t total = 0;
  for (const Declared& tensor : tensors_) total += padded(tensor.size);
  return int64_t(total);
}

Status GgufWriter::begin(const std::string& path, Existing existing) {
  assert(file_ == nullptr);
  struct stat info {};
  if (existing == Existing::kKeep && ::stat(path.c_str(), &info) == 0) {
    return fail(Code::kConflict, path + " exists already", "path");
  }
  path_ = path;
  existing_ = existing;
  const std::string folder = path.find('/') == std::string::npos ? "." : path.substr(0, path.rfind('/') + 1);
  int fd = ::open(folder.c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
  if (fd < 0) {
    std::string temporary = temporary_name();
    fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return invalid("path", path + ": " + std::strerror(errno));
    temporary_ = std::move(temporary);
  }
  file_ = ::fdopen(fd, "wb");
  if (file_ == nullptr) {
    const int error = errno;
    ::close(fd);
    return failed(error);
  }
  std::string head = "GGUF";
  append(head, uint32_t(3));
  append(head, uint64_t(tensors_.size()));
  append(head, uint64_t(names_.size()));
  head += keys_;
  uint64_t offset = 0;
  for (const Declared& tensor : tensors_) {
    append_text(head, tensor.name);
    const int count = dimensions(tensor.shape);
    append(head, uint32_t(count));
    for (int i = 0; i < count; ++i) append(head, uint64_t(tensor.shape[size_t(i)]));
    append(head, uint32_t(tensor.dtype));
    append(head, offset);
    offset += padded(tensor.size);
  }
  head.resize(padded(head.size()));
  return put(head.data(), head.size());
}

Status GgufWriter::put(const void* data, size_t size) {
  if (size == 0 || std::fwrite(data, 1, size, file_) == size) return {};
  return failed(errno);
}

Status GgufWriter::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (current_ == tensors_.size()) return fail(Code::kInternal, path_ + ": more data than tensors");
    const uint64_t size = tensors_[current_].size;
    const size_t part = size_t(std::min<uint64_t>(bytes.size(), size - written_));
    AJAR_TRY(put(bytes.data(), part));
    bytes = bytes.subspan(part);
    written_ += part;
    if (written_ == size) {
      static constexpr char kZeroes[kAlignment] = {};
      AJAR_TRY(put(kZeroes, size_t(padded(size) - size)));
      ++current_;
      written_ = 0;
    }
  }
  return {};
}

Status GgufWriter::finish() {
  if (current_ != tensors_.size()) return fail(Code::kInternal, path_ + ": not all of the tensors' data were written");
  if (std::fflush(file_) != 0 || ::fsync(fileno(file_)) != 0) return failed(errno);
  AJAR_TRY(take_name());
  const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0;
  return closed ? Status() : failed(errno);
}

// A hard link is the way to a name that fails where it is taken; replacing needs a name to rename.
Status GgufWriter::take_name() {
  const std::string self = "/proc/self/fd/" + std::to_string(fileno(file_));
  const auto link_to = [&](const std::string& name) {
    return temporary_.empty() ? ::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW)
                              : ::link(temporary_.c_str(), name.c_str());
  };
  if (existing_ == Existing::kKeep) {
    if (link_to(path_) == 0) {
      if (!temporary_.empty()) ::unlink(std::exchange(temporary_, {}).c_str());
      return {};
    }
    if (errno == EEXIST) return fail(Code::kConflict, path_ + " exists already", "path");
    if (temporary_.empty()) return failed(errno);
  }
  if (temporary_.empty()) {
    const std::string name = temporary_name();
    if (link_to(name) != 0) return failed(errno);
    temporary_ = name;
  }
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return failed(errno);
  temporary_.clear();
  return {};
}

std::string GgufWriter::temporary_name() const { return path_ + "." + std::to_string(getpid()) + ".tmp"; }

std::unexpected<Error> GgufWriter::failed(int error) const {
  return fail(Code::kInternal, path_ + ": " + std::strerror(error));
}

}  // namespace ajar::engine
