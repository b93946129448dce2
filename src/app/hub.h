#pragma once
// A hub of models as huggingface.co is one: which files a repository has, and which of them a model needs.
// API: https://huggingface.co/docs/hub/api (GET /api/models/{repo}?blobs=true; files under /{repo}/resolve/main/).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ajar::app {

inline constexpr const char* kDefaultHub = "https://huggingface.co";

// What a person asks for: "org/name", "org/name:Q4_K_M", "org/name:file.gguf", with "https://host/" or "host/" before.
struct ModelName {
  std::string hub;     // "https://huggingface.co", without a slash at its end
  std::string repo;    // "org/name"
  std::string wanted;  // a file, or the type of one; may be empty
  std::string folder() const;  // "org--name", under which it is kept
};
Result<ModelName> parse_model_name(std::string_view text, std::string_view hub);

struct HubFile {
  std::string name;       // a path within the repository, checked: relative, without ".."
  int64_t size = -1;      // -1: not said
  std::string sha256;     // of files in large file storage; else empty
};
struct HubModel {
  std::string revision;   // the commit
  std::string licence;    // empty: not said
  bool gated = false;
  std::vector<HubFile> files;
};
// Of the API's answer. kUpstream: it is not what the API says.
Result<HubModel> read_hub_model(std::string_view json);

// The files that a model needs: of GGUF files one type, all parts of a set; else the folder's configuration, tokenizer and
// safetensors. kNotFound lists what there is.
Result<std::vector<HubFile>> choose_files(const HubModel& model, std::string_view wanted);

}  // namespace ajar::app
