#pragma once
// Child processes of the tools: this very binary, run with other arguments; and what the kernel knows of a process.

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace ajar::app {

// A folder of its own under /tmp; removed with everything in it.
class TemporaryPlace {
 public:
  static Result<std::unique_ptr<TemporaryPlace>> make();
  ~TemporaryPlace();
  const std::string& path() const { return path_; }
  Status write(const std::string& name, const std::string& text) const;

 private:
  explicit TemporaryPlace(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// "ajar ARGS…" with an empty environment, so that a person's keys and proxies change nothing. Ends with its parent.
class Child {
 public:
  // Output of both kinds goes to the file `log`.
  static Result<std::unique_ptr<Child>> start(const std::vector<std::string>& args, const std::string& log);
  ~Child();  // stop()

  pid_t pid() const { return pid_; }
  // The first "http://host:port" of its output. The error quotes what it said instead.
  Result<std::string> url(Millis patience = Millis(20'000));
  std::string output() const;
  void stop();  // SIGTERM, after three seconds SIGKILL

 private:
  Child(pid_t pid, std::string log) : pid_(pid), log_(std::move(log)) {}
  bool ended();
  pid_t pid_;
  std::string log_;
};

struct Cpu {  // seconds
  double user = 0, system = 0;
  double total() const { return user + system; }
  Cpu operator-(const Cpu& other) const { return {user - other.user, system - other.system}; }
  Cpu operator+(const Cpu& other) const { return {user + other.user, system + other.system}; }
};
// The sum comes from the process's CPU clock; its parts from /proc/PID/stat, whose ticks are 10 ms.
Cpu cpu_of(pid_t pid);
Cpu cpu_of(const std::vector<pid_t>& pids);

struct Memory {  // MiB
  double now = 0, peak = 0;
};
Memory memory_of(pid_t pid);

// One line of /proc/cpuinfo, /proc/loadavg, uname: what a figure is worth without it.
struct Machine {
  int cores = 0;
  std::string cpu, kernel, load;
};
Machine this_machine();

}  // namespace ajar::app
