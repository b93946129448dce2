#include "rag/convert.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/clock.h"

namespace ajar::rag {
namespace {

std::unexpected<Error> unavailable(std::string_view what) {
  return fail(Code::kUnavailable, "the converter: " + std::string(what) + ": " + std::strerror(errno));
}

struct Fd {
  int fd = -1;
  Fd() = default;
  explicit Fd(int f) : fd(f) {}
  Fd(Fd&& other) noexcept : fd(std::exchange(other.fd, -1)) {}
  ~Fd() { close(); }
  void close() {
    if (fd >= 0) ::close(std::exchange(fd, -1));
  }
};

Result<Fd> file_in_memory(std::string_view bytes) {
  Fd file(memfd_create("document", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (file.fd < 0) return unavailable("memory for the file");
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t n = ::write(file.fd, bytes.data() + at, bytes.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return unavailable("memory for the file");
    at += static_cast<size_t>(n);
  }
  fcntl(file.fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
  return file;
}

void limit(int what, rlim_t most) {
  const rlimit value{most, most};
  setrlimit(static_cast<__rlimit_resource_t>(what), &value);
}

// Between fork and exec: only what is allowed there. Never returns.
[[noreturn]] void become_helper(char* const* argv, int file, int out, const ConvertOptions& options) {
  setpgid(0, 0);
  // Away from 3 and 4 first, so that neither overwrites the other.
  const int high_file = fcntl(file, F_DUPFD, 10), high_out = fcntl(out, F_DUPFD, 10), null = open("/dev/null", O_RDWR);
  dup2(null, 0), dup2(null, 1), dup2(null, 2), dup2(high_file, 3), dup2(high_out, 4);
  // All that the server has open, however much it is. Older kernels lack the call.
  if (syscall(SYS_close_range, 5U, ~0U, 0U) != 0)
    for (int fd = 5; fd < 65'536; ++fd) ::close(fd);
  limit(RLIMIT_CPU, static_cast<rlim_t>(options.processor_seconds));
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, 64);
#ifndef AJAR_SANITIZED
  limit(RLIMIT_AS, options.memory);  // a sanitizer's shadow is larger than any limit
#endif
  execv(argv[0], argv);
  _exit(127);
}

// The rest of the time until `deadline`, for poll.
int millis_left(TimePoint deadline) {
  const auto left = std::chrono::duration_cast<Millis>(deadline - now()).count();
  return left <= 0 ? 0 : static_cast<int>(std::min<int64_t>(left, 1 << 30));
}

}  // namespace

Result<Extracted> convert(std::string_view bytes, std::string_view name, const ConvertOptions& options) {
  if (bytes.size() > options.file) return fail(Code::kTooLarge, "the file is larger than " + std::to_string(options.file >> 20) + " MiB");
  if (bytes.empty()) return fail(Code::kInvalid, "it is empty");
  AJAR_ASSIGN(Fd file, file_in_memory(bytes));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return unavailable("a pipe");
  Fd in(ends[0]), out(ends[1]);
  std::vector<std::string> words = options.command;
  words.emplace_back(name.substr(name.size() - std::min<size_t>(name.size(), 255)));
  if (options.ocr.on) words.push_back(write_ocr(options.ocr));
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const pid_t child = fork();
  if (child < 0) return unavailable("a process");
  if (child == 0) become_helper(argv.data(), file.fd, out.fd, options);
  setpgid(child, child);  // the child does the same: whoever comes first
  out.close();
  file.close();

  const bool maybe_scanned = options.ocr.on && (is_picture(bytes) || bytes.substr(0, 1024).find("%PDF-") != std::string_view::npos);
  const Millis wall = options.wall + (maybe_scanned ? std::chrono::seconds(options.ocr.seconds) : std::chrono::seconds(0));
  const TimePoint deadline = after(wall);
  std::string answer;
  bool late = false, large = false;
  while (true) {
    pollfd waiting{in.fd, POLLIN, 0};
    const int ready = poll(&waiting, 1, millis_left(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      late = true;
      break;
    }
    char block[65536];
    const ssize_t n = ::read(in.fd, block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    answer.append(block, static_cast<size_t>(n));
    if (answer.size() > options.result) {
      large = true;
      break;
    }
  }
  kill(-child, SIGKILL);  // and pdftotext with it; the answer is whole, or will not come
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (late) return fail(Code::kTimeout, "reading it took longer than " + std::to_string(wall.count() / 1000) + " s");
  if (large) return fail(Code::kTooLarge, "its text is larger than is allowed");
  if (answer.empty()) {
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) return fail(Code::kUnavailable, "the converter could not be started: " + options.command.front());
    if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL)) {
      return fail(Code::kTooLarge, "reading it took more than " + std::to_string(options.processor_seconds) + " s of processor time");
    }
  }
  return read_result(answer);
}

}  // namespace ajar::rag
