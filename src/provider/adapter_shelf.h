#pragma once
// The adapters of one loaded model, by the names that the configuration gives them. Each is read when it is first asked for; adding
// and dropping them leaves the model and the replies under way alone. Any thread.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "engine/adapter.h"

namespace ajar {

class AdapterShelf {
 public:
  using Paths = std::map<std::string, std::string>;  // by name

  // From now on these are the adapters. Those whose path or file changed are read anew when they are asked for next; replies that
  // use a dropped one keep it until they are over.
  void configure(Paths paths);
  // Where it was read already; else null.
  std::shared_ptr<const engine::Adapter> ready(const std::string& name) const;
  // May read the disk. kNotFound says which there are; otherwise as Adapter::load. `model` is the shelf's own, always the same.
  Result<std::shared_ptr<const engine::Adapter>> get(const std::string& name, const engine::Model& model);
  int64_t bytes() const;  // of memory

 private:
  struct Entry {
    std::string path;
    std::filesystem::file_time_type time{};  // of the file when it was read
    std::shared_ptr<const engine::Adapter> adapter;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;  // guarded by mutex_
  std::mutex loading_;                    // one at a time, so that two who ask for the same do not read it twice
};

}  // namespace ajar
