#include "app/local_models.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/clock.h"
#include "base/text.h"
#include "json/read.h"
#include "json/write.h"

namespace ajar::app {
namespace {

namespace fs = std::filesystem;
constexpr const char* kRecord = "ajar-model.json";

// "x-00001-of-00003.gguf" for any part of the set; the name itself otherwise.
std::string first_part(const std::string& name) {
  const size_t of = name.rfind("-of-");
  if (of == std::string::npos || of < 6 || name.size() != of + 14 || name[of - 6] != '-') return name;
  return name.substr(0, of - 5) + "00001" + name.substr(of);
}

int64_t size_of(const fs::path& path) {
  std::error_code failed;
  const auto size = fs::file_size(path, failed);
  return failed ? 0 : int64_t(size);
}

std::vector<LocalModel> in_folder(const fs::path& folder) {
  const ModelRecord record = read_record(folder.string()).value_or(ModelRecord());
  std::string name = record.repo;
  if (name.empty()) {
    name = folder.filename().string();
    if (const size_t at = name.find("--"); at != std::string::npos) name.replace(at, 2, "/");
  }
  std::map<std::string, LocalModel> sets;
  LocalModel whole{.name = name, .path = folder.string(), .record = record};
  bool weights = false;
  std::error_code failed;
  for (fs::recursive_directory_iterator at(folder, fs::directory_options::none, failed), end; at != end; at.increment(failed)) {
    if (failed || !at->is_regular_file(failed) || at->is_symlink(failed)) continue;
    const std::string file = at->path().string(), relative = fs::relative(at->path(), folder, failed).string();
    if (relative.ends_with(".part") || relative.ends_with(".part.state")) continue;
    if (relative.ends_with(".gguf")) {
      LocalModel& model = sets[first_part(relative)];
      model.files.push_back(file);
      model.bytes += size_of(file);
    } else if (relative != kRecord) {
      weights |= relative.ends_with(".safetensors");
      whole.files.push_back(file);
      whole.bytes += size_of(file);
    }
  }
  std::vector<LocalModel> out;
  for (auto& [file, model] : sets) {
    model.name = name + ":" + file;
    model.path = (folder / file).string();
    model.record = record;
    std::ranges::sort(model.files);
    out.push_back(std::move(model));
  }
  if (weights) out.push_back(std::move(whole));
  return out;
}

}  // namespace

std::string models_folder(const std::string& data) { return data + "/models"; }

std::vector<LocalModel> local_models(const std::string& data) {
  std::vector<LocalModel> out;
  std::error_code failed;
  for (fs::directory_iterator at(models_folder(data), failed), end; !failed && at != end; at.increment(failed)) {
    if (!at->is_directory(failed)) continue;
    for (LocalModel& model : in_folder(at->path())) out.push_back(std::move(model));
  }
  std::ranges::sort(out, {}, &LocalModel::name);
  return out;
}

Result<LocalModel> find_local_model(const std::string& data, std::string_view name) {
  const std::vector<LocalModel> all = local_models(data);
  std::vector<const LocalModel*> found;
  const size_t colon = name.find(':');
  const std::string_view repo = name.substr(0, colon), wanted = colon == std::string_view::npos ? "" : name.substr(colon + 1);
  for (const LocalModel& model : all) {
    const std::string_view own = std::string_view(model.name).substr(0, model.name.find(':'));
    const std::string file = own.size() == model.name.size() ? "" : to_lower(model.name.substr(own.size() + 1));
    if (model.name == name || (own == repo && (wanted.empty() || file.find(to_lower(wanted)) != std::string::npos))) {
      if (model.name == name) return model;
      found.push_back(&model);
    }
  }
  if (found.size() == 1) return *found[0];
  std::string names;
  for (const LocalModel& model : all) {
    if (found.empty() || std::ranges::find(found, &model) != found.end()) names += (names.empty() ? "" : ", ") + model.name;
  }
  if (!found.empty()) return invalid("model", "'" + std::string(name) + "' may be any of " + names);
  return fail(Code::kNotFound, "there is no model '" + std::string(name) + "' in " + models_folder(data) +
                                   (names.empty() ? "" : "; there are " + names), "model");
}

Result<ModelRecord> read_record(const std::string& folder) {
  std::ifstream in(folder + "/" + kRecord);
  if (!in) return fail(Code::kNotFound, folder + " has no " + kRecord);
  std::ostringstream text;
  text << in.rdbuf();
  json::Document document;
  AJAR_ASSIGN(const auto root, document.parse_object(text.str()));
  ModelRecord out{.hub = std::string(json::string_or(root, "hub")), .repo = std::string(json::string_or(root, "repo")),
                  .revision = std::string(json::string_or(root, "revision")),
                  .licence = std::string(json::string_or(root, "licence")), .pulled_ms = json::int_or(root, "pulled_ms")};
  const auto files = json::find(root, "files");
  if (const auto list = files ? json::as_array(*files) : std::nullopt) {
    for (const auto item : *list) {
      const auto file = json::as_object(item);
      if (!file) continue;
      out.files.push_back({.name = std::string(json::string_or(*file, "name")), .size = json::int_or(*file, "size", -1),
                           .sha256 = std::string(json::string_or(*file, "sha256"))});
    }
  }
  return out;
}

Status write_record(const std::string& folder, ModelRecord record) {
  if (const auto earlier = read_record(folder)) {
    for (const HubFile& file : earlier->files) {
      if (std::ranges::find(record.files, file.name, &HubFile::name) == record.files.end()) record.files.push_back(file);
    }
  }
  std::ranges::sort(record.files, {}, &HubFile::name);
  std::string text;
  json::Writer w(text);
  w.begin_object();
  w.field("hub", record.hub);
  w.field("repo", record.repo);
  w.field("revision", record.revision);
  w.field("licence", record.licence);
  w.field("pulled_ms", unix_millis());
  w.key("files");
  w.begin_array();
  for (const HubFile& file : record.files) {
    w.begin_object();
    w.field("name", file.name);
    w.field("size", file.size);
    if (!file.sha256.empty()) w.field("sha256", file.sha256);
    w.end_object();
  }
  w.end_array();
  w.end_object();
  const std::string path = folder + "/" + kRecord, fresh = path + ".tmp";
  std::ofstream(fresh, std::ios::trunc) << text << "\n";
  std::error_code failed;
  fs::rename(fresh, path, failed);
  if (failed) return fail(Code::kUnavailable, path + ": " + failed.message());
  return {};
}

Status remove_model(const LocalModel& model) {
  std::error_code failed;
  fs::path folder(model.path);
  if (!fs::is_directory(folder, failed)) folder = folder.parent_path();
  for (const std::string& file : model.files) {
    fs::remove(file, failed);
    if (failed) return fail(Code::kUnavailable, file + ": " + failed.message());
  }
  if (!in_folder(folder).empty()) return {};
  fs::remove_all(folder, failed);  // the record and what was begun
  if (failed) return fail(Code::kUnavailable, folder.string() + ": " + failed.message());
  return {};
}

}  // namespace ajar::app
