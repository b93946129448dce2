#pragma once
// The models that lie in the data folder: DATA/models/ORG--NAME/ with their files, and ajar-model.json, which says where
// they come from and under which licence.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/hub.h"
#include "base/error.h"

namespace ajar::app {

struct ModelRecord {
  std::string hub, repo, revision, licence;
  int64_t pulled_ms = 0;
  std::vector<HubFile> files;
};

struct LocalModel {
  std::string name;    // "org/name", and ":file.gguf" where the folder holds GGUF files
  std::string path;    // what the engine opens: a GGUF file (of a split one the first part) or the folder
  std::vector<std::string> files;  // all of it, as paths
  int64_t bytes = 0;
  ModelRecord record;  // empty where there is none
};

std::string models_folder(const std::string& data);
// Sorted by name.
std::vector<LocalModel> local_models(const std::string& data);
// By "org/name", which must hold one model, or "org/name:file.gguf", or "org/name:Q4_K_M". kNotFound lists what there is.
Result<LocalModel> find_local_model(const std::string& data, std::string_view name);

// kNotFound: there is none. The files of a later record are added to those of the earlier.
Result<ModelRecord> read_record(const std::string& folder);
Status write_record(const std::string& folder, ModelRecord record);
// The model's files and what is left of its folder.
Status remove_model(const LocalModel& model);

}  // namespace ajar::app
