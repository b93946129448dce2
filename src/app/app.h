#pragma once
// A running Ajar: the one place that builds objects and joins them. Everything is owned here, in the order in which it
// must outlive the next.

#include <memory>
#include <mutex>
#include <string>

#include "api/api.h"
#include "api/batch_runner.h"
#include "app/config_file.h"
#include "app/files.h"
#include "app/providers.h"
#include "core/documents.h"
#include "gateway/gateway.h"
#include "http/server.h"
#include "net/blocking.h"
#include "net/loop.h"
#include "provider/clients.h"
#include "provider/model_host.h"

namespace ajar::app {

std::vector<ModelSpec> specs_of(const Config& config);
ProxyConfig proxies(const Environment& environment);  // of https_proxy, http_proxy and no_proxy

struct AppOptions {
  std::string config_path;    // empty: built-in defaults
  std::string simulator_url;  // for the defaults
  std::string data_folder;    // over the configuration's
  std::vector<std::string> listen;  // over the configuration's
  bool quiet = false;               // no access log
  Environment environment;
};

class App {
 public:
  // Everything up to listening. Errors are for a person and complete.
  static Result<std::unique_ptr<App>> start(AppOptions options);
  ~App();

  // Reads the configuration again. The error has every fault of the file.
  Result<int64_t> reload();
  // Stops accepting, lets running answers end, then closes. True when nothing had to be cut.
  bool drain();
  // Once a minute or so: old call rows go.
  void tidy();

  const Config& config() const { return config_; }
  Tenants& tenants() { return *tenants_; }
  uint16_t port() const { return server_->port(0); }
  std::string url() const;
  const std::string& admin_token() const { return admin_token_; }

 private:
  explicit App(AppOptions options) : options_(std::move(options)) {}
  Status build();
  std::expected<Config, ConfigFaults> read();
  Status restore_watches(const Snapshot& snapshot);  // from the evidence that is kept
  Status restore_trials(const Snapshot& snapshot);   // canaries and shadows, from what they had shown
  void keep_trials();                                // as of now

  AppOptions options_;
  Config config_;
  std::unique_ptr<DataFolder> folder_;
  std::string admin_token_;
  std::unique_ptr<AccessLog> access_log_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Tenants> tenants_;
  std::unique_ptr<AnswerCache> answers_;
  std::unique_ptr<Memory> memory_;
  std::unique_ptr<Auditor> auditor_;
  std::unique_ptr<const Privacy> privacy_;
  std::unique_ptr<Shadows> shadows_;
  Metrics metrics_;
  std::unique_ptr<LoopGroup> loops_;
  std::unique_ptr<Clients> clients_;
  std::unique_ptr<ModelHost> models_;  // its engines post to the loops until they stop
  std::mutex reload_lock_;  // guards providers_ and what reload changes
  std::unique_ptr<rag::Library> library_;
  std::unique_ptr<BlockingPool> blocking_, documents_, searches_;  // for short calls, those that read files, and those that wait for models
  std::unique_ptr<const Documents> quoted_;
  std::unique_ptr<Providers> providers_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<store::Blobs> blobs_;
  std::unique_ptr<api::BatchRunner> runner_;
  std::unique_ptr<api::Api> api_;
  std::unique_ptr<Server> server_;
};

inline constexpr const char* kVersion = "0.1.0";

}  // namespace ajar::app
