#include "provider/adapter_shelf.h"

namespace ajar {
namespace {

std::filesystem::file_time_type time_of(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code failed;
  const fs::path weights = fs::path(path) / "adapter_model.safetensors";
  auto time = fs::last_write_time(fs::is_directory(path, failed) ? weights : fs::path(path), failed);
  return failed ? fs::file_time_type{} : time;
}

}  // namespace

void AdapterShelf::configure(Paths paths) {
  std::map<std::string, Entry> before;  // what is dropped goes after the lock is given back
  std::lock_guard lock(mutex_);
  before.swap(entries_);
  for (auto& [name, path] : paths) {
    auto known = before.find(name);
    bool same = known != before.end() && known->second.path == path && (!known->second.adapter || known->second.time == time_of(path));
    entries_[name] = same ? std::move(known->second) : Entry{.path = path};
  }
}

std::shared_ptr<const engine::Adapter> AdapterShelf::ready(const std::string& name) const {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(name);
  return it == entries_.end() ? nullptr : it->second.adapter;
}

Result<std::shared_ptr<const engine::Adapter>> AdapterShelf::get(const std::string& name, const engine::Model& model) {
  std::lock_guard alone(loading_);
  std::string path;
  {
    std::lock_guard lock(mutex_);
    auto it = entries_.find(name);
    if (it == entries_.end()) {
      std::string known;
      for (const auto& [other, entry] : entries_) known += (known.empty() ? "" : ", ") + other;
      return fail(Code::kNotFound, "there is no adapter '" + name + "'; the model has " + (known.empty() ? "none" : known), "adapter");
    }
    if (it->second.adapter) return it->second.adapter;
    path = it->second.path;
  }
  const auto time = time_of(path);
  AJAR_ASSIGN(auto adapter, engine::Adapter::load(path, model));
  std::lock_guard lock(mutex_);
  auto it = entries_.find(name);
  if (it != entries_.end() && it->second.path == path) it->second.adapter = adapter, it->second.time = time;
  return adapter;
}

int64_t AdapterShelf::bytes() const {
  int64_t sum = 0;
  std::lock_guard lock(mutex_);
  for (const auto& [name, entry] : entries_) sum += entry.adapter ? static_cast<int64_t>(entry.adapter->bytes()) : 0;
  return sum;
}

}  // namespace ajar
