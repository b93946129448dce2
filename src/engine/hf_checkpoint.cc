#include <algorithm>
#include <cstring>
#include <filesystem>
#include <set>

#include "engine/checkpoint.h"
#include "engine/hf_config.h"
#include "engine/hf_files.h"
#include "engine/mapped_file.h"
#include "engine/model_check.h"
#include "engine/safetensors.h"
#include "json/read.h"

namespace ajar::engine {
namespace {

namespace fs = std::filesystem;
constexpr size_t kMaxShards = 10'000;

class HfCheckpoint : public Checkpoint {
 public:
  Status read(const std::string& folder) {
    path_ = folder;
    folder_ = folder;
    AJAR_ASSIGN(const std::string config, read_hf_json(folder_ / "config.json"));
    if (config.empty()) return fail(Code::kNotFound, "there is no config.json", "config.json");
    AJAR_ASSIGN(config_, read_hf_config(config));
    config_.name = fs::weakly_canonical(folder_).filename().string();
    AJAR_TRY(read_shards());
    name_tied(config);
    AJAR_TRY(read_pooling());
    AJAR_TRY(read_licence());
    AJAR_TRY(read_chat_template());
    return finish();
  }

 private:
  Status read_shards() {
    std::error_code ignored;
    std::vector<std::string> files;
    if (fs::exists(folder_ / "model.safetensors", ignored)) {
      files.emplace_back("model.safetensors");
    } else {
      AJAR_ASSIGN(files, shards_of_index());
    }
    for (const std::string& name : files) {
      if (auto added = add_file(name); !added) return std::unexpected(std::move(added.error()).in(name));
    }
    return {};
  }

  // A matrix that is both the embedding and the output is kept once, under either name.
  void name_tied(std::string_view config) {
    if (names_.contains("token_embd.weight") || !names_.contains("output.weight")) return;
    json::Document document;
    const auto root = document.parse_object(config);
    const auto tied = root ? json::find(*root, "tie_word_embeddings") : std::nullopt;
    if (!tied || !json::as_bool(*tied).value_or(false)) return;
    for (Tensor& tensor : tensors_) {
      if (tensor.name == "output.weight") tensor.name = "token_embd.weight";
    }
  }

  // The files that model.safetensors.index.json names. They must lie in the folder.
  Result<std::vector<std::string>> shards_of_index() {
    const std::string name = "model.safetensors.index.json";
    AJAR_ASSIGN(const std::string text, read_hf_json(folder_ / name));
    if (text.empty()) return fail(Code::kNotFound, "there is neither model.safetensors nor " + name, name);
    json::Document document;
    auto root = document.parse_object(text);
    if (!root) return std::unexpected(std::move(root.error()).in(name));
    const auto map = json::find(*root, "weight_map");
    const auto object = map ? json::as_object(*map) : std::nullopt;
    if (!object) return invalid("weight_map", name + ": weight_map is missing");
    std::vector<std::string> files;
    for (const auto& [tensor, value] : *object) {
      const auto file = json::as_string(value);
      if (!file || file->empty() || file->find('/') != std::string_view::npos || file->starts_with('.')) {
        return invalid("weight_map", name + ": the file of " + std::string(tensor) + " is not one of this folder");
      }
      if (std::ranges::find(files, *file) == files.end()) files.emplace_back(*file);
      if (files.size() > kMaxShards) return invalid("weight_map", name + " names more than 10,000 files");
    }
    std::ranges::sort(files);
    return files;
  }

  Status add_file(const std::string& name) {
    AJAR_ASSIGN(auto file, MappedFile::open((folder_ / name).string()));
    AJAR_ASSIGN(const auto tensors, read_safetensors(file->bytes()));
    files_.push_back(std::move(file));
    for (const SafeTensor& tensor : tensors) AJAR_TRY(add_tensor(tensor));
    return {};
  }

  Status add_tensor(const SafeTensor& from) {
    if (from.name.find(".mlp.experts.") != std::string::npos && from.shape.size() == 3) return add_experts(from);
    const auto name = gguf_tensor_name(config_, from.name);
    if (!name) {
      return fail(Code::kUnsupported, "no " + config_.architecture + " model that is known has the tensor " + from.name,
                  from.name);
    }
    if (name->empty()) return {};
    if (from.shape.size() > 4) return invalid(from.name, from.name + ": more than 4 dimensions");
    std::vector<int64_t> shape(from.shape.rbegin(), from.shape.rend());
    // A row by itself is a vector.
    while (shape.size() > 1 && shape.back() == 1) shape.pop_back();
    return put(*name, from, shape, from.bytes);
  }

  // All experts of a layer in one tensor: [experts, 2 * inner, width] with the gate's rows first, or [experts, width, inner].
  Status add_experts(const SafeTensor& from) {
    const bool down = from.name.ends_with("down_proj") || from.name.ends_with("down_proj.weight");
    const bool both = from.name.ends_with("gate_up_proj") || from.name.ends_with("gate_up_proj.weight");
    const std::string_view name = from.name;
    const size_t at = name.find("layers.");
    const size_t end = at == std::string::npos ? at : name.find('.', at + 7);
    if ((!down && !both) || end == std::string::npos || from.shape[0] != config_.experts || (both && from.shape[1] % 2 != 0)) {
      return invalid(from.name, from.name + ": its shape is not that of " + std::to_string(config_.experts) + " experts");
    }
    const std::string block = "blk." + std::string(name.substr(at + 7, end - at - 7)) + ".";
    const size_t each = from.bytes.size() / size_t(std::max<int64_t>(from.shape[0], 1));
    for (int64_t expert = 0; expert < from.shape[0]; ++expert) {
      const std::string number = "." + std::to_string(expert) + ".weight";
      const std::string_view bytes = from.bytes.substr(size_t(expert) * each, each);
      if (down) {
        AJAR_TRY(put(block + "ffn_down" + number, from, {from.shape[2], from.shape[1]}, bytes));
      } else {
        AJAR_TRY(put(block + "ffn_gate" + number, from, {from.shape[2], from.shape[1] / 2}, bytes.substr(0, each / 2)));
        AJAR_TRY(put(block + "ffn_up" + number, from, {from.shape[2], from.shape[1] / 2}, bytes.substr(each / 2)));
      }
    }
    return {};
  }

  Status put(const std::string& name, const SafeTensor& from, const std::vector<int64_t>& shape, std::string_view bytes) {
    const auto dtype = from.dtype == "F32"    ? std::optional(Dtype::kF32)
                       : from.dtype == "F16"  ? std::optional(Dtype::kF16)
                       : from.dtype == "BF16" ? std::optional(Dtype::kBF16)
                                              : std::nullopt;
    if (!dtype) {
      return fail(Code::kUnsupported, from.name + ": numbers of " + from.dtype + " are not supported (F32, F16, BF16 are)",
                  from.name);
    }
    if (bytes.empty()) return invalid(from.name, from.name + ": it is empty");
    if (!names_.insert(name).second) return invalid(from.name, from.name + ": it is there twice");
    Tensor tensor{.name = name, .dtype = *dtype, .shape = {1, 1, 1, 1}};
    std::ranges::copy(shape, tensor.shape.begin());
    tensor.bytes = std::as_bytes(std::span(bytes));
    // Files of the format's first days do not align their data.
    if (reinterpret_cast<uintptr_t>(bytes.data()) % size_t(dtype_info(*dtype).block_bytes) != 0) {
      auto& copy = copies_.emplace_back(std::make_unique<std::byte[]>(bytes.size()));
      std::memcpy(copy.get(), bytes.data(), bytes.size());
      tensor.bytes = {copy.get(), bytes.size()};
    }
    tensors_.push_back(std::move(tensor));
    return {};
  }

  // As the sentence-transformers library keeps it.
  Status read_pooling() {
    if (config_.pooling != Pooling::kNone) return {};
    AJAR_ASSIGN(const std::string text, read_hf_json(folder_ / "1_Pooling" / "config.json"));
    if (text.empty()) return {};
    json::Document document;
    auto root = document.parse_object(text);
    if (!root) return std::unexpected(std::move(root.error()).in("1_Pooling/config.json"));
    const auto is = [&](const char* name) {
      const auto value = json::find(*root, name);
      return value && json::as_bool(*value).value_or(false);
    };
    if (is("pooling_mode_cls_token")) config_.pooling = Pooling::kCls;
    else if (is("pooling_mode_lasttoken")) config_.pooling = Pooling::kLast;
    else if (is("pooling_mode_mean_tokens")) config_.pooling = Pooling::kMean;
    else return fail(Code::kUnsupported, "1_Pooling/config.json: a kind of pooling that is not supported", "pooling_mode");
    return {};
  }

  // From the head of README.md, the hub's model card.
  Status read_licence() {
    AJAR_ASSIGN(const std::string text, read_hf_text(folder_ / "README.md"));
    if (!text.starts_with("---")) return {};
    const std::string_view head = std::string_view(text).substr(0, text.find("\n---", 3));
    const size_t at = head.find("\nlicense:");
    if (at == std::string_view::npos) return {};
    std::string_view value = head.substr(at + 9);
    value = value.substr(0, value.find('\n'));
    const size_t from = value.find_first_not_of(" \t\"'"), to = value.find_last_not_of(" \t\r\"'");
    if (from != std::string_view::npos) config_.licence = value.substr(from, to - from + 1);
    return {};
  }

  Status read_chat_template() {
    AJAR_ASSIGN(chat_template_, read_hf_text(folder_ / "chat_template.jinja"));
    if (!chat_template_.empty()) return {};
    AJAR_ASSIGN(const std::string text, read_hf_json(folder_ / "tokenizer_config.json"));
    if (text.empty()) return {};
    json::Document document;
    auto root = document.parse_object(text);
    if (!root) return std::unexpected(std::move(root.error()).in("tokenizer_config.json"));
    const auto given = json::find(*root, "chat_template");
    if (!given) return {};
    if (const auto one = json::as_string(*given)) {
      chat_template_ = *one;
    } else if (const auto several = json::as_array(*given)) {
      for (const auto item : *several) {
        const auto object = json::as_object(item);
        if (object && json::string_or(*object, "name") == "default") chat_template_ = json::string_or(*object, "template");
      }
    }
    return {};
  }

  fs::path folder_;
  std::vector<std::shared_ptr<const MappedFile>> files_;
  std::vector<std::unique_ptr<std::byte[]>> copies_;
  std::set<std::string> names_;
};

}  // namespace

Result<std::shared_ptr<const Checkpoint>> open_hf(const std::string& folder) {
  auto checkpoint = std::make_shared<HfCheckpoint>();
  if (auto status = checkpoint->read(folder); !status) return std::unexpected(std::move(status.error()).in(folder));
  return checkpoint;
}

}  // namespace ajar::engine
