#pragma once
// For tests: a PostgreSQL of this machine on a socket in a folder that goes with the process. Root starts it as `nobody`,
// because it refuses root.

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "vectors/postgres_connection.h"
#include "vectors/stores.h"

namespace ajar::vectors {

class PostgresServer {
 public:
  // `bin`: the folder of its programs; null: where Debian puts them.
  static PostgresServer& get(const char* bin) {
    static PostgresServer one(bin == nullptr ? "" : bin);
    return one;
  }
  const std::string& why_not() const { return why_not_; }  // empty: it runs
  StoreOptions options() const {
    return {.name = "test", .kind = "pgvector", .url = "postgresql:///postgres?user=ajar&host=" + folder_, .api_key = kPassword, .timeout = Millis(120'000)};
  }
  ~PostgresServer() {
    if (child_ > 0) {
      ::kill(child_, SIGQUIT);  // at once; nothing is to be kept
      ::waitpid(child_, nullptr, 0);
    }
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }

 private:
  static constexpr const char* kPassword = "a-secret-of-postgres";

  explicit PostgresServer(std::string bin) {
    namespace fs = std::filesystem;
    std::error_code none;
    for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", none))
      if (bin.empty() && fs::exists(version.path() / "bin" / "initdb", none)) bin = (version.path() / "bin").string();
    if (bin.empty()) {
      why_not_ = "no PostgreSQL server is installed (Debian: postgresql; AJAR_POSTGRES_BIN names another)";
      return;
    }
    char made[] = "/tmp/ajar-pg-XXXXXX";
    folder_ = ::mkdtemp(made);
    const std::string as = ::getuid() == 0 ? "setpriv --reuid=nobody --regid=nogroup --clear-groups " : "";
    std::ofstream(folder_ + "/password") << kPassword << "\n";
    if (!as.empty() && std::system(("chown -R nobody:nogroup " + folder_).c_str()) != 0) why_not_ = "cannot give a folder to nobody";
    const std::string initdb = as + bin + "/initdb -D " + folder_ + "/data -U ajar --auth=scram-sha-256 --pwfile=" + folder_ + "/password -E UTF8 --locale=C --no-sync >" + folder_ + "/log 2>&1";
    if (why_not_.empty() && std::system(initdb.c_str()) != 0) why_not_ = "initdb failed: " + said();
    if (!why_not_.empty()) return;
    child_ = ::fork();
    if (child_ == 0) {
      const std::string command = "exec " + as + bin + "/postgres -D " + folder_ + "/data -k " + folder_ + " -c listen_addresses= -c fsync=off -c shared_buffers=16MB -c max_connections=20 >>" + folder_ + "/log 2>&1";
      ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      ::_exit(127);
    }
    for (int i = 0; i < 600; ++i) {
      if (const auto open = PgConnection::open(options().url, kPassword, Millis(5000), after(Millis(5000)))) return;
      std::this_thread::sleep_for(Millis(100));
    }
    why_not_ = "PostgreSQL did not start: " + said();
  }
  std::string said() const {
    std::ifstream log(folder_ + "/log");
    std::string line, last;
    while (std::getline(log, line)) last = line;
    return last;
  }

  std::string folder_, why_not_;
  pid_t child_ = -1;
};

}  // namespace ajar::vectors
