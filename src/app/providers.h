#pragma once
// What the targets of a configuration are asked through, and the task models that its targets and policies ask. A server makes its
// snapshots of these; `ajar check` makes one too and throws it away, so that it refuses what a server would refuse.

#include <memory>
#include <string>

#include "core/documents.h"
#include "core/provider.h"
#include "gateway/route.h"
#include "learn/task_model.h"
#include "provider/clients.h"
#include "provider/model_host.h"
#include "provider/upstream.h"

namespace ajar::app {

UpstreamSpec spec_of(const ProviderConfig& provider);

// One thread at a time. `models`, `clients` and `documents` must outlive this and what it makes.
class Providers {
 public:
  Providers(ModelHost& models, Clients& clients, const Documents& documents);
  Providers(const Providers&) = delete;
  Providers& operator=(const Providers&) = delete;

  // The next snapshot. kInvalid and others name the route, provider, policy or task at fault.
  Result<std::shared_ptr<const Snapshot>> build(const Config& config);

 private:
  Result<std::shared_ptr<Provider>> provider(const ProviderConfig& provider, const TargetConfig& target);
  Result<std::shared_ptr<Provider>> model_provider(const ProviderConfig& provider, const TargetConfig& target);
  Result<std::shared_ptr<Provider>> task_provider(const std::string& name);
  Result<std::shared_ptr<const guard::LabelModel>> label_model(const std::string& name) const;
  Result<learn::TaskModel> load_task(const std::string& name) const;

  ModelHost& models_;
  Clients& clients_;
  const Documents& documents_;
  Upstreams upstreams_;
  SnapshotBuilder builder_;
  const Config* config_ = nullptr;  // that a snapshot is being built of
};

}  // namespace ajar::app
