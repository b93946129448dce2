#include "store/record_log.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/crc.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/log.h"

namespace ajar::store {
namespace {

constexpr std::string_view kMagic = "AJARLOG1";
constexpr size_t kHead = 8;  // of a record

uint32_t crc_of(std::string_view bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}
void put_u32(std::string& out, uint32_t n) {
  for (int i = 0; i < 4; ++i) out.push_back(char(n >> (8 * i)));
}
uint32_t get_u32(const char* at) {
  uint32_t n = 0;
  for (int i = 0; i < 4; ++i) n |= uint32_t(uint8_t(at[i])) << (8 * i);
  return n;
}
void frame(std::string& out, std::string_view record) {
  put_u32(out, uint32_t(record.size()));
  put_u32(out, crc_of(record));
  out += record;
}
bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(size_t(n));
  }
  return true;
}
Error system_error(const std::string& file) {
  return {.code = Code::kUnavailable, .message = file + ": " + std::strerror(errno)};
}

// Gives whole records to `read`; how many bytes they and the head take.
size_t read_records(std::string_view bytes, const std::function<void(std::string_view)>& read, int64_t& records) {
  size_t at = kMagic.size();
  while (bytes.size() - at >= kHead) {
    const uint32_t size = get_u32(bytes.data() + at);
    if (size > RecordLog::kMaxRecord || size > bytes.size() - at - kHead) break;
    const std::string_view record = bytes.substr(at + kHead, size);
    if (crc_of(record) != get_u32(bytes.data() + at + 4)) break;
    read(record);
    ++records;
    at += kHead + size;
  }
  return at;
}

}  // namespace

Result<RecordLog::Opened> RecordLog::open(const std::string& file, const std::function<void(std::string_view)>& read) {
  int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return std::unexpected(system_error(file));
  struct stat info {};
  ::fstat(descriptor, &info);
  Opened opened;
  auto size = size_t(info.st_size);
  size_t good = 0;
  if (size > 0) {
    void* map = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (map == MAP_FAILED) {
      Error error = system_error(file);
      ::close(descriptor);
      return std::unexpected(std::move(error));
    }
    const std::string_view bytes(static_cast<const char*>(map), size);
    if (bytes.starts_with(kMagic)) good = read_records(bytes, read, opened.records);
    ::munmap(map, size);
    if (good == 0 && size >= kMagic.size()) {  // something else, or damaged from its first byte: kept for a person to see
      ::close(descriptor);
      std::error_code ignored;
      std::filesystem::rename(file, file + ".damaged", ignored);
      log_warn(file + " is not readable; it was set aside as " + file + ".damaged and a new one begins");
      descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
      if (descriptor < 0) return std::unexpected(system_error(file));
      opened.cut_bytes = int64_t(size);
      size = 0;
    }
  }
  if (good == 0) {
    if (::ftruncate(descriptor, 0) != 0 || !write_all(descriptor, kMagic)) {
      Error error = system_error(file);
      ::close(descriptor);
      return std::unexpected(std::move(error));
    }
    good = kMagic.size();
  } else if (good < size) {
    opened.cut_bytes = int64_t(size - good);
    if (::ftruncate(descriptor, off_t(good)) != 0) log_warn(file + " has a damaged end that could not be cut off");
  }
  ::lseek(descriptor, off_t(good), SEEK_SET);
  opened.log.reset(new RecordLog(file, descriptor, int64_t(good)));
  return opened;
}

RecordLog::RecordLog(std::string file, int descriptor, int64_t bytes)
    : file_(std::move(file)), descriptor_(descriptor), bytes_(bytes), thread_([this] { run(); }) {}

RecordLog::~RecordLog() {
  {
    std::lock_guard guard(lock_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
  ::close(descriptor_);
}

bool RecordLog::append(std::string record) {
  std::lock_guard guard(lock_);
  if (broken_ || record.size() > kMaxRecord || waiting_.size() + record.size() > kMaxWaiting) {
    ++dropped_;
    return false;
  }
  frame(waiting_, record);
  ++appended_;
  wake_.notify_one();
  return true;
}

void RecordLog::flush() {
  std::unique_lock guard(lock_);
  const uint64_t until = appended_;
  written_.wait(guard, [&] { return done_ >= until; });
}

void RecordLog::run() {
  for (;;) {
    {
      std::unique_lock guard(lock_);
      wake_.wait(guard, [&] { return stop_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
    }
    std::lock_guard file_guard(file_lock_);
    std::string bytes;
    uint64_t upto = 0;
    {
      std::lock_guard guard(lock_);
      bytes.swap(waiting_);
      upto = appended_;
    }
    const bool whole = write_all(descriptor_, bytes);
    if (!whole) log_warn(file_ + " can no longer be written: " + std::strerror(errno));
    std::lock_guard guard(lock_);
    bytes_ += int64_t(bytes.size());
    done_ = upto;
    broken_ = broken_ || !whole;
    written_.notify_all();
  }
}

Status RecordLog::rewrite(const std::function<void(const std::function<void(std::string_view)>& put)>& write) {
  std::lock_guard file_guard(file_lock_);
  const std::string part = file_ + ".part";
  const int descriptor = ::open(part.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return std::unexpected(system_error(part));
  std::string bytes(kMagic);
  int64_t size = 0;
  bool whole = true;
  const auto spill = [&] {
    whole = whole && write_all(descriptor, bytes);
    size += int64_t(bytes.size());
    bytes.clear();
  };
  write([&](std::string_view record) {
    frame(bytes, record);
    if (bytes.size() > (1 << 20)) spill();
  });
  spill();
  if (!whole || ::fsync(descriptor) != 0 || ::rename(part.c_str(), file_.c_str()) != 0) {
    Error error = system_error(part);
    ::close(descriptor);
    ::unlink(part.c_str());
    return std::unexpected(std::move(error));
  }
  ::close(descriptor_);
  descriptor_ = descriptor;
  std::lock_guard guard(lock_);
  bytes_ = size;
  broken_ = false;
  return {};
}

int64_t RecordLog::file_bytes() const {
  std::lock_guard guard(lock_);
  return bytes_;
}
int64_t RecordLog::dropped() const {
  std::lock_guard guard(lock_);
  return dropped_;
}

}  // namespace ajar::store
