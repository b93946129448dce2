#include "rag/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace ajar::rag {

Result<MemoryFile> MemoryFile::make(std::string_view bytes) {
  MemoryFile file(memfd_create("part", 0));  // inherited
  if (file.fd_ < 0) return fail(Code::kUnavailable, std::string("no memory for the file: ") + std::strerror(errno));
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t n = ::write(file.fd_, bytes.data() + at, bytes.size() - at);
    if (n <= 0) return fail(Code::kUnavailable, std::string("no memory for the file: ") + std::strerror(errno));
    at += static_cast<size_t>(n);
  }
  ::lseek(file.fd_, 0, SEEK_SET);
  return file;
}

MemoryFile::~MemoryFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<ProgramOutput> run_program(const std::vector<std::string>& words, const MemoryFile* input, size_t most, TimePoint deadline) {
  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) != 0) return fail(Code::kUnavailable, std::string("no pipe: ") + std::strerror(errno));
  if (pipe2(err, O_CLOEXEC) != 0) {
    ::close(out[0]), ::close(out[1]);
    return fail(Code::kUnavailable, std::string("no pipe: ") + std::strerror(errno));
  }
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const std::string program = find_program(words[0]);
  const pid_t child = fork();
  if (child == 0) {
    if (input != nullptr) dup2(input->fd(), 0);
    dup2(out[1], 1), dup2(err[1], 2);
    execv(program.c_str(), argv.data());
    _exit(127);
  }
  ::close(out[1]), ::close(err[1]);
  ProgramOutput result;
  pollfd waiting[2] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  bool too_much = false, late = false;
  for (int open = child < 0 ? 0 : 2; open > 0;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now()).count();
    const int ready = left <= 0 ? 0 : poll(waiting, 2, static_cast<int>(std::min<int64_t>(left, 1 << 30)));
    if (ready < 0 && errno != EINTR) break;
    if (ready == 0) {
      late = true, kill(child, SIGKILL);
      break;
    }
    for (int i = 0; i < 2; ++i) {
      if (waiting[i].fd < 0 || waiting[i].revents == 0) continue;
      char block[65536];
      const ssize_t n = ::read(waiting[i].fd, block, sizeof block);
      if (n <= 0) {
        waiting[i].fd = -1, --open;
      } else if (i == 1) {
        if (result.complaint.size() < 4096) result.complaint.append(block, static_cast<size_t>(n));
      } else if (result.text.size() + static_cast<size_t>(n) > most) {
        too_much = true, kill(child, SIGKILL);
      } else {
        result.text.append(block, static_cast<size_t>(n));
      }
    }
  }
  ::close(out[0]), ::close(err[0]);
  if (child < 0) return fail(Code::kUnavailable, std::string("no process: ") + std::strerror(errno));
  while (waitpid(child, &result.status, 0) < 0 && errno == EINTR) {
  }
  if (too_much) return fail(Code::kTooLarge, "what " + words[0] + " makes of it is larger than " + std::to_string(most >> 20) + " MiB");
  if (late) return fail(Code::kTimeout, words[0] + " took longer than is allowed");
  return result;
}

namespace {
std::string& program_path() {
  static std::string path = "/usr/local/bin:/usr/bin:/bin";
  return path;
}
}  // namespace

void look_for_programs_in(std::string_view path) {
  if (!path.empty()) program_path() = path;
}

std::string find_program(std::string_view name) {
  for (const std::string_view folder : split(program_path(), ':')) {
    const std::string whole = std::string(folder) + "/" + std::string(name);
    if (folder.starts_with('/') && ::access(whole.c_str(), X_OK) == 0) return whole;
  }
  return {};
}

}  // namespace ajar::rag
