#include "app/download.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include "app/http_call.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/mapped_file.h"

namespace ajar::app {
namespace {

namespace fs = std::filesystem;
constexpr int kTries = 5;
constexpr int kMaxRedirects = 5;
constexpr Millis kStall{30'000};

// Where a redirect leads. From https it never leads to http.
Result<std::string> redirected(const std::string& from, std::string_view location) {
  AJAR_ASSIGN(const Url old, parse_url(from));
  std::string to(location);
  if (to.starts_with("//")) to = (old.tls ? "https:" : "http:") + to;
  else if (to.starts_with('/')) to = old.origin() + to;
  const auto url = parse_url(to);
  if (!url) return fail(Code::kUpstream, "the server redirects to no address");
  if (old.tls && !url->tls) return fail(Code::kUpstream, "the server redirects from https to http");
  return to;
}

struct Range {
  int64_t from = 0, to = 0, total = -1;  // inclusive
};
// "bytes 0-99/1000"
std::optional<Range> content_range(const Headers& headers) {
  std::string_view text = headers.get("content-range");
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const size_t dash = text.find('-'), slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash) return std::nullopt;
  const auto from = parse_int(text.substr(0, dash)), to = parse_int(text.substr(dash + 1, slash - dash - 1));
  const auto total = parse_int(text.substr(slash + 1));
  if (!from || !to || !total || *from < 0 || *to < *from || *total <= *to) return std::nullopt;
  return Range{*from, *to, *total};
}

// A strong one, or nothing.
std::string etag_of(const Headers& headers) {
  const std::string_view tag = headers.get("etag");
  return tag.starts_with("W/") || tag.find('\n') != std::string_view::npos ? std::string() : std::string(tag);
}

Error status_error(int status, const std::string& url) {
  const std::string what = "HTTP " + std::to_string(status) + " for " + url.substr(0, url.find('?'));
  if (status == 404) return {.code = Code::kNotFound, .message = what};
  if (status == 401) return {.code = Code::kUnauthenticated, .message = what + "; the model may ask for a token: set HF_TOKEN"};
  if (status == 403) return {.code = Code::kForbidden, .message = what + "; its licence may have to be accepted at the hub first"};
  const bool passing = status == 429 || status == 408 || status >= 500;
  return {.code = passing ? Code::kUnavailable : Code::kUpstream, .message = what};
}
bool passing(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kTimeout || error.code == Code::kCut;
}

class Transfer {
 public:
  Transfer(const Download& file, const DownloadOptions& options)
      : file_(file), options_(options), part_(file.path + ".part"), state_(part_ + ".state"), size_(file.size) {}
  ~Transfer() {
    if (fd_ >= 0) ::close(fd_);
  }

  Status run() {
    std::error_code ignored;
    fs::create_directories(fs::path(file_.path).parent_path(), ignored);
    if (size_ == 0) return open_part() ? finish() : disk();
    AJAR_TRY(probe());
    if (!open_part()) return disk();
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) return fail(Code::kConflict, part_ + ": another pull is fetching it");
    if (ranges_) {
      AJAR_TRY(fetch_ranges());
    } else {
      AJAR_TRY(fetch_whole());
    }
    return finish();
  }

 private:
  struct Chunk {
    int64_t from = 0, to = 0, have = 0;  // to: exclusive
    bool taken = false;
  };

  std::unexpected<Error> disk() const {
    return fail(Code::kUnavailable, part_ + ": " + std::strerror(errno));
  }
  bool open_part() {
    fd_ = ::open(part_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    return fd_ >= 0;
  }

  // GET with redirects. The token goes to the first origin only.
  Result<HttpReply> get(HttpCaller& caller, HttpCaller::Fields fields, const std::function<Status(const HttpReply&)>& on_head,
                        const std::function<bool(std::string_view)>& on_bytes) const {
    std::string url = file_.url;
    const auto first = parse_url(url);
    if (!first) return std::unexpected(first.error());
    for (int hop = 0; hop <= kMaxRedirects; ++hop) {
      HttpCaller::Fields sent = fields;
      const auto parsed = parse_url(url);
      if (!options_.token.empty() && parsed && parsed->origin() == first->origin()) {
        sent.emplace_back("authorization", "Bearer " + options_.token);
      }
      Status fault;
      auto reply = caller.download(url, sent, kStall, [&](const HttpReply& head) {
        if (head.status >= 300) return false;
        fault = on_head(head);
        return fault.has_value();
      }, on_bytes);
      if (!reply) return reply;
      if (!fault) return std::unexpected(std::move(fault.error()));
      if (reply->status < 300) return reply;
      const std::string_view location = reply->headers.get("location");
      if (reply->status >= 400 || location.empty()) return std::unexpected(status_error(reply->status, url));
      AJAR_ASSIGN(url, redirected(url, location));
    }
    return fail(Code::kUpstream, "the server redirects more than 5 times");
  }

  // Asks again after a while as long as the fault may pass and `attempt` says how far it came.
  template <class F>
  Status persist(F attempt) {
    for (int failed = 0;;) {
      const int64_t before = received_;
      Status status = attempt();
      if (status || !passing(status.error()) || stop_) return status;
      failed = received_ > before ? 1 : failed + 1;
      if (failed >= kTries) return status;
      std::this_thread::sleep_for(std::chrono::milliseconds(125 << failed));
    }
  }

  // One byte tells the size, the tag and whether the server knows ranges.
  Status probe() {
    HttpCaller caller(options_.proxy);
    return persist([&]() -> Status {
      int64_t said = -1;
      const auto reply = get(caller, {{"range", "bytes=0-0"}, {"accept-encoding", "identity"}}, [&](const HttpReply& head) -> Status {
        etag_ = etag_of(head.headers);
        const auto range = content_range(head.headers);
        ranges_ = head.status == 206 && range && range->from == 0;
        if (ranges_) said = range->total;
        else if (const auto length = parse_int(head.headers.get("content-length"))) said = *length;
        return {};
      }, [](std::string_view) { return false; });
      if (!reply) return std::unexpected(reply.error());
      if (file_.size >= 0 && said >= 0 && said != file_.size) {
        return fail(Code::kConflict, fs::path(file_.path).filename().string() + " has " + std::to_string(said) + " bytes where the hub says " +
                                         std::to_string(file_.size));
      }
      if (size_ < 0) size_ = said;
      ranges_ = ranges_ && size_ > 0;
      return {};
    });
  }

  Status fetch_ranges() {
    plan();
    if (::ftruncate(fd_, size_) != 0) return disk();
    int64_t have = 0;
    for (const Chunk& chunk : chunks_) have += chunk.have;
    if (have > 0 && options_.on_bytes) options_.on_bytes(have);
    const size_t missing = size_t(std::ranges::count_if(chunks_, [](const Chunk& c) { return c.have < c.to - c.from; }));
    std::vector<std::jthread> workers;
    for (size_t i = 0; i < std::min<size_t>(missing, size_t(std::max(1, options_.connections))); ++i) {
      workers.emplace_back([this] { work(); });
    }
    workers.clear();
    if (!fault_.has_value()) {
      if (fault_.error().code == Code::kConflict) drop();
      else save();
      return fault_;
    }
    return {};
  }

  // What an earlier try left, if it was of the same file.
  void plan() {
    std::ifstream in(state_);
    std::string line, tag;
    int64_t size = -1, chunk = 0;
    const bool good = std::getline(in, line) && line == "ajar download 1" && std::getline(in, tag) && bool(in >> size >> chunk) &&
                      size == size_ && chunk > 0 && chunk <= int64_t(1) << 40 && tag == identity();
    if (!good) chunk = std::max<int64_t>(1, options_.chunk);
    if (size_ / chunk > 1'000'000) chunk = size_ / 1'000'000 + 1;
    for (int64_t from = 0; from < size_; from += chunk) chunks_.push_back({from, std::min(size_, from + chunk)});
    int64_t index = 0, have = 0;
    while (good && in >> index >> have) {
      if (index < 0 || index >= int64_t(chunks_.size())) break;
      Chunk& c = chunks_[size_t(index)];
      c.have = std::clamp<int64_t>(have, 0, c.to - c.from);
    }
    chunk_ = chunk;
  }
  // By what the file is known again: its hash, or the server's tag. Without either nothing is gone on with.
  std::string identity() const { return !file_.sha256.empty() ? file_.sha256 : etag_.empty() ? "-" + new_id("") : etag_; }

  void save() {
    std::ofstream out(state_ + ".new", std::ios::trunc);
    out << "ajar download 1\n" << identity() << "\n" << size_ << " " << chunk_ << "\n";
    for (size_t i = 0; i < chunks_.size(); ++i) {
      if (chunks_[i].have > 0) out << i << " " << chunks_[i].have << "\n";
    }
    out.close();
    if (out) ::rename((state_ + ".new").c_str(), state_.c_str());
  }
  void drop() {
    ::unlink(part_.c_str());
    ::unlink(state_.c_str());
  }

  void work() {
    HttpCaller caller(options_.proxy);
    for (;;) {
      Chunk* chunk = nullptr;
      {
        const std::lock_guard lock(mutex_);
        for (Chunk& c : chunks_) {
          if (!c.taken && c.have < c.to - c.from) {
            chunk = &c;
            break;
          }
        }
        if (chunk == nullptr || stop_) return;
        chunk->taken = true;
      }
      if (const Status status = persist([&] { return fetch(caller, *chunk); }); !status) {
        const std::lock_guard lock(mutex_);
        if (fault_.has_value()) fault_ = status;
        stop_ = true;
        return;
      }
    }
  }

  Status fetch(HttpCaller& caller, Chunk& chunk) {
    const int64_t from = chunk.from + chunk.have;  // only this thread changes it
    HttpCaller::Fields fields{{"range", "bytes=" + std::to_string(from) + "-" + std::to_string(chunk.to - 1)},
                              {"accept-encoding", "identity"}};
    if (!etag_.empty()) fields.emplace_back("if-range", etag_);
    Status disk_fault;
    const auto reply = get(caller, fields, [&](const HttpReply& head) -> Status {
      const auto range = content_range(head.headers);
      const std::string tag = etag_of(head.headers);
      if (head.status != 206 || (!tag.empty() && !etag_.empty() && tag != etag_)) {
        return fail(Code::kConflict, fs::path(file_.path).filename().string() + " changed at the hub while it was fetched; start again");
      }
      if (!range || range->from != from || range->to >= chunk.to || range->total != size_) {
        return fail(Code::kUpstream, "the server answers with another range than was asked for");
      }
      return {};
    }, [&](std::string_view bytes) {
      const int64_t room = chunk.to - chunk.from - chunk.have;
      bytes = bytes.substr(0, size_t(std::min<int64_t>(room, int64_t(bytes.size()))));
      if (!put(bytes, chunk.from + chunk.have)) {
        disk_fault = disk();
        return false;
      }
      const std::lock_guard lock(mutex_);
      chunk.have += int64_t(bytes.size());
      const auto now = std::chrono::steady_clock::now();
      if (now - saved_ > std::chrono::seconds(1)) saved_ = now, save();
      return !stop_;
    });
    AJAR_TRY(disk_fault);
    if (!reply) return std::unexpected(reply.error());
    if (!stop_ && chunk.have < chunk.to - chunk.from) return fail(Code::kCut, "the server sends less than it said");
    return {};
  }

  // From a server without ranges: from the start, each time.
  Status fetch_whole() {
    HttpCaller caller(options_.proxy);
    int64_t reported = 0;
    return persist([&]() -> Status {
      int64_t at = 0;
      Status disk_fault;
      if (::ftruncate(fd_, 0) != 0) return disk();
      const auto reply = get(caller, {{"accept-encoding", "identity"}}, [](const HttpReply&) { return Status(); },
                             [&](std::string_view bytes) {
        if (size_ >= 0 && at + int64_t(bytes.size()) > size_) {
          disk_fault = fail(Code::kConflict, "the server sends more than it said");
          return false;
        }
        if (!put(bytes, at)) {
          disk_fault = disk();
          return false;
        }
        at += int64_t(bytes.size());
        if (at > reported && options_.on_bytes) options_.on_bytes(at - reported), reported = at;
        return true;
      });
      AJAR_TRY(disk_fault);
      if (!reply) return std::unexpected(reply.error());
      if (size_ >= 0 && at != size_) return fail(Code::kCut, "the server sends less than it said");
      return {};
    });
  }

  bool put(std::string_view bytes, int64_t at) {
    const bool counted = ranges_ && options_.on_bytes;
    for (std::string_view rest = bytes; !rest.empty();) {
      const ssize_t n = ::pwrite(fd_, rest.data(), rest.size(), at);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      rest.remove_prefix(size_t(n));
      at += n;
    }
    received_ += int64_t(bytes.size());
    if (counted) options_.on_bytes(int64_t(bytes.size()));
    return true;
  }

  Status finish() {
    if (::fsync(fd_) != 0) return disk();
    if (!file_.sha256.empty()) {
      AJAR_ASSIGN(const auto mapped, engine::MappedFile::open(part_));
      if (const std::string hash = sha256_hex(mapped->bytes()); hash != file_.sha256) {
        drop();
        return fail(Code::kConflict, fs::path(file_.path).filename().string() + " has the SHA-256 " + hash + " where the hub says " +
                                         file_.sha256 + "; it is deleted");
      }
    }
    if (::rename(part_.c_str(), file_.path.c_str()) != 0) return disk();
    ::unlink(state_.c_str());
    return {};
  }

  const Download& file_;
  const DownloadOptions& options_;
  const std::string part_, state_;
  int64_t size_, chunk_ = 0;
  bool ranges_ = false;
  std::string etag_;
  int fd_ = -1;
  std::atomic<int64_t> received_ = 0;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;  // guards chunks_' lengths, fault_, saved_ and the state file
  std::vector<Chunk> chunks_;
  Status fault_;
  std::chrono::steady_clock::time_point saved_ = std::chrono::steady_clock::now();
};

}  // namespace

Status download(const Download& file, const DownloadOptions& options) { return Transfer(file, options).run(); }

}  // namespace ajar::app
