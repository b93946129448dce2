#include "app/providers.h"

#include <algorithm>

#include "app/builtin_task.h"
#include "provider/grounded.h"
#include "provider/local.h"
#include "provider/remote.h"
#include "provider/task.h"

namespace ajar::app {

UpstreamSpec spec_of(const ProviderConfig& provider) {
  return {.provider = provider.name, .preset = provider.preset, .base_url = provider.base_url,
          .api_key = provider.api_key, .api_version = provider.api_version, .ca_file = provider.ca_file,
          .completions = provider.completions,
          .headers = {provider.headers.begin(), provider.headers.end()},
          .keep_unknown = provider.keep_unknown, .tls_insecure = provider.tls_insecure,
          .region = provider.region, .access_key_id = provider.access_key_id,
          .secret_access_key = provider.secret_access_key, .session_token = provider.session_token,
          .project = provider.project, .location = provider.location, .credentials = provider.credentials};
}

Providers::Providers(ModelHost& models, Clients& clients, const Documents& documents)
    : models_(models), clients_(clients), documents_(documents),
      builder_([this](const ProviderConfig& config, const TargetConfig& target) { return provider(config, target); }) {
  builder_.set_label_models([this](const std::string& task) { return label_model(task); });
}

Result<std::shared_ptr<const Snapshot>> Providers::build(const Config& config) {
  config_ = &config;
  auto snapshot = builder_.build(config);
  config_ = nullptr;
  return snapshot;
}

Result<std::shared_ptr<Provider>> Providers::provider(const ProviderConfig& provider, const TargetConfig& target) {
  std::shared_ptr<Provider> model;
  if (provider.preset != "documents") {
    AJAR_ASSIGN(model, model_provider(provider, target));
  }
  if (target.collection.empty()) return model;
  return std::make_shared<GroundedProvider>(documents_, GroundedOptions{.collection = target.collection, .in_text = target.sources_in_text}, std::move(model));
}

Result<learn::TaskModel> Providers::load_task(const std::string& name) const {
  const auto task = std::ranges::find(config_->tasks, name, &TaskConfig::name);
  if (task == config_->tasks.end()) return fail(Code::kNotFound, "there is no [tasks." + name + "]");
  auto model = task->path == kBuiltinTask ? learn::TaskModel::parse(builtin_task()) : learn::TaskModel::load(task->path);
  if (!model) return std::unexpected(std::move(model).error().in("tasks." + name));
  return model;
}

Result<std::shared_ptr<const guard::LabelModel>> Providers::label_model(const std::string& name) const {
  AJAR_ASSIGN(auto loaded, load_task(name));
  if (loaded.width() > 0) return fail(Code::kUnsupported, "tasks." + name + ": policies ask task models without embeddings");
  auto labels = loaded.labels();
  const auto tell = [model = std::make_shared<const learn::TaskModel>(std::move(loaded))](std::string_view text) -> Result<guard::LabelAnswer> {
    AJAR_ASSIGN(const auto prediction, model->predict(text, {}, model->labels().size()));
    const bool sure = prediction.in_scope && (!model->lineage().guaranteed || prediction.confidence >= model->lineage().threshold);
    guard::LabelAnswer answer{.label = sure ? model->labels()[prediction.ranked.front().label] : "unknown", .shares = std::vector<double>(prediction.ranked.size())};
    for (const auto& [label, probability] : prediction.ranked) answer.shares[label] = probability;
    return answer;
  };
  return std::make_shared<const guard::LabelModel>(guard::LabelModel{.labels = std::move(labels), .tell = tell});
}

Result<std::shared_ptr<Provider>> Providers::model_provider(const ProviderConfig& provider, const TargetConfig& target) {
  if (provider.preset == "local") return std::make_shared<LocalProvider>(models_, target.model);
  if (provider.preset == "task") return task_provider(target.model);
  AJAR_ASSIGN(auto upstream, upstreams_.get(spec_of(provider)));
  return std::make_shared<RemoteProvider>(std::move(upstream), target.model, target.max_tokens, clients_);
}

Result<std::shared_ptr<Provider>> Providers::task_provider(const std::string& name) {
  AJAR_ASSIGN(auto model, load_task(name));
  const auto task = std::ranges::find(config_->tasks, name, &TaskConfig::name);
  auto embedder = task->embedder.empty() ? nullptr : std::make_shared<LocalProvider>(models_, task->embedder);
  auto made = TaskProvider::make(name, std::move(model), std::move(embedder));
  if (!made) return std::unexpected(std::move(made).error().in("tasks." + name));
  return std::shared_ptr<Provider>(std::move(*made));
}

}  // namespace ajar::app
