#include <cstdio>
#include <cstring>
#include <deque>

#include "engine/checkpoint.h"
#include "engine/gguf.h"
#include "engine/gguf_config.h"
#include "engine/mapped_file.h"
#include "engine/model_check.h"

namespace ajar::engine {
namespace {

constexpr int64_t kMaxParts = 1000;

// "model-00001-of-00003.gguf" for part 1 of 3 of "…-00001-of-00003.gguf"; empty where the name is not of that form.
std::string part_path(const std::string& first, int64_t part, int64_t parts) {
  char from[32], to[32];
  std::snprintf(from, sizeof from, "-00001-of-%05ld.gguf", parts);
  std::snprintf(to, sizeof to, "-%05ld-of-%05ld.gguf", part, parts);
  if (!first.ends_with(from)) return {};
  return first.substr(0, first.size() - std::strlen(from)) + to;
}

class GgufCheckpoint : public Checkpoint {
 public:
  Status read(const std::string& path) {
    path_ = path;
    AJAR_TRY(add_file(path));
    const GgufMetadata& metadata = parts_.front().metadata;
    if (const auto type = metadata.string("general.type"); type && *type != "model") {
      return fail(Code::kUnsupported, "it is no model but of the type '" + std::string(*type) + "'", "general.type");
    }
    const std::string architecture(metadata.string("general.architecture").value_or(""));
    AJAR_TRY(family_of(architecture));
    AJAR_TRY(add_parts(path));
    const Tensor* embedding = nullptr;
    for (const Tensor& tensor : tensors_) {
      if (tensor.name == "token_embd.weight") embedding = &tensor;
    }
    if (embedding == nullptr) return invalid("token_embd.weight", "the tensor token_embd.weight is missing");
    if (embedding->rows() > 4'000'000) return invalid("token_embd.weight", "its vocabulary is beyond 4,000,000");
    AJAR_ASSIGN(config_, read_gguf_config(metadata, int32_t(embedding->rows())));
    read_factors("rope_freqs.weight", config_.rope.factors);
    read_factors("rope_factors_long.weight", config_.rope.long_factors);
    read_factors("rope_factors_short.weight", config_.rope.short_factors);
    if (!config_.rope.long_factors.empty()) config_.rope.scaling = RopeScaling::kLongRope;
    else if (!config_.rope.factors.empty() && config_.rope.scaling == RopeScaling::kNone) {
      config_.rope.scaling = RopeScaling::kLlama3;
    }
    name_labels();
    chat_template_ = metadata.string("tokenizer.chat_template").value_or("");
    return finish();
  }
  const GgufMetadata* gguf() const override { return &parts_.front().metadata; }

 private:
  struct Part {
    std::shared_ptr<const MappedFile> file;
    GgufMetadata metadata;
  };

  Status add_file(const std::string& path) {
    AJAR_ASSIGN(auto file, MappedFile::open(path));
    AJAR_ASSIGN(auto metadata, GgufMetadata::read(file->bytes()));
    AJAR_ASSIGN(const auto tensors, metadata.tensors());
    for (const GgufTensor& tensor : tensors) {
      tensors_.push_back({.name = std::string(tensor.name), .dtype = tensor.dtype, .shape = tensor.shape,
                          .bytes = std::as_bytes(std::span(tensor.bytes))});
    }
    parts_.push_back({std::move(file), std::move(metadata)});
    return {};
  }

  Status add_parts(const std::string& path) {
    const GgufMetadata& first = parts_.front().metadata;
    const int64_t count = first.integer("split.count").value_or(0);
    if (count == 0) return {};
    if (count < 0 || count > kMaxParts) return invalid("split.count", std::to_string(count) + " parts are not 1 to 1000");
    if (first.integer("split.no").value_or(-1) != 0) return invalid("split.no", "name the first part of the set");
    for (int64_t part = 2; part <= count; ++part) {
      const std::string name = part_path(path, part, count);
      if (name.empty()) return invalid("split.count", "the file's name does not say which part of " + std::to_string(count) + " it is");
      if (auto added = add_file(name); !added) {
        return added.error().message.starts_with(name) ? added : std::unexpected(std::move(added.error()).in(name));
      }
      const GgufMetadata& metadata = parts_.back().metadata;
      if (metadata.integer("split.count").value_or(-1) != count || metadata.integer("split.no").value_or(-1) != part - 1) {
        return invalid("split.no", name + ": it is not part " + std::to_string(part) + " of " + std::to_string(count));
      }
    }
    const int64_t tensors = first.integer("split.tensors.count").value_or(-1);
    if (tensors != int64_t(tensors_.size())) {
      return invalid("split.tensors.count", "the parts hold " + std::to_string(tensors_.size()) + " tensors, not " +
                                                std::to_string(tensors));
    }
    std::unordered_map<std::string_view, int> names;
    for (const Tensor& tensor : tensors_) {
      if (names[tensor.name]++ != 0) return invalid(tensor.name, "two parts hold the tensor " + tensor.name);
    }
    return {};
  }

  void read_factors(std::string_view name, std::vector<float>& into) {
    for (const Tensor& tensor : tensors_) {
      if (tensor.name != name || tensor.columns() != config_.rope.dims / 2 || tensor.rows() != 1) continue;
      into.resize(size_t(tensor.columns()));
      dequantize_row(tensor.dtype, tensor.bytes.data(), into.data(), tensor.columns());
    }
  }
  // A classifier's head whose labels the metadata leave out.
  void name_labels() {
    if (!config_.labels.empty()) return;
    for (const Tensor& tensor : tensors_) {
      if (tensor.name != "cls.output.weight" || tensor.rows() > 65536) continue;
      for (int64_t i = 0; i < tensor.rows(); ++i) config_.labels.push_back("LABEL_" + std::to_string(i));
    }
  }

  std::deque<Part> parts_;  // which do not move when another comes
};

}  // namespace

Result<std::shared_ptr<const Checkpoint>> open_gguf(const std::string& path) {
  auto checkpoint = std::make_shared<GgufCheckpoint>();
  if (auto status = checkpoint->read(path); !status) {
    const bool named = status.error().message.find(".gguf: ") != std::string::npos || status.error().message.starts_with(path);
    return std::unexpected(named ? std::move(status.error()) : std::move(status.error()).in(path));
  }
  return checkpoint;
}

}  // namespace ajar::engine
