// What the engine asks of the disk: beginnings that memory gave up, read back while others are answered.
#include <algorithm>

#include "engine/checkpoint_identity.h"
#include "engine/engine_sequence.h"

namespace ajar::engine {
namespace {

// Everything but tokens and root that keys and values depend on, to the last bit.
std::string disk_identity(const Model& model, const EngineOptions& options) {
  return "ajar keys and values 1; model " + checkpoint_identity(model.checkpoint()) + "; " + std::string(kv_type_name(options.kv)) + "; context " +
         std::to_string(options.context) + "; " + std::string((options.multiplier.kernels ? *options.multiplier.kernels : best_kernels()).name) +
         (options.multiplier.deterministic ? "; deterministic\n" : "; tiles from " + std::to_string(options.multiplier.bfloat_rows) + " rows\n");
}

constexpr Millis kFetchPatience{1000};

}  // namespace

std::unique_ptr<PrefixDisk> Engine::open_disk() {
  if (options_.prefix_disk.empty()) return nullptr;
  return std::make_unique<PrefixDisk>(PrefixDiskOptions{.folder = options_.prefix_disk, .bytes = options_.prefix_disk_bytes,
                                                        .identity = disk_identity(*model_, options_),
                                                        .page_bytes = KvPool::page_bytes(model_->config(), options_.kv)},
                                      [this] {
                                        std::lock_guard lock(mutex_);
                                        disk_news_ = true;
                                        wake_.notify_one();
                                      });
}

// Pages are read straight into the pool; nobody knows of them until they are whole.
void Engine::fetch(Sequence& sequence) {
  auto keys = prefixes_.on_disk(sequence.cache_root, std::span(sequence.tokens).first(sequence.tokens.size() - 1));
  if (keys.size() > static_cast<size_t>(cache_.pages() / 2)) keys.resize(static_cast<size_t>(cache_.pages() / 2));
  for (const PageKey& key : keys) {
    int page = cache_.take();
    if (page < 0 && prefixes_.evict(1) > 0) page = cache_.take();
    if (page < 0) return;
    fetching_[++last_ticket_] = {key, page};
    disk_->read(key, cache_.page(page), last_ticket_);
    fetch_until_ = now() + kFetchPatience;
  }
}

void Engine::take_fetched() {
  if (!disk_) return;
  for (const PrefixDisk::Read& read : disk_->finished()) {
    const Fetch fetch = fetching_.at(read.ticket);
    fetching_.erase(read.ticket);
    if (read.ok) prefixes_.adopt(fetch.key, fetch.page);
    else cache_.release(fetch.page);
  }
}

void Engine::settle_disk() {
  if (!disk_) return;
  disk_->settle();
  std::lock_guard lock(mutex_);
  published_.disk = disk_->metrics();
}

}  // namespace ajar::engine
