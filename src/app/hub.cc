#include "app/hub.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "json/read.h"

namespace ajar::app {
namespace {

bool plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 96 && name[0] != '.' && name[0] != '-' &&
         std::ranges::all_of(name, [](char c) { return std::isalnum(uint8_t(c)) || c == '-' || c == '_' || c == '.'; });
}

// What we write to disk under the name that a server gives.
bool safe_path(std::string_view path) {
  if (path.empty() || path.size() > 512 || !valid_utf8(path)) return false;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == "." || part == ".." || part.starts_with('.')) return false;
    for (const char c : part) {
      if (uint8_t(c) < 0x20 || c == '\\' || c == 0x7f || c == ':') return false;
    }
  }
  return true;
}

// "model-00002-of-00003.gguf" gives "model.gguf": the same for all parts of a set.
std::string set_of(std::string_view name) {
  const std::string_view stem = name.substr(0, name.size() - 5);
  if (stem.size() > 15 && stem.substr(stem.size() - 9, 4) == "-of-" && stem[stem.size() - 15] == '-') {
    return std::string(stem.substr(0, stem.size() - 15)) + ".gguf";
  }
  return std::string(name);
}

// The types that the engine runs, the best choice for most first.
constexpr std::string_view kPreferred[] = {"Q4_K_M", "Q4_K_S", "Q4_0", "IQ4_NL", "Q5_K_M", "Q5_K_S", "Q6_K", "Q8_0", "Q4_1",
                                           "Q5_0", "Q5_1", "MXFP4", "Q3_K_L", "Q3_K_M", "Q3_K_S", "Q2_K", "F16", "BF16",
                                           "FP16", "F32"};

// Whether the file's name has the type as a word of its own: "model-q4_k_m.gguf", "model.Q4_0.gguf".
bool of_type(std::string_view file, std::string_view type) {
  const std::string name = to_lower(file), wanted = to_lower(type);
  const auto edge = [](char c) { return !std::isalnum(uint8_t(c)) && c != '_'; };
  for (size_t at = name.find(wanted); at != std::string::npos; at = name.find(wanted, at + 1)) {
    const size_t end = at + wanted.size();
    if ((at == 0 || edge(name[at - 1])) && (end == name.size() || edge(name[end]))) return true;
  }
  return false;
}

bool of_folder(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "config.json", "generation_config.json", "model.safetensors", "model.safetensors.index.json", "tokenizer.json",
      "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json", "added_tokens.json", "vocab.txt", "vocab.json",
      "merges.txt", "chat_template.jinja", "chat_template.json", "README.md", "LICENSE", "modules.json", "1_Pooling/config.json"};
  return std::ranges::find(kNames, name) != std::end(kNames) || (name.starts_with("model-") && name.ends_with(".safetensors"));
}

}  // namespace

std::string ModelName::folder() const {
  std::string out = repo;
  out.replace(out.find('/'), 1, "--");
  return out;
}

Result<ModelName> parse_model_name(std::string_view text, std::string_view hub) {
  ModelName out{.hub = std::string(hub.empty() ? kDefaultHub : hub)};
  const auto wrong = [&] {
    return invalid("model", "'" + std::string(text) + "' is no model's name; write org/name, org/name:Q4_K_M or org/name:file.gguf");
  };
  std::string_view rest = text;
  if (const size_t scheme = rest.find("://"); scheme != std::string_view::npos) {
    const size_t slash = rest.find('/', scheme + 3);
    if (slash == std::string_view::npos) return wrong();
    out.hub = rest.substr(0, slash);
    rest.remove_prefix(slash + 1);
  } else if (const std::string_view host = rest.substr(0, rest.find('/'));
             std::ranges::count(rest.substr(0, rest.find(':')), '/') >= 2 && plain_name(host) && host.find('.') != std::string_view::npos) {
    out.hub = "https://" + std::string(rest.substr(0, rest.find('/')));
    rest.remove_prefix(rest.find('/') + 1);
  }
  if (out.hub == "https://hf.co") out.hub = kDefaultHub;
  while (out.hub.ends_with('/')) out.hub.pop_back();
  if (!out.hub.starts_with("https://") && !out.hub.starts_with("http://")) {
    return invalid("hub", "the hub '" + out.hub + "' is no http or https address");
  }
  if (const size_t colon = rest.find(':'); colon != std::string_view::npos) {
    out.wanted = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (!safe_path(out.wanted)) return wrong();
  }
  const auto parts = split(rest, '/');
  if (parts.size() != 2 || !plain_name(parts[0]) || !plain_name(parts[1])) return wrong();
  out.repo = rest;
  return out;
}

Result<HubModel> read_hub_model(std::string_view text) {
  json::Document document;
  const auto root = document.parse_object(text);
  const auto odd = [](const std::string& what) { return fail(Code::kUpstream, "the hub's answer is odd: " + what); };
  if (!root) return odd(root.error().message);
  HubModel out;
  out.revision = json::string_or(*root, "sha");
  if (const auto card = json::find(*root, "cardData")) {
    if (const auto object = json::as_object(*card)) {
      out.licence = json::string_or(*object, "license");
      if (const auto name = json::string_or(*object, "license_name"); !name.empty() && out.licence == "other") out.licence = name;
    }
  }
  if (const auto tags = json::find(*root, "tags"); tags && out.licence.empty()) {
    if (const auto list = json::as_array(*tags)) {
      for (const auto tag : *list) {
        const auto word = json::as_string(tag).value_or("");
        if (word.starts_with("license:")) out.licence = word.substr(8);
      }
    }
  }
  if (const auto gated = json::find(*root, "gated")) out.gated = json::as_bool(*gated).value_or(true);
  const auto siblings = json::find(*root, "siblings");
  const auto list = siblings ? json::as_array(*siblings) : std::nullopt;
  if (!list) return odd("there is no list of files");
  for (const auto item : *list) {
    const auto object = json::as_object(item);
    if (!object) return odd("a file is not an object");
    HubFile file{.name = std::string(json::string_or(*object, "rfilename")), .size = json::int_or(*object, "size", -1)};
    if (!safe_path(file.name)) continue;  // also the likes of .gitattributes
    if (const auto lfs = json::find(*object, "lfs")) {
      if (const auto stored = json::as_object(*lfs)) {
        file.sha256 = to_lower(json::string_or(*stored, "sha256", json::string_or(*stored, "oid")));
        file.size = json::int_or(*stored, "size", file.size);
      }
    }
    if (file.size < -1) return odd("the size of " + file.name);
    out.files.push_back(std::move(file));
  }
  return out;
}

Result<std::vector<HubFile>> choose_files(const HubModel& model, std::string_view wanted) {
  std::vector<HubFile> out;
  std::map<std::string, std::vector<HubFile>> sets;  // of GGUF files, by name
  for (const HubFile& file : model.files) {
    if (!wanted.empty() && file.name == wanted && !file.name.ends_with(".gguf")) out.push_back(file);
    const std::string_view base = std::string_view(file.name).substr(file.name.rfind('/') + 1);
    if (file.name.ends_with(".gguf") && !to_lower(base).starts_with("mmproj")) sets[set_of(file.name)].push_back(file);
  }
  if (!out.empty()) return out;
  for (auto& [name, files] : sets) std::ranges::sort(files, {}, &HubFile::name);
  if (!wanted.empty() && wanted.ends_with(".gguf")) {
    if (const auto found = sets.find(set_of(wanted)); found != sets.end()) return found->second;
  } else if (!sets.empty()) {
    for (const std::string_view type : kPreferred) {
      if (!wanted.empty() && !iequals(type, wanted)) continue;
      for (const auto& [name, files] : sets) {
        if (of_type(name.substr(0, name.size() - 5), type)) return files;
      }
    }
    if (!wanted.empty()) {  // a word of ours is not needed
      for (const auto& [name, files] : sets) {
        if (of_type(name.substr(0, name.size() - 5), wanted)) return files;
      }
    } else if (sets.size() == 1) {
      return sets.begin()->second;
    }
  } else if (wanted.empty()) {
    bool weights = false;
    for (const HubFile& file : model.files) {
      if (!of_folder(file.name)) continue;
      weights |= file.name.ends_with(".safetensors");
      out.push_back(file);
    }
    if (weights) return out;
  }
  std::string there;
  for (const auto& [name, files] : sets) there += (there.empty() ? "" : ", ") + name;
  return fail(Code::kNotFound,
              sets.empty() ? "the repository has neither GGUF files nor safetensors" + (wanted.empty() ? std::string() : ", nor " + std::string(wanted))
              : wanted.empty() ? "none of its files is of a type that the engine runs; name one of: " + there
                               : "the repository has no '" + std::string(wanted) + "'; it has " + there);
}

}  // namespace ajar::app
