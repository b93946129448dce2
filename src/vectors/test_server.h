#pragma once
// For tests: an emulated store (tests/stores/emulator.py) as a process, and what its tests ask of it.

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "json/read.h"
#include "vectors/http_caller.h"

namespace ajar::vectors {

class Emulator {
 public:
  Emulator(const std::string& source, std::string kind, std::string key) : kind_(std::move(kind)), key_(std::move(key)), script_(source + "/tests/stores/emulator.py") {
    start("0");
  }
  ~Emulator() { stop(); }
  Emulator(const Emulator&) = delete;

  bool there() const { return !url_.empty(); }  // false: no python3
  const std::string& url() const { return url_; }
  CallHttp http() {
    return [this](const HttpAsk& ask) { return caller_.call(ask); };
  }
  StoreOptions options() const { return {.name = "test", .kind = kind_, .url = url_, .api_key = key_, .timeout = Millis(120'000)}; }
  void fault(const std::string& mode) { control("/-/fault", "{\"mode\":\"" + mode + "\"}"); }
  void lose(const std::string& body) { control("/-/lose", body); }
  void set(const std::string& body) { control("/-/set", body); }
  std::string log() { return control("/-/log", "{}"); }
  void stop() {
    if (child_ <= 0) return;
    ::close(input_);  // it ends by itself
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = -1;
  }
  void restart() {  // at the same address, with nothing in it
    stop();
    start(url_.substr(url_.rfind(':') + 1));
  }

 private:
  void start(const std::string& port) {
    int out[2], in[2];
    if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(in, O_CLOEXEC) != 0) return;
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::execlp("python3", "python3", script_.c_str(), kind_.c_str(), "--key", key_.c_str(), "--port", port.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(out[1]);
    ::close(in[0]);
    input_ = in[1];
    std::string line;
    char c;
    while (::read(out[0], &c, 1) == 1 && c != '\n') line += c;
    ::close(out[0]);
    url_ = line;
  }
  std::string control(const std::string& path, const std::string& body) {
    auto answer = caller_.call({.method = "POST", .url = url_ + path, .body = body});
    return answer ? answer->body : "";
  }

  std::string kind_, key_, script_, url_;
  pid_t child_ = -1;
  int input_ = -1;
  HttpCaller caller_;
};

}  // namespace ajar::vectors
