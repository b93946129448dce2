#include "app/app.h"

#include <malloc.h>

#include <algorithm>
#include <thread>

#include "base/log.h"
#include "app/local_models.h"
#include "app/rag_context.h"
#include "app/rag_rerank.h"
#include "app/rag_parts.h"

namespace ajar::app {

std::vector<ModelSpec> specs_of(const Config& config) {
  std::vector<ModelSpec> specs;
  for (const ModelConfigEntry& model : config.models) {
    specs.push_back({.name = model.name, .path = model.path, .context = model.context, .cache_bytes = model.cache_bytes,
                     .deterministic = model.deterministic, .exact = model.exact, .pinned = model.pinned, .chat_template = model.chat_template,
                     .adapters = model.adapters, .kv = engine::find_kv_type(model.kv).value_or(engine::KvType::kF16), .speculate = int(model.speculate),
                     .draft = model.draft, .prefix_disk = model.prefix_disk, .prefix_disk_bytes = model.prefix_disk_mb << 20});
  }
  return specs;
}

namespace {

// Without a configuration, what `ajar pull` brought is served under its own name.
void add_local_models(Config& config) {
  const std::vector<LocalModel> models = local_models(config.store.path);
  if (models.empty()) return;
  config.providers.push_back({.name = "here", .preset = "local"});
  for (const LocalModel& model : models) {
    config.routes.push_back({.name = model.name, .description = "An open model in this process",
                             .targets = {{.provider = "here", .model = model.name}}});
  }
}

std::vector<Metrics::EngineModel> engine_models(const ModelHost& host) {
  std::vector<Metrics::EngineModel> out;
  for (const ModelStatus& m : host.status()) {
    out.push_back({.name = m.name, .ready = m.state == ModelState::kReady, .bytes = m.bytes, .running = m.metrics.running,
                   .waiting = m.metrics.waiting, .free_pages = m.metrics.free_pages, .total_pages = m.metrics.total_pages,
                   .prompt_tokens = m.metrics.prompt_tokens, .cached_tokens = m.metrics.cached_tokens,
                   .output_tokens = m.metrics.output_tokens, .steps = m.metrics.steps, .preemptions = m.metrics.preemptions,
                   .stalls = m.metrics.stalls, .guessed = m.metrics.proposed, .guessed_right = m.metrics.accepted,
                   .drafted = m.metrics.drafted, .drafted_right = m.metrics.drafted_accepted, .disk_bytes = m.metrics.disk.bytes,
                   .disk_written = m.metrics.disk.written, .disk_read = m.metrics.disk.read, .disk_dropped = m.metrics.disk.dropped,
                   .disk_damaged = m.metrics.disk.removed_damaged, .disk_foreign = m.metrics.disk.removed_foreign, .disk_old = m.metrics.disk.removed_old});
  }
  return out;
}

}  // namespace

// Upper-case names win over lower-case ones nowhere else either; http_proxy in upper case is not read, because a CGI
// server would set it from a request header.
ProxyConfig proxies(const Environment& environment) {
  const auto first = [&](const char* lower, const char* upper) {
    const auto value = environment(lower);
    return value && !value->empty() ? *value : environment(upper).value_or("");
  };
  return {.http_proxy = environment("http_proxy").value_or(""),
          .https_proxy = first("https_proxy", "HTTPS_PROXY"),
          .no_proxy = first("no_proxy", "NO_PROXY")};
}

Result<std::unique_ptr<App>> App::start(AppOptions options) {
  std::unique_ptr<App> app(new App(std::move(options)));
  AJAR_TRY(app->build());
  return app;
}

std::expected<Config, ConfigFaults> App::read() {
  auto config = options_.config_path.empty()
                    ? std::expected<Config, ConfigFaults>(
                          default_config(options_.environment, options_.simulator_url))
                    : read_config_file(options_.config_path, options_.environment);
  if (!config) return config;
  if (!options_.data_folder.empty()) config->store.path = options_.data_folder;
  if (!options_.listen.empty()) config->server.listen = options_.listen;
  if (options_.quiet) config->server.access_log = "off";
  if (options_.config_path.empty()) add_local_models(*config);
  return config;
}

Status App::build() {
  auto config = read();
  if (!config) return fail(Code::kInvalid, config.error().text());
  config_ = *config;

  AJAR_ASSIGN(folder_, DataFolder::hold(config_.store.path));
  admin_token_ = config_.server.admin_token;
  if (admin_token_.empty()) {
    AJAR_ASSIGN(admin_token_, folder_->admin_token());
  }
  AJAR_ASSIGN(access_log_, AccessLog::open(config_.server.access_log));
  AJAR_ASSIGN(store_, store::Store::open(folder_->database()));
  AJAR_ASSIGN(tenants_, Tenants::load(*store_));
  AJAR_ASSIGN(answers_, AnswerCache::open(config_.cache.max_bytes, config_.cache.persist ? folder_->answers() : ""));
  memory_ = std::make_unique<Memory>(*answers_);
  if (config_.cache.persist) AJAR_TRY(memory_->alike.keep_in(folder_->alike(), memory_->lives()));
  AJAR_ASSIGN(std::string mask_secret, folder_->mask_secret());
  AJAR_ASSIGN(const auto entities, read_entities(config_.privacy.entities));
  privacy_ = std::make_unique<const Privacy>(Privacy{.scanner = guard::Scanner({.entities = entities}), .secret = std::move(mask_secret)});
  auditor_ = std::make_unique<Auditor>(*store_, metrics_);
  shadows_ = std::make_unique<Shadows>(*store_, metrics_, *privacy_);

  const size_t threads = config_.server.threads > 0 ? size_t(config_.server.threads)
                                                    : std::max(1u, std::thread::hardware_concurrency());
  loops_ = std::make_unique<LoopGroup>(threads);
  AJAR_ASSIGN(clients_, Clients::make(*loops_, {.proxy = proxies(options_.environment)}));
  AJAR_ASSIGN(models_, ModelHost::make({.threads = int(config_.engine.threads), .memory_bytes = config_.engine.memory_bytes,
                                        .kernels = config_.engine.kernels},
                                       [data = config_.store.path](const std::string& name) -> Result<std::string> {
                                         AJAR_ASSIGN(const auto model, find_local_model(data, name));
                                         return model.path;
                                       }));
  models_->configure(specs_of(config_));
  blocking_ = std::make_unique<BlockingPool>(2);
  documents_ = std::make_unique<BlockingPool>(2);
  searches_ = std::make_unique<BlockingPool>(8);
  quoted_ = std::make_unique<LibraryDocuments>(library_, *searches_);
  providers_ = std::make_unique<Providers>(*models_, *clients_, *quoted_);
  AJAR_ASSIGN(auto snapshot, providers_->build(config_));
  AJAR_TRY(restore_watches(*snapshot));
  AJAR_TRY(restore_trials(*snapshot));
  gateway_ = std::make_unique<Gateway>(GatewayParts{.tenants = *tenants_, .store = *store_,
                                                    .metrics = metrics_, .access_log = *access_log_, .memory = *memory_, .auditor = *auditor_,
                                                    .shadows = *shadows_, .privacy = *privacy_},
                                       std::move(snapshot));
  auto library = library_options(config_.store.path, config_.rag, config_.vector_stores, proxies(options_.environment), *models_);
  library.collection.on_store = [this](const std::string& store, std::string_view event) { metrics_.vector_store(store, event); };
  if (!config_.rag.context_route.empty()) {
    library.collection.context = gateway_context_writer(config_.rag.context_route, size_t(config_.rag.context_at_once), *gateway_, *tenants_, (*loops_)[0]);
  }
  library.collection.rerank.score = gateway_score(*gateway_, *tenants_, metrics_, (*loops_)[0]);
  AJAR_ASSIGN(library_, rag::Library::open(std::move(library)));
  AJAR_ASSIGN(auto blobs, store::Blobs::open(folder_->blobs()));
  blobs_ = std::make_unique<store::Blobs>(std::move(blobs));
  runner_ = std::make_unique<api::BatchRunner>(api::BatchParts{
      .store = *store_, .blobs = *blobs_, .tenants = *tenants_, .gateway = *gateway_, .blocking = *blocking_,
      .loop = (*loops_)[0], .calls_in_flight = [this] { return int64_t(metrics_.in_flight().Value()); },
      .limits = {.concurrency = config_.batches.concurrency, .max_lines = config_.batches.max_lines}});
  api_ = std::make_unique<api::Api>(api::ApiParts{
      .gateway = *gateway_, .tenants = *tenants_, .store = *store_, .metrics = metrics_,
      .memory = *memory_, .privacy = *privacy_, .blocking = *blocking_, .blobs = *blobs_, .runner = runner_.get(),
      .library = *library_, .searches = *searches_, .documents = *documents_, .reload = [this] { return reload(); },
      .connections = [this] { return server_->connections(); },
      .engine_models = [this] { return engine_models(*models_); },
      .admin_token = admin_token_, .version = kVersion});

  const ServerConfig& server = config_.server;
  ServerOptions options;
  options.listen = server.listen;
  options.max_body_bytes = size_t(server.max_body_bytes);
  options.max_connections = size_t(server.max_connections);
  options.header_timeout = server.header_timeout;
  options.body_gap_timeout = server.body_timeout;
  options.idle_timeout = server.idle_timeout;
  options.write_timeout = server.write_timeout;
  options.error_body = api::Api::error_body;
  server_ = std::make_unique<Server>(*loops_, std::move(options),
                                     [this](Exchange& exchange) { return api_->handle(exchange); });
  AJAR_TRY(runner_->resume());
  return server_->listen();
}

Status App::restore_watches(const Snapshot& snapshot) {
  constexpr int64_t kNewest = 2'000;  // audits of a rung; older ones say little about it now
  for (const auto& route : snapshot.routes()) {
    for (const Target& target : route->targets) {
      if (!target.watch) continue;
      AJAR_ASSIGN(const auto rows, store_->evidence(route->config.name, target.name, "audit", kNewest));
      for (const auto& row : rows) target.watch->add(target.probability(row.raw), row.loss > 0.5);
    }
  }
  return {};
}

// Of those whose candidates this snapshot names; what was taken over from the one before stays as it is.
Status App::restore_trials(const Snapshot& snapshot) {
  AJAR_ASSIGN(const auto canaries, store_->trials("canary"));
  AJAR_ASSIGN(const auto shadows, store_->trials("shadow"));
  const auto restore = [](const auto& rows, const Route& route, const Candidate& candidate, auto& into) {
    for (const store::TrialRow& row : rows) {
      if (row.route != route.config.name || row.target != candidate.target.name) continue;
      if (auto read = into.restore(row.state); !read) log_warn("what the " + row.kind + " of " + row.route + " had shown cannot be read: " + read.error().message);
    }
  };
  for (const auto& route : snapshot.routes()) {
    if (route->canary) restore(canaries, *route, *route->canary, *route->canary->canary);
    if (route->shadow) restore(shadows, *route, *route->shadow, *route->shadow->log);
  }
  return {};
}

void App::keep_trials() {
  const auto keep = [&](const Route& route, const Candidate& candidate, auto& what) {
    if (!what.due()) return;
    if (auto kept = what.keep(*store_, route.config.name, candidate.target.name); !kept) {
      log_warn("what the candidate of " + route.config.name + " showed could not be kept: " + kept.error().message);
    }
  };
  for (const auto& route : gateway_->snapshot()->routes()) {
    if (route->canary) keep(*route, *route->canary, *route->canary->canary);
    if (route->shadow) keep(*route, *route->shadow, *route->shadow->log);
  }
}

App::~App() {
  server_.reset();          // no more handlers
  if (runner_) runner_->stop(Millis(0));
  documents_.reset();
  searches_.reset();
  blocking_.reset();        // no more work on behalf of one
  if (loops_) loops_->stop();
  if (gateway_) keep_trials();
}

std::string App::url() const {
  std::string host = config_.server.listen.front();
  host = host.substr(0, host.rfind(':'));
  if (host.empty() || host == "0.0.0.0" || host == "[::]") host = "127.0.0.1";
  return "http://" + host + ":" + std::to_string(port());
}

Result<int64_t> App::reload() {
  std::lock_guard lock(reload_lock_);
  auto config = read();
  if (!config) {
    metrics_.reloads(false).Increment();
    log_error("the configuration was refused and the old one stays:\n" + config.error().text());
    return fail(Code::kInvalid, config.error().text());
  }
  if (config->server.listen != config_.server.listen || config->store.path != config_.store.path) {
    log_warn("server.listen and store.path are read at start only; a restart is needed for the new values");
  }
  auto snapshot = providers_->build(*config);
  if (!snapshot) {
    metrics_.reloads(false).Increment();
    const std::string message = config->file + ": " + snapshot.error().message;
    log_error("the configuration was refused and the old one stays:\n" + message);
    return fail(Code::kInvalid, message);
  }
  if (auto restored = restore_trials(**snapshot); !restored) log_warn("what candidates had shown cannot be read: " + restored.error().message);
  const int64_t version = (*snapshot)->version();
  models_->configure(specs_of(*config));
  answers_->set_max_bytes(config->cache.max_bytes);
  gateway_->swap(std::move(*snapshot));
  metrics_.reloads(true).Increment();
  log_info("configuration " + std::to_string(version) + " holds now");
  return version;
}

bool App::drain() {
  api_->set_draining();
  runner_->quiesce();
  const TimePoint until = after(config_.server.drain_timeout);
  const bool whole = server_->drain(config_.server.drain_timeout);
  runner_->stop(std::max(Millis(0), std::chrono::duration_cast<Millis>(until - now())));
  return whole;
}

void App::tidy() {
  memory_->tidy();
  keep_trials();
  malloc_trim(0);  // what a busy hour has left behind
  const auto deleted = store_->delete_calls_before(unix_millis() - config_.store.keep_calls.count());
  if (!deleted) log_warn("old call rows could not be deleted: " + deleted.error().message);
  const auto expired = store_->files_expired_at(unix_millis(), 1'000);
  for (const StoredFile& file : expired.value_or(std::vector<StoredFile>())) {
    // The row goes last: what fails here is tried again.
    const Status gone = blobs_->remove(file.id);
    if (gone) (void)store_->delete_file(file.owner, file.id);
    else log_warn("an expired file could not be deleted: " + gone.error().message);
  }
  const int64_t days = gateway_->snapshot()->config().responses.retention_days;
  const auto forgotten = store_->delete_responses_before(unix_millis() - days * 86'400'000);
  if (!forgotten) log_warn("old responses could not be deleted: " + forgotten.error().message);
}

}  // namespace ajar::app
