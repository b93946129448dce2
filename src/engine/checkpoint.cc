#include "engine/checkpoint.h"

#include <filesystem>

#include "engine/model_check.h"

namespace ajar::engine {

Result<std::shared_ptr<const Checkpoint>> Checkpoint::open(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return open_hf(path);
  if (path.ends_with(".safetensors")) {
    return invalid("path", path + ": name the folder that the file lies in; its config.json is needed too");
  }
  return open_gguf(path);
}

const Tensor* Checkpoint::find(std::string_view name) const {
  const auto found = places_.find(name);
  return found == places_.end() ? nullptr : &tensors_[found->second];
}

Status Checkpoint::finish() {
  AJAR_TRY(check_config(config_));
  AJAR_TRY(check_tensors(config_, tensors_));
  for (size_t i = 0; i < tensors_.size(); ++i) places_.emplace(tensors_[i].name, i);
  return {};
}

}  // namespace ajar::engine
