#include "gateway/access_log.h"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <thread>

#include "json/write.h"

namespace ajar {

// Lines gather in memory and one thread writes them: a request never waits for the disk. What does not fit is
// counted, and the count stands in the log once there is room again.
struct AccessLog::Impl {
  static constexpr size_t kMaxWaiting = 4 << 20;

  std::FILE* file = nullptr;
  std::mutex lock;  // guards waiting, lost, stop
  std::condition_variable wake;
  std::string waiting;
  int64_t lost = 0;
  bool stop = false;
  std::thread thread;

  void run() {
    std::string lines;
    for (;;) {
      bool last = false;
      {
        std::unique_lock guard(lock);
        wake.wait_for(guard, std::chrono::seconds(1), [&] { return stop; });
        last = stop;
        lines.swap(waiting);
        if (lost > 0) {
          lines += "{\"lost_lines\":" + std::to_string(lost) + "}\n";
          lost = 0;
        }
      }
      if (!lines.empty()) {
        std::fwrite(lines.data(), 1, lines.size(), file);
        std::fflush(file);
        lines.clear();
      }
      if (last) return;
    }
  }
};

AccessLog::AccessLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

AccessLog::~AccessLog() {
  if (!impl_) return;
  {
    std::lock_guard guard(impl_->lock);
    impl_->stop = true;
  }
  impl_->wake.notify_one();
  impl_->thread.join();
  if (impl_->file != stdout) std::fclose(impl_->file);
}

Result<std::unique_ptr<AccessLog>> AccessLog::open(const std::string& where) {
  if (where == "off") return std::unique_ptr<AccessLog>(new AccessLog(nullptr));
  auto impl = std::make_unique<Impl>();
  impl->file = where == "stdout" ? stdout : std::fopen(where.c_str(), "ae");
  if (!impl->file) {
    return fail(Code::kInvalid, "cannot open the access log " + where + ": " + std::strerror(errno),
                "server.access_log");
  }
  impl->thread = std::thread([raw = impl.get()] { raw->run(); });
  return std::unique_ptr<AccessLog>(new AccessLog(std::move(impl)));
}

void AccessLog::write(const store::CallRow& call) {
  if (!impl_) return;
  std::string text = line(call);
  text.push_back('\n');
  std::lock_guard guard(impl_->lock);
  if (impl_->waiting.size() + text.size() > Impl::kMaxWaiting) ++impl_->lost;
  else impl_->waiting += text;
}

std::string AccessLog::line(const store::CallRow& call) {
  std::string out;
  out.reserve(640);
  json::Writer w(out);
  // Six places without printf, which cost more than the rest of the line.
  const auto millionths = [&](json::Name name, int64_t value) {
    char text[32];
    char* end = std::to_chars(text, text + 20, value / 1'000'000).ptr;
    *end = '.';
    for (int64_t place = 6, rest = value % 1'000'000; place > 0; --place, rest /= 10) end[place] = char('0' + rest % 10);
    w.raw_field(name, {text, size_t(end - text) + 7});
  };
  const auto seconds = [&](json::Name name, double value) { millionths(name, int64_t(std::max(0.0, value) * 1e6)); };
  w.begin_object();
  w.field("time_ms", call.time_ms);
  w.field("id", call.id);
  w.field("endpoint", call.endpoint);
  w.field("status", call.status);
  w.field("end", stream_end_name(call.end));
  if (!call.error.empty()) w.field("error", call.error);
  w.field("route", call.route);
  w.field("target", call.target);
  w.field("model", call.model);
  w.field("stream", call.stream);
  w.field("key", call.key_name);
  if (!call.team.empty()) w.field("team", call.team);
  w.field("input", call.usage.input);
  w.field("output", call.usage.output);
  if (call.usage.cached_read > 0) w.field("cached", call.usage.cached_read);
  if (!call.usage.reported) w.field("usage_estimated", true);
  millionths("cost", (call.cost + 500) / 1000);
  seconds("first_token_s", call.first_token_seconds);
  seconds("total_s", call.total_seconds);
  seconds("overhead_s", call.overhead_seconds);
  if (!call.attempts.empty() && call.attempts.back().target == store::kCacheTarget) w.field("cache", call.attempts.back().outcome);
  if (std::ranges::any_of(call.attempts, [](const auto& attempt) { return attempt.confidence >= 0 || !attempt.why.empty(); })) {
    w.key("rungs");
    w.begin_array();
    for (const auto& attempt : call.attempts) store::write_attempt(w, attempt);
    w.end_array();
  }
  if (call.attempts.size() > 1 || call.end != StreamEnd::kComplete) {
    w.key("attempts");
    w.begin_array();
    for (const auto& attempt : call.attempts) w.string(attempt.target + ": " + attempt.outcome);
    w.end_array();
  }
  w.end_object();
  return out;
}

}  // namespace ajar
