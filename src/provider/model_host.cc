#include "provider/model_host.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>
#include <tuple>

#include "base/log.h"
#include "net/loop.h"
#include "net/waiter.h"

namespace ajar {
namespace {

Result<std::string> read_template(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(Code::kNotFound, "there is no chat template " + file);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

chat::TemplateTokens tokens_of(const engine::Tokenizer& tokenizer) {
  auto name = [&](int32_t id) { return id >= 0 ? std::string(tokenizer.piece(id)) : std::string(); };
  return {.bos = name(tokenizer.special().bos), .eos = name(tokenizer.special().eos)};
}

// A model's name as that of a folder: what is no letter, digit, '-', '.' or '_' becomes two hexadecimal digits.
std::string folder_name(const std::string& name) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "model-";
  for (unsigned char c : name) {
    if (std::isalnum(c) || c == '-' || c == '.' || c == '_') out += static_cast<char>(c);
    else out += {'%', kDigits[c >> 4], kDigits[c & 15]};
  }
  return out;
}

int64_t checkpoint_bytes(const engine::Checkpoint& checkpoint) {
  int64_t bytes = 0;
  for (const engine::Tensor& tensor : checkpoint.tensors()) bytes += static_cast<int64_t>(tensor.bytes.size());
  return bytes;
}

}  // namespace

int64_t memory_limit() {
  int64_t machine = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  for (const char* file : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream in(file);
    int64_t limit = 0;
    if (in >> limit && limit > 0) return std::min(limit, machine);
  }
  return machine;
}

std::string_view model_state_name(ModelState state) {
  switch (state) {
    case ModelState::kUnloaded: return "unloaded";
    case ModelState::kLoading: return "loading";
    case ModelState::kReady: return "ready";
    case ModelState::kFailed: return "failed";
  }
  return "";
}

Result<std::unique_ptr<ModelHost>> ModelHost::make(HostOptions options, Find find) {
  if (options.threads <= 0) options.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  if (options.memory_bytes <= 0) options.memory_bytes = memory_limit() / 4 * 3;
  if (!options.kernels.empty() && engine::find_kernels(options.kernels) == nullptr) {
    std::string known;
    for (const engine::Kernels* kernels : engine::all_kernels()) known += (known.empty() ? "" : ", ") + std::string(kernels->name);
    return invalid("engine.kernels", "'" + options.kernels + "' cannot run here; this machine has " + known);
  }
  return std::unique_ptr<ModelHost>(new ModelHost(std::move(options), std::move(find)));
}

ModelHost::ModelHost(HostOptions options, Find find)
    : options_(std::move(options)),
      find_(std::move(find)),
      pool_(std::make_shared<engine::ComputePool>(options_.threads)),
      kernels_(engine::find_kernels(options_.kernels)),
      loader_([this] { run(); }) {}

ModelHost::~ModelHost() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  loader_.join();
}

void ModelHost::configure(std::vector<ModelSpec> specs) {
  std::vector<std::shared_ptr<Slot>> gone;  // their engines stop after the lock is given back
  std::lock_guard lock(mutex_);
  std::map<std::string, std::string> paths;  // as they are until now
  for (const auto& [name, slot] : slots_) paths[name] = slot->spec.path;
  const auto same_draft = [&](const std::string& draft) {
    const auto was = paths.find(draft);
    const auto will = std::ranges::find(specs, draft, &ModelSpec::name);
    return (was == paths.end() ? "" : was->second) == (will == specs.end() ? "" : will->path);
  };
  const auto same = [&](const ModelSpec& a, const ModelSpec& b) {
    const auto loaded_from = [](const ModelSpec& s) {
      return std::tie(s.path, s.context, s.cache_bytes, s.deterministic, s.exact, s.chat_template, s.kv, s.speculate, s.draft, s.prefix_disk, s.prefix_disk_bytes);
    };
    return loaded_from(a) == loaded_from(b) && (a.draft.empty() || same_draft(a.draft));
  };
  for (auto it = slots_.begin(); it != slots_.end();) {
    auto spec = std::ranges::find(specs, it->first, &ModelSpec::name);
    if (spec != specs.end() && same(*spec, it->second->spec)) {
      it->second->spec.pinned = spec->pinned;
      it->second->spec.adapters = spec->adapters;
      if (it->second->loaded) it->second->loaded->adapters.configure(spec->adapters);
      ++it;
    } else {
      gone.push_back(it->second);
      it = slots_.erase(it);
    }
  }
  for (ModelSpec& spec : specs) {
    auto& slot = slots_[spec.name];
    if (!slot) slot = std::make_shared<Slot>(Slot{.spec = spec});
    if (slot->spec.pinned && slot->state == ModelState::kUnloaded) {
      slot->state = ModelState::kLoading;
      queue_.push_back(slot);
    }
  }
  wake_.notify_all();
}

ModelHost::Named ModelHost::resolve(const std::string& name) const {
  const size_t colon = name.rfind(':');
  if (colon == std::string::npos) return {name, ""};
  Named parts{name.substr(0, colon), name.substr(colon + 1)};
  std::lock_guard lock(mutex_);
  if (slots_.contains(name)) return {name, ""};
  auto it = slots_.find(parts.model);
  if (it == slots_.end()) return {name, ""};
  // Looking for a pulled model of the whole name reads folders: not for every request to an adapter that is there.
  if (it->second->spec.adapters.contains(parts.adapter) || !find_(name)) return parts;
  return {name, ""};
}

std::optional<Result<std::shared_ptr<LoadedModel>>> ModelHost::look(const std::string& name, std::function<void()> ready) {
  using Answer = Result<std::shared_ptr<LoadedModel>>;
  std::lock_guard lock(mutex_);
  auto it = slots_.find(name);
  if (it == slots_.end()) {
    auto path = find_(name);
    if (!path) return Answer(std::unexpected(std::move(path).error()));
    it = slots_.emplace(name, std::make_shared<Slot>(Slot{.spec = {.name = name, .path = std::move(*path)}})).first;
  }
  Slot& slot = *it->second;
  slot.used = now();
  if (slot.state == ModelState::kReady) return Answer(slot.loaded);
  if (slot.state == ModelState::kFailed) {
    slot.state = ModelState::kUnloaded;  // told once; whoever asks next tries again
    return Answer(std::unexpected(slot.error));
  }
  slot.waiting.push_back(std::move(ready));
  if (slot.state == ModelState::kUnloaded) {
    slot.state = ModelState::kLoading;
    queue_.push_back(it->second);
    wake_.notify_all();
  }
  return std::nullopt;
}

Task<Result<std::shared_ptr<LoadedModel>>> ModelHost::get(std::string name, TimePoint deadline, CancelToken& cancel) {
  struct Bell {
    Waiter* waiter = nullptr;  // loop's thread only
  };
  Loop& loop = Loop::current();
  auto bell = std::make_shared<Bell>();
  Waiter waiter(loop);
  bell->waiter = &waiter;
  struct Quiet {
    std::shared_ptr<Bell> bell;
    ~Quiet() { bell->waiter = nullptr; }
  } quiet{bell};
  OnCancel left(cancel, [&waiter] { waiter.wake_later(Wake::kClosed); });
  for (;;) {
    auto answer = look(name, [bell, &loop] {
      loop.post([bell] {
        if (bell->waiter != nullptr) bell->waiter->wake(Wake::kReady);
      });
    });
    if (answer) co_return std::move(*answer);
    Wake why = co_await waiter.wait(deadline);
    if (cancel.cancelled()) co_return fail(Code::kCancelled, "the client left while the model was loading");
    if (why == Wake::kTimeout) co_return fail(Code::kTimeout, "the model '" + name + "' is still loading");
  }
}

Result<std::shared_ptr<LoadedModel>> ModelHost::get_blocking(const std::string& name, const std::function<void(double)>& progress) {
  for (;;) {
    auto decided = std::make_shared<std::promise<void>>();
    auto future = decided->get_future();
    auto answer = look(name, [decided] { decided->set_value(); });
    if (answer) return std::move(*answer);
    while (future.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready) {
      if (!progress) continue;
      for (const ModelStatus& status : this->status())
        if (status.name == name) progress(status.progress);
    }
  }
}

void ModelHost::run() {
  for (;;) {
    std::shared_ptr<Slot> slot;
    ModelSpec spec;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stop_ || !queue_.empty(); });
      if (stop_) break;
      slot = queue_.front();
      queue_.erase(queue_.begin());
      spec = slot->spec;
    }
    auto loaded = load(spec, [&](double done) {
      std::lock_guard lock(mutex_);
      slot->progress = done;
    });
    std::vector<std::function<void()>> waiting;
    {
      std::lock_guard lock(mutex_);
      slot->state = loaded ? ModelState::kReady : ModelState::kFailed;
      if (loaded) {
        slot->loaded = std::move(*loaded);
        slot->loaded->adapters.configure(slot->spec.adapters);  // as they are now, not when loading began
      }
      else slot->error = std::move(loaded).error();
      slot->used = now();
      waiting.swap(slot->waiting);
    }
    for (auto& tell : waiting) tell();
  }
}

// Lets models go, the longest unused first, until so many bytes fit. Those in use stay until their requests are over.
bool ModelHost::make_room(int64_t bytes) {
  if (bytes > options_.memory_bytes) return false;
  for (;;) {
    std::shared_ptr<LoadedModel> victim;  // its engine stops after the lock is given back
    std::lock_guard lock(mutex_);
    int64_t used = 0;
    Slot* oldest = nullptr;
    for (auto& [name, slot] : slots_) {
      if (slot->state != ModelState::kReady) continue;
      used += slot->loaded->bytes + slot->loaded->adapters.bytes();
      bool idle = !slot->spec.pinned && slot->loaded.use_count() == 1;
      if (idle && (oldest == nullptr || slot->used < oldest->used)) oldest = slot.get();
    }
    if (used + bytes <= options_.memory_bytes) return true;
    if (oldest == nullptr) return false;
    victim = std::move(oldest->loaded);
    oldest->state = ModelState::kUnloaded;
  }
}

Result<std::shared_ptr<const engine::Model>> ModelHost::weights(const std::shared_ptr<const engine::Checkpoint>& checkpoint,
                                                                const engine::LoadOptions& options) {
  if (options.round_floats) return engine::Model::load(checkpoint, *pool_, options);  // these are changed
  auto& shared = weights_[checkpoint->path()];
  if (auto model = shared.lock()) return model;
  AJAR_ASSIGN(auto model, engine::Model::load(checkpoint, *pool_, options));
  shared = model;
  return model;
}

Result<ModelHost::DraftFiles> ModelHost::open_draft(const ModelSpec& spec) {
  DraftFiles files;
  if (spec.draft.empty()) return files;
  std::string path;
  {
    std::lock_guard lock(mutex_);
    if (auto it = slots_.find(spec.draft); it != slots_.end()) path = it->second->spec.path;
  }
  if (path.empty()) {
    auto found = find_(spec.draft);
    if (!found) return fail(found.error().code, "the draft of '" + spec.name + "': " + found.error().message);
    path = std::move(*found);
  }
  AJAR_ASSIGN(files.checkpoint, engine::Checkpoint::open(path));
  AJAR_ASSIGN(files.tokenizer, engine::load_tokenizer(path));
  return files;
}

Result<std::shared_ptr<LoadedModel>> ModelHost::load(const ModelSpec& spec, const std::function<void(double)>& progress) {
  auto loaded = std::make_shared<LoadedModel>();
  loaded->spec = spec;
  AJAR_ASSIGN(auto checkpoint, engine::Checkpoint::open(spec.path));
  AJAR_ASSIGN(loaded->tokenizer, engine::load_tokenizer(spec.path));
  const engine::ModelConfig& config = checkpoint->config();
  int64_t weights = checkpoint_bytes(*checkpoint);
  int64_t per_page = engine::KvPool::page_bytes(config, spec.kv);
  int64_t context = spec.context > 0 ? spec.context : std::max<int64_t>(config.context, 512);
  int64_t cache = 0;
  if (config.causal) {
    int64_t whole = (context + engine::kPageTokens) / engine::kPageTokens * per_page;
    cache = spec.cache_bytes > 0 ? spec.cache_bytes : std::min(whole * 4, options_.memory_bytes / 8);
    cache = std::max(cache, per_page);
  }
  int64_t drafting = 0;  // what the draft takes: as many pages as the model has, and its weights
  DraftFiles draft_files;
  if (config.causal) {
    AJAR_ASSIGN(draft_files, open_draft(spec));
    if (const auto& draft = draft_files.checkpoint)
      drafting = engine::Drafter::bytes(draft->config(), static_cast<int>(cache / per_page), spec.kv) + checkpoint_bytes(*draft);
  }
  if (!make_room(weights + cache + drafting))
    return fail(Code::kTooLarge, "the model '" + spec.name + "' needs " + std::to_string((weights + cache + drafting) >> 20) + " MiB; the engine may use " +
                                     std::to_string(options_.memory_bytes >> 20) + " MiB, and what others hold is in use");
  AJAR_ASSIGN(loaded->model, this->weights(checkpoint, {.progress = progress, .round_floats = !config.causal && !spec.exact}));
  auto multiplier = engine::MultiplierOptions::make(*loaded->model, *pool_, kernels_, spec.deterministic);
  if (multiplier.choice && !options_.quiet)
    for (const std::string& line : multiplier.choice->lines()) log_info("model " + spec.name + ": fastest for " + line);
  loaded->bytes = static_cast<int64_t>(loaded->model->bytes()) + cache + drafting;
  if (!config.causal) {
    AJAR_ASSIGN(loaded->encoder, engine::Encoder::make(loaded->model, pool_, multiplier));
    return loaded;
  }
  std::string source = checkpoint->chat_template();
  if (!spec.chat_template.empty()) {
    AJAR_ASSIGN(source, read_template(spec.chat_template));
  }
  AJAR_ASSIGN(loaded->chat, chat::ChatTemplate::make(source, tokens_of(*loaded->tokenizer)));
  engine::Draft draft{.model = nullptr, .tokenizer = draft_files.tokenizer};
  if (draft_files.checkpoint) {
    AJAR_ASSIGN(draft.model, this->weights(draft_files.checkpoint, {}));
  }
  AJAR_ASSIGN(loaded->engine, engine::Engine::start(loaded->model, loaded->tokenizer, pool_,
                                                    {.cache_bytes = cache, .context = static_cast<int32_t>(context), .speculate = spec.speculate, .kv = spec.kv,
                                                     .prefix_disk = spec.prefix_disk.empty() ? "" : spec.prefix_disk + "/" + folder_name(spec.name),
                                                     .prefix_disk_bytes = spec.prefix_disk_bytes, .multiplier = multiplier},
                                                    std::move(draft)));
  return loaded;
}

std::shared_ptr<LoadedModel> ModelHost::loaded(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto slot = slots_.find(name);
  return slot != slots_.end() && slot->second->state == ModelState::kReady ? slot->second->loaded : nullptr;
}

std::vector<ModelStatus> ModelHost::status() const {
  std::vector<ModelStatus> out;
  std::lock_guard lock(mutex_);
  for (const auto& [name, slot] : slots_) {
    ModelStatus status{.name = name, .path = slot->spec.path, .error = slot->error.message, .state = slot->state, .progress = slot->progress,
                       .pinned = slot->spec.pinned};
    if (slot->loaded) {
      status.bytes = slot->loaded->bytes + slot->loaded->adapters.bytes();
      status.encoder = slot->loaded->encoder != nullptr;
      if (slot->loaded->engine) status.metrics = slot->loaded->engine->metrics();
    }
    out.push_back(std::move(status));
  }
  return out;
}

}  // namespace ajar
