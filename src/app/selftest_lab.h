#pragma once
// Where the selftest works: a simulator and a server as processes of their own, or a given server.

#include <memory>
#include <string>
#include <vector>

#include "app/bench_child.h"
#include "app/selftest_check.h"
#include "http/client.h"
#include "net/loop.h"

namespace ajar::app {

struct SelftestOptions {
  std::string url, key, model;  // of a given server
  std::vector<std::string> only;
  bool matrix = false;          // only the tables of matrix.h
};

struct Ask {
  std::string method = "POST", path = "/v1/chat/completions", body;
  std::string key = "-";                                        // "-": the lab's own
  std::function<bool(std::string_view bytes)> on_bytes;         // on the loop's thread; false leaves
};

class Lab {
 public:
  static Result<std::unique_ptr<Lab>> start(SelftestOptions options);
  ~Lab();

  bool own() const { return options_.url.empty(); }
  const std::string& model() const { return options_.model; }
  Heard ask(const Ask& ask);                             // from any thread
  Heard admin(const std::string& method, const std::string& path, const std::string& body = {});
  std::string mock(const std::string& path);             // the simulator's answer to a GET
  std::string mock_url() const { return mock_url_; }
  std::string new_key(const std::string& members);       // its secret, empty: refused
  // Rows of the call log by request id: waits until this one is there (10 s at most), then gives up to 10,000.
  std::string calls(const std::string& until_id);
  // The first part of the configuration stays; `more` follows it.
  Status write_config(const std::string& more);

 private:
  explicit Lab(SelftestOptions options) : options_(std::move(options)), loops_(1) {}
  Status build();
  Heard send(const std::string& base, const std::string& token, const Ask& ask);

  SelftestOptions options_;
  std::unique_ptr<TemporaryPlace> place_;
  std::unique_ptr<Child> mock_, serve_;
  std::string mock_url_, url_, key_, admin_token_, config_;
  LoopGroup loops_;
  std::unique_ptr<Client> client_;
};

// The parts of the test. Each adds its checks.
std::string wall_config(const std::string& mock_url);
void test_wall(Lab& lab, Checks& checks);
std::string matrix_config(const std::string& mock_url);
void test_matrix(Lab& lab, Checks& checks);
std::string server_config(const std::string& mock_url);
void test_server(Lab& lab, Checks& checks);

}  // namespace ajar::app
