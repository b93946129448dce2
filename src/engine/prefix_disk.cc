#include "engine/prefix_disk.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>

namespace ajar::engine {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr char kMagic[8] = {'A', 'J', 'A', 'R', 'K', 'V', '\r', '\n'};
constexpr uint32_t kVersion = 1;
constexpr size_t kFixed = 8 + 4 + 4 + 8 + 8 + 4 * kPageTokens + 8 + 8 + 8;
constexpr std::string_view kSuffix = ".kv", kHalf = ".kv.tmp";
static_assert(std::endian::native == std::endian::little, "files are written as memory holds them");

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

bool read_all(int fd, std::byte* to, size_t size) {
  while (size > 0) {
    ssize_t n = ::read(fd, to, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    to += n, size -= static_cast<size_t>(n);
  }
  return true;
}

bool write_all(int fd, const std::byte* from, size_t size) {
  while (size > 0) {
    ssize_t n = ::write(fd, from, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    from += n, size -= static_cast<size_t>(n);
  }
  return true;
}

template <class T>
void put(std::byte*& at, const T& value) {
  std::memcpy(at, &value, sizeof(value));
  at += sizeof(value);
}

// Of "0123456789abcdef.kv"; false for any other name.
bool chain_of(const std::string& name, uint64_t& chain) {
  if (name.size() != 16 + kSuffix.size() || !name.ends_with(kSuffix)) return false;
  chain = 0;
  for (char c : name.substr(0, 16)) {
    int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return false;
    chain = chain << 4 | static_cast<uint64_t>(digit);
  }
  return true;
}

}  // namespace

uint64_t page_checksum(std::span<const std::byte> bytes) {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15, kOther = 0xd6e8feb86659fd93;
  uint64_t lanes[4] = {1, 2, 3, 4};
  auto mix = [](uint64_t lane, uint64_t word) { return std::rotl((lane ^ word) * kOdd, 29); };
  size_t i = 0;
  for (; i + 32 <= bytes.size(); i += 32) {
    uint64_t words[4];
    std::memcpy(words, bytes.data() + i, 32);
    for (int l = 0; l < 4; ++l) lanes[l] = mix(lanes[l], words[l]);
  }
  for (int l = 0; i < bytes.size(); i += 8, ++l) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, std::min<size_t>(8, bytes.size() - i));
    lanes[l] = mix(lanes[l], word);
  }
  uint64_t h = bytes.size();
  for (uint64_t lane : lanes) h = (h ^ lane) * kOther, h ^= h >> 32;
  return h;
}

PrefixDisk::PrefixDisk(PrefixDiskOptions options, std::function<void()> news)
    : options_(std::move(options)), news_(std::move(news)), thread_([this] { run(); }) {}

PrefixDisk::~PrefixDisk() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  room_.notify_all();
  thread_.join();
  if (lock_ >= 0) ::close(lock_);
}

std::string PrefixDisk::path(uint64_t chain) const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string name(16, '0');
  for (int i = 15; i >= 0; --i, chain >>= 4) name[static_cast<size_t>(i)] = kDigits[chain & 15];
  return options_.folder + "/" + name + std::string(kSuffix);
}

std::vector<std::byte> PrefixDisk::header(const PageKey& key, std::span<const std::byte> page) const {
  std::vector<std::byte> out(kFixed + options_.identity.size());
  std::byte* at = out.data();
  put(at, kMagic), put(at, kVersion), put(at, static_cast<uint32_t>(options_.identity.size()));
  put(at, key.chain), put(at, key.parent), put(at, key.tokens);
  put(at, static_cast<uint64_t>(page.size())), put(at, page_checksum(page));
  std::byte* sum = at;
  at += 8;
  std::memcpy(at, options_.identity.data(), options_.identity.size());
  put(sum, page_checksum(out));  // its own place still zero
  return out;
}

size_t PrefixDisk::known(std::span<const PageKey> keys) {
  std::lock_guard lock(mutex_);
  size_t n = 0;
  while (n < keys.size() && files_.contains(keys[n].chain)) ++n;
  // The last first, so that the budget takes the ends of texts before their beginnings.
  for (size_t i = n; i-- > 0;) order_.splice(order_.end(), order_, files_.at(keys[i].chain).used);
  return n;
}

bool PrefixDisk::queue(std::unique_lock<std::mutex>&, const PageKey& key, std::span<const std::byte> page) {
  if (files_.contains(key.chain) || queued_.contains(key.chain)) return false;
  const auto bytes = static_cast<int64_t>(page.size());
  if (!open_ || stop_ || queued_bytes_ + bytes > options_.queue_bytes) {
    ++counts_.dropped;
    return false;
  }
  writes_.push_back({.key = key, .page = {page.begin(), page.end()}, .to = {}});
  queued_bytes_ += bytes, ++queued_[key.chain];
  wake_.notify_one();
  return true;
}

bool PrefixDisk::write(const PageKey& key, std::span<const std::byte> page) {
  std::unique_lock lock(mutex_);
  return queue(lock, key, page);
}

bool PrefixDisk::write_patiently(const PageKey& key, std::span<const std::byte> page, Clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  room_.wait_until(lock, deadline, [&] { return stop_ || !open_ || queued_bytes_ + static_cast<int64_t>(page.size()) <= options_.queue_bytes; });
  return queue(lock, key, page);
}

void PrefixDisk::read(const PageKey& key, std::span<std::byte> to, int ticket) {
  std::lock_guard lock(mutex_);
  reads_.push_back({.key = key, .page = {}, .to = to, .ticket = ticket});
  wake_.notify_one();
}

std::vector<PrefixDisk::Read> PrefixDisk::finished() {
  std::lock_guard lock(mutex_);
  return std::exchange(finished_, {});
}

PrefixDiskMetrics PrefixDisk::metrics() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

void PrefixDisk::settle() {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [&] { return open_ && !busy_ && reads_.empty() && writes_.empty(); });
}

void PrefixDisk::run() {
  // Another process, or the engine before this one, may have the folder still.
  for (;;) {
    std::unique_lock lock(mutex_);
    if (stop_) break;
    lock.unlock();
    if (lock_folder()) break;
    lock.lock();
    // Nobody waits in vain meanwhile: what is asked for is not there.
    for (Work& work : reads_) finished_.push_back({work.ticket, false});
    reads_.clear();
    if (wake_.wait_for(lock, std::chrono::milliseconds(200), [&] { return stop_; })) break;
  }
  if (lock_ >= 0) scan();
  std::unique_lock lock(mutex_);
  open_ = lock_ >= 0;
  room_.notify_all();
  Clock::time_point last{};
  for (;;) {
    wake_.wait(lock, [&] { return stop_ || !reads_.empty() || !writes_.empty(); });
    if (stop_ && last == Clock::time_point{}) last = Clock::now() + kLastWrites;
    if (stop_ && ((reads_.empty() && writes_.empty()) || Clock::now() > last)) break;
    auto& from = reads_.empty() ? writes_ : reads_;
    Work work = std::move(from.front());
    from.pop_front();
    busy_ = true;
    lock.unlock();
    const bool reading = work.page.empty();
    const bool ok = reading && do_read(work);
    if (!reading) do_write(work);
    lock.lock();
    busy_ = false;
    if (reading) {
      finished_.push_back({work.ticket, ok});
      lock.unlock();
      if (news_) news_();
      lock.lock();
    } else {
      queued_bytes_ -= static_cast<int64_t>(work.page.size());
      queued_.erase(work.key.chain);
    }
    room_.notify_all();
  }
}

bool PrefixDisk::lock_folder() {
  std::error_code failed;
  if (fs::create_directories(options_.folder, failed)) fs::permissions(options_.folder, fs::perms::owner_all, failed);
  lock_ = ::open((options_.folder + "/lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (lock_ >= 0 && ::flock(lock_, LOCK_EX | LOCK_NB) == 0) return true;
  if (lock_ >= 0) ::close(lock_);
  lock_ = -1;
  return false;
}

// What earlier runs left, by its header; the pages themselves are checked when they are read.
void PrefixDisk::scan() {
  struct Found {
    uint64_t chain;
    int64_t bytes;
    fs::file_time_type used;
  };
  std::vector<Found> found;
  PrefixDiskMetrics counts;
  std::error_code failed;
  const int64_t expected = static_cast<int64_t>(kFixed + options_.identity.size()) + options_.page_bytes;
  for (fs::directory_iterator at(options_.folder, failed), end; !failed && at != end; at.increment(failed)) {
    const std::string name = at->path().filename().string();
    std::error_code ignored;
    if (!at->is_regular_file(ignored)) continue;
    uint64_t chain = 0;
    if (name.ends_with(kHalf)) {  // the process ended in the middle of it
      ++counts.removed_damaged;
      fs::remove(at->path(), ignored);
      continue;
    }
    if (!chain_of(name, chain)) continue;  // not ours
    const auto bytes = static_cast<int64_t>(at->file_size(ignored));
    Descriptor file{::open(at->path().c_str(), O_RDONLY | O_CLOEXEC)};
    std::vector<std::byte> head(kFixed + options_.identity.size());
    const size_t there = static_cast<size_t>(std::clamp<int64_t>(bytes, 0, static_cast<int64_t>(head.size())));
    const bool readable = file.fd >= 0 && !ignored && read_all(file.fd, head.data(), there);
    uint32_t version = 0, identity = 0;
    if (there >= 16) std::memcpy(&version, head.data() + 8, 4), std::memcpy(&identity, head.data() + 12, 4);
    const bool magic = readable && there >= 16 && std::memcmp(head.data(), kMagic, 8) == 0;
    const bool ours = magic && version == kVersion && identity == options_.identity.size() && there == head.size() &&
                      std::memcmp(head.data() + kFixed, options_.identity.data(), options_.identity.size()) == 0;
    if (!ours || bytes != expected) {
      ++(magic && !ours && bytes > 0 ? counts.removed_foreign : counts.removed_damaged);
      fs::remove(at->path(), ignored);
      continue;
    }
    found.push_back({chain, bytes, at->last_write_time(ignored)});
  }
  std::ranges::sort(found, {}, &Found::used);
  {
    std::lock_guard lock(mutex_);
    for (const Found& f : found) {
      files_[f.chain] = {f.bytes, order_.insert(order_.end(), f.chain)};
      counts_.bytes += f.bytes, ++counts_.pages;
    }
    counts_.removed_damaged += counts.removed_damaged, counts_.removed_foreign += counts.removed_foreign;
  }
  make_room(0);
}

void PrefixDisk::forget(uint64_t chain) {
  auto it = files_.find(chain);
  if (it == files_.end()) return;
  counts_.bytes -= it->second.bytes, --counts_.pages;
  order_.erase(it->second.used);
  files_.erase(it);
}

void PrefixDisk::make_room(int64_t bytes) {
  for (;;) {
    uint64_t oldest;
    {
      std::lock_guard lock(mutex_);
      if (order_.empty() || counts_.bytes + bytes <= options_.bytes) return;
      oldest = order_.front();
      forget(oldest);
      ++counts_.removed_old;
    }
    std::error_code ignored;
    fs::remove(path(oldest), ignored);
  }
}

void PrefixDisk::do_write(Work& work) {
  const auto head = header(work.key, work.page);
  const auto bytes = static_cast<int64_t>(head.size() + work.page.size());
  bool ok = bytes <= options_.bytes;
  if (ok) {
    make_room(bytes);
    const std::string whole = path(work.key.chain), half = whole + ".tmp";
    {
      Descriptor file{::open(half.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600)};
      ok = file.fd >= 0 && write_all(file.fd, head.data(), head.size()) && write_all(file.fd, work.page.data(), work.page.size());
    }
    ok = ok && ::rename(half.c_str(), whole.c_str()) == 0;
    if (!ok) ::unlink(half.c_str());
  }
  std::lock_guard lock(mutex_);
  if (!ok) {
    ++counts_.dropped;
    return;
  }
  forget(work.key.chain);
  files_[work.key.chain] = {bytes, order_.insert(order_.end(), work.key.chain)};
  counts_.bytes += bytes, ++counts_.pages, ++counts_.written;
}

// Everything of the header is known beforehand, but for the page's checksum.
bool PrefixDisk::do_read(const Work& work) {
  const std::string name = path(work.key.chain);
  bool there = false, ok = false;
  {
    Descriptor file{::open(name.c_str(), O_RDONLY | O_CLOEXEC)};
    there = file.fd >= 0;
    std::vector<std::byte> head(kFixed + options_.identity.size());
    std::byte beyond;
    ok = there && work.to.size() == static_cast<size_t>(options_.page_bytes) && read_all(file.fd, head.data(), head.size()) &&
         read_all(file.fd, work.to.data(), work.to.size()) && !read_all(file.fd, &beyond, 1) && head == header(work.key, work.to);
    if (ok) ::futimens(file.fd, nullptr);  // it was used
  }
  std::lock_guard lock(mutex_);
  if (ok) {
    ++counts_.read;
    return true;
  }
  forget(work.key.chain);
  if (there) ++counts_.removed_damaged, ::unlink(name.c_str());
  return false;
}

}  // namespace ajar::engine
