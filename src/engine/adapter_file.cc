#include "engine/adapter_file.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "engine/gguf.h"
#include "engine/hf_config.h"
#include "engine/hf_files.h"
#include "engine/safetensors.h"
#include "json/read.h"

namespace ajar::engine {

std::unexpected<Error> not_adaptable(const std::string& name) {
  return fail(Code::kUnsupported,
              "it adapts " + name + "; only attention, feed-forward, experts (each its gate, up and down) and their router can be adapted, "
              "not embeddings, the output matrix or norms", name);
}

namespace {

// "17.rest" to 17 and "rest".
bool take_layer(std::string_view& text, int32_t& layer) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), layer);
  if (error != std::errc() || layer < 0 || end == text.data() + text.size() || *end != '.') return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()) + 1);
  return true;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}
bool take_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

Result<AdapterFile> read_gguf(const std::string& path) {
  AdapterFile out;
  AJAR_ASSIGN(out.file, MappedFile::open(path));
  AJAR_ASSIGN(const GgufMetadata metadata, GgufMetadata::read(out.file->bytes()));
  if (metadata.string("general.type") != "adapter")
    return invalid("general.type", "it is no adapter: general.type is '" + std::string(metadata.string("general.type").value_or("model")) + "'");
  if (auto kind = metadata.string("adapter.type").value_or("lora"); kind != "lora")
    return fail(Code::kUnsupported, "adapters of the kind '" + std::string(kind) + "' are not supported, only lora", "adapter.type");
  if (metadata.find("adapter.alora.invocation_tokens") != nullptr)
    return fail(Code::kUnsupported, "adapters that begin at a token (aLoRA) are not supported", "adapter.alora.invocation_tokens");
  out.architecture = metadata.string("general.architecture").value_or("");
  out.alpha = metadata.real("adapter.lora.alpha").value_or(0);
  AJAR_ASSIGN(const auto tensors, metadata.tensors());
  for (const GgufTensor& from : tensors) {
    AdapterTensor tensor{.name = std::string(from.name), .dtype = from.dtype, .columns = from.shape[0], .rows = from.shape[1], .matrices = from.shape[2],
                         .bytes = std::as_bytes(std::span(from.bytes))};
    std::string_view rest = from.name;
    tensor.b = rest.ends_with(".lora_b");
    bool known = (take_suffix(rest, ".lora_a") || take_suffix(rest, ".lora_b")) && take_suffix(rest, ".weight") && take_prefix(rest, "blk.") &&
                 take_layer(rest, tensor.layer) && from.shape[3] == 1;
    if (!known) return not_adaptable(tensor.name);
    tensor.matrix = rest;
    out.tensors.push_back(std::move(tensor));
  }
  return out;
}

Status read_peft_config(const std::filesystem::path& folder, AdapterFile& out, std::vector<std::string>& targets) {
  AJAR_ASSIGN(const std::string text, read_hf_json(folder / "adapter_config.json"));
  if (text.empty()) return fail(Code::kNotFound, "there is no adapter_config.json", "adapter_config.json");
  json::Document document;
  auto root = document.parse_object(text);
  if (!root) return std::unexpected(std::move(root.error()).in("adapter_config.json"));
  auto given = [&](const char* key) { return json::find(*root, key); };
  auto is = [&](const char* key) { return given(key) && json::as_bool(*given(key)).value_or(false); };
  auto filled = [&](const char* key) {
    auto object = given(key) ? json::as_object(*given(key)) : std::nullopt;
    return object && object->size() > 0;
  };
  if (auto kind = json::string_or(*root, "peft_type", "LORA"); kind != "LORA")
    return fail(Code::kUnsupported, "adapters of the kind '" + std::string(kind) + "' are not supported, only LORA", "peft_type");
  for (const char* key : {"use_dora", "fan_in_fan_out", "use_qalora", "lora_bias"})
    if (is(key)) return fail(Code::kUnsupported, "adapters with '" + std::string(key) + "' are not supported", key);
  if (filled("alpha_pattern")) return fail(Code::kUnsupported, "adapters with 'alpha_pattern' are not supported", "alpha_pattern");
  if (auto list = given("target_parameters") ? json::as_array(*given("target_parameters")) : std::nullopt; list && list->size() > 0)
    return fail(Code::kUnsupported, "adapters with 'target_parameters' (all experts as one matrix) are not supported", "target_parameters");
  if (auto rank = given("r")) out.rank = json::as_int(*rank).value_or(-1);
  if (out.rank <= 0) return invalid("r", "adapter_config.json: 'r' is missing or no rank");
  if (filled("rank_pattern")) out.rank = 0;
  auto alpha = given("lora_alpha");
  out.alpha = alpha ? json::as_double(*alpha).value_or(-1) : 8;  // PEFT's own default
  if (!(out.alpha > 0)) return invalid("lora_alpha", "adapter_config.json: 'lora_alpha' is no number above 0");
  out.root_scale = is("use_rslora");
  if (auto list = given("target_modules") ? json::as_array(*given("target_modules")) : std::nullopt)
    for (const auto item : *list)
      if (auto name = json::as_string(item)) targets.emplace_back(*name);
  return {};
}

Result<AdapterFile> read_peft(const std::filesystem::path& folder) {
  AdapterFile out;
  out.peft = true;
  std::vector<std::string> targets;
  AJAR_TRY(read_peft_config(folder, out, targets));
  AJAR_ASSIGN(out.file, MappedFile::open((folder / "adapter_model.safetensors").string()));
  auto tensors = read_safetensors(out.file->bytes());
  if (!tensors) return std::unexpected(std::move(tensors.error()).in("adapter_model.safetensors"));
  std::vector<std::string_view> modules;
  for (const SafeTensor& from : *tensors) {
    std::string_view rest = from.name;
    AdapterTensor tensor{.name = from.name, .bytes = std::as_bytes(std::span(from.bytes))};
    take_prefix(rest, "base_model.model.");
    take_prefix(rest, "model.");
    bool shaped = take_prefix(rest, "layers.") && take_layer(rest, tensor.layer) && take_suffix(rest, ".weight");
    take_suffix(rest, ".default");
    tensor.b = rest.ends_with(".lora_B");
    shaped = shaped && (take_suffix(rest, ".lora_A") || take_suffix(rest, ".lora_B"));
    if (shaped) tensor.matrix = gguf_module_name(rest).value_or("");
    if (tensor.matrix.empty()) return not_adaptable(from.name);
    modules.push_back(rest);
    if (from.shape.size() != 2) return invalid(from.name, "tensor " + from.name + " is no matrix");
    tensor.columns = from.shape[1], tensor.rows = from.shape[0];
    if (from.dtype == "F32") tensor.dtype = Dtype::kF32;
    else if (from.dtype == "F16") tensor.dtype = Dtype::kF16;
    else if (from.dtype == "BF16") tensor.dtype = Dtype::kBF16;
    else return fail(Code::kUnsupported, from.name + ": numbers of " + from.dtype + " are not supported (F32, F16, BF16 are)", from.name);
    out.tensors.push_back(std::move(tensor));
  }
  // What the configuration promises and the file lacks would be an adapter that does only a part of its work.
  for (const std::string& target : targets) {
    const std::string_view last = std::string_view(target).substr(target.rfind('.') + 1);  // also of a whole path
    if (std::ranges::none_of(modules, [&](std::string_view module) { return module.substr(module.rfind('.') + 1) == last; }))
      return invalid("target_modules", "adapter_config.json names the target '" + target + "', of which adapter_model.safetensors has no tensor");
  }
  return out;
}

}  // namespace

Result<AdapterFile> read_adapter_file(const std::string& path) {
  std::error_code ignored;
  auto out = std::filesystem::is_directory(path, ignored) ? read_peft(path) : read_gguf(path);
  if (!out) return out;
  if (out->tensors.empty()) return invalid("", "it has no tensors");
  if (!std::isfinite(out->alpha)) return invalid("alpha", "its alpha is not finite");
  return out;
}

}  // namespace ajar::engine
