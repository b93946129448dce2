#include "app/bench_child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace ajar::app {
namespace {

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The value behind "name" in a file of "name: value" lines.
std::string line_value(const std::string& text, const std::string& name) {
  const size_t at = text.find(name);
  if (at == text.npos) return {};
  const size_t from = text.find_first_not_of(" \t:", at + name.size());
  return from == text.npos ? "" : text.substr(from, text.find('\n', from) - from);
}

}  // namespace

Result<std::unique_ptr<TemporaryPlace>> TemporaryPlace::make() {
  char pattern[] = "/tmp/ajar-tool-XXXXXX";
  const char* made = mkdtemp(pattern);
  if (made == nullptr) return fail(Code::kUnavailable, std::string("no temporary folder: ") + std::strerror(errno));
  return std::unique_ptr<TemporaryPlace>(new TemporaryPlace(made));
}

TemporaryPlace::~TemporaryPlace() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Status TemporaryPlace::write(const std::string& name, const std::string& text) const {
  std::ofstream file(path_ + "/" + name, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return fail(Code::kUnavailable, "cannot write " + path_ + "/" + name);
  return {};
}

Result<std::unique_ptr<Child>> Child::start(const std::vector<std::string>& args, const std::string& log) {
  std::vector<std::string> words = {"ajar"};
  words.insert(words.end(), args.begin(), args.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  char path[] = "PATH=/usr/bin:/bin", colour[] = "NO_COLOR=1";
  char* environment[] = {path, colour, nullptr};
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (out < 0) return fail(Code::kUnavailable, "cannot write " + log);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {  // only what is allowed between fork and exec
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    dup2(out, 1);
    dup2(out, 2);
    execve("/proc/self/exe", argv.data(), environment);
    _exit(127);
  }
  close(out);
  if (pid < 0) return fail(Code::kUnavailable, std::string("no process could be made: ") + std::strerror(errno));
  return std::unique_ptr<Child>(new Child(pid, log));
}

Child::~Child() { stop(); }

bool Child::ended() {
  if (pid_ <= 0) return true;
  if (waitpid(pid_, nullptr, WNOHANG) != pid_) return false;
  pid_ = -1;
  return true;
}

void Child::stop() {
  if (ended()) return;
  kill(pid_, SIGTERM);
  const TimePoint patience = after(Millis(3000));
  while (now() < patience) {
    if (ended()) return;
    std::this_thread::sleep_for(Millis(2));
  }
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::string Child::output() const { return read_all(log_); }

Result<std::string> Child::url(Millis patience) {
  const TimePoint until = after(patience);
  for (;;) {
    const bool gone = ended();
    const std::string text = output();
    const size_t at = text.find("http://127.0.0.1:");
    const size_t end = at == text.npos ? at : text.find_first_not_of("0123456789", at + 17);
    if (end != text.npos) return text.substr(at, end - at);
    if (gone) return fail(Code::kUnavailable, "a child process ended: " + text.substr(0, 800));
    if (now() > until) return fail(Code::kTimeout, "a child process does not listen: " + text.substr(0, 800));
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
}

Cpu cpu_of(pid_t pid) {
  clockid_t clock;
  timespec t{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0) return {};
  const double total = double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
  const std::string stat = read_all("/proc/" + std::to_string(pid) + "/stat");
  const size_t paren = stat.rfind(')');
  if (paren == stat.npos) return {};
  std::istringstream rest(stat.substr(paren + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) rest >> skipped;
  double user = 0, system = 0;
  rest >> user >> system;
  const double ticks = user + system;
  return ticks > 0 ? Cpu{total * user / ticks, total * system / ticks} : Cpu{total, 0};
}

Cpu cpu_of(const std::vector<pid_t>& pids) {
  Cpu sum;
  for (const pid_t pid : pids) sum = sum + cpu_of(pid);
  return sum;
}

Memory memory_of(pid_t pid) {
  const std::string status = read_all("/proc/" + std::to_string(pid) + "/status");
  return {std::atof(line_value(status, "VmRSS").c_str()) / 1024, std::atof(line_value(status, "VmHWM").c_str()) / 1024};
}

Machine this_machine() {
  Machine machine;
  machine.cores = int(std::thread::hardware_concurrency());
  machine.cpu = line_value(read_all("/proc/cpuinfo"), "model name");
  utsname name{};
  uname(&name);
  machine.kernel = std::string(name.sysname) + " " + name.release + " " + name.machine;
  const std::string load = read_all("/proc/loadavg");
  machine.load = load.substr(0, load.find(' '));
  return machine;
}

}  // namespace ajar::app
