// ajar pull: brings a model from a hub into the data folder.
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "app/app.h"
#include "app/commands.h"
#include "app/download.h"
#include "app/http_call.h"
#include "app/hub.h"
#include "app/local_models.h"
#include "app/terminal.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/mapped_file.h"
#include "json/write.h"

namespace ajar::app {
namespace {

namespace fs = std::filesystem;
constexpr int64_t kSpare = 64 << 20;  // what the disk is to have left over

struct PullArgs {
  std::string model, data, hub;
  int connections = 4;
  int64_t chunk = 32 << 20;
};

// One redirect of the API is followed: repositories are renamed.
Result<HubModel> ask_hub(HttpCaller& caller, const ModelName& name, const std::string& token) {
  std::string url = name.hub + "/api/models/" + name.repo + "?blobs=true";
  const std::string first = url;
  for (int hop = 0; hop < 3; ++hop) {
    HttpCaller::Fields fields{{"accept", "application/json"}};
    if (!token.empty() && url.starts_with(name.hub + "/")) fields.emplace_back("authorization", "Bearer " + token);
    auto reply = caller.call("GET", url, fields, "");
    if (!reply) return std::unexpected(std::move(reply.error()).in(name.hub));
    if (reply->status == 200) return read_hub_model(reply->body);
    const std::string_view location = reply->headers.get("location");
    if (reply->status >= 300 && reply->status < 400 && location.starts_with('/')) {
      url = name.hub + std::string(location);
      continue;
    }
    if (reply->status == 401 || reply->status == 404) {
      return fail(Code::kNotFound, "the hub has no model " + name.repo + (token.empty() ? ", or it asks for a token: set HF_TOKEN" : ""));
    }
    if (reply->status == 403) return fail(Code::kForbidden, "the hub refuses " + name.repo + "; its licence may have to be accepted there first");
    return fail(Code::kUpstream, "HTTP " + std::to_string(reply->status) + " from " + first);
  }
  return fail(Code::kUpstream, "the hub redirects in circles");
}

std::string file_url(const ModelName& name, const HubFile& file) {
  std::string path;
  for (const auto part : split(file.name, '/')) path += "/" + percent_encode(part);
  return name.hub + "/" + name.repo + "/resolve/main" + path;
}

// Whole and the same as at the hub.
bool is_there(const std::string& path, const HubFile& file) {
  std::error_code failed;
  const auto size = fs::file_size(path, failed);
  if (failed || (file.size >= 0 && int64_t(size) != file.size)) return false;
  if (file.sha256.empty()) return file.size >= 0;
  const auto mapped = engine::MappedFile::open(path);
  return mapped && sha256_hex((*mapped)->bytes()) == file.sha256;
}

Status check_room(const std::string& folder, int64_t needed) {
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0) return {};
  const int64_t free = int64_t(disk.f_bavail) * int64_t(disk.f_frsize);
  if (free >= needed + kSpare) return {};
  return fail(Code::kUnavailable, "the disk of " + folder + " has " + bytes_text(free) + " free, the model needs " + bytes_text(needed));
}

// What lies on the disk of files that were begun: blocks, since they are written with holes.
int64_t begun(const std::string& path) {
  struct stat info {};
  return ::stat((path + ".part").c_str(), &info) == 0 ? int64_t(info.st_blocks) * 512 : 0;
}

struct Pulled {
  std::string folder;
  ModelRecord record;
  int64_t fetched = 0;
};

Result<Pulled> pull(const CommandContext& context, const PullArgs& args) {
  const std::string hub = args.hub.empty() ? context.environment("AJAR_HUB").value_or("") : args.hub;
  const std::string token = context.environment("HF_TOKEN").value_or("");
  const std::string data = args.data.empty() ? context.environment("AJAR_DATA").value_or("data") : args.data;
  const ProxyConfig proxy = proxies(context.environment);
  for (const std::string& url : {proxy.http_proxy, proxy.https_proxy}) {
    if (!url.empty()) AJAR_TRY(parse_proxy(url));
  }
  AJAR_ASSIGN(const ModelName name, parse_model_name(args.model, hub));
  HttpCaller caller(proxy);
  AJAR_ASSIGN(const HubModel model, ask_hub(caller, name, token));
  AJAR_ASSIGN(const std::vector<HubFile> files, choose_files(model, name.wanted));

  Pulled out{.folder = models_folder(data) + "/" + name.folder()};
  out.record = {.hub = name.hub, .repo = name.repo, .revision = model.revision, .licence = model.licence, .files = files};
  std::error_code failed;
  fs::create_directories(out.folder, failed);
  if (failed) return fail(Code::kUnavailable, out.folder + ": " + failed.message());
  std::vector<const HubFile*> missing;
  int64_t total = 0, on_disk = 0;
  for (const HubFile& file : files) {
    const std::string path = out.folder + "/" + file.name;
    if (is_there(path, file)) continue;
    missing.push_back(&file);
    total += std::max<int64_t>(file.size, 0);
    on_disk += std::min(begun(path), std::max<int64_t>(file.size, 0));
  }
  if (!context.json) {
    std::printf("%s from %s\nlicence: %s%s\n", bold(name.repo).c_str(), name.hub.c_str(),
                model.licence.empty() ? "not said" : model.licence.c_str(), model.gated ? " (gated)" : "");
    for (const HubFile& file : files) {
      const bool have = std::ranges::find(missing, &file) == missing.end();
      std::printf("  %s%s%s\n", file.name.c_str(), file.size >= 0 ? ("  " + bytes_text(file.size)).c_str() : "", have ? dim("  already there").c_str() : "");
    }
    std::fflush(stdout);
  }
  AJAR_TRY(check_room(out.folder, total - on_disk));

  std::atomic<int64_t> received = 0;
  std::atomic<bool> over = false;
  std::jthread shower([&] {  // the only thread that draws
    Progress bar("fetching", total);
    while (!over) {
      bar.update(received);
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  });
  Status status;
  for (const HubFile* file : missing) {
    const Download one{.url = file_url(name, *file), .path = out.folder + "/" + file->name, .size = file->size, .sha256 = file->sha256};
    status = download(one, {.proxy = proxy, .token = token, .connections = args.connections, .chunk = args.chunk,
                            .on_bytes = [&](int64_t bytes) { received += bytes; }});
    if (!status) {
      status = std::unexpected(std::move(status.error()).in(file->name));
      const Code code = status.error().code;
      if (code == Code::kCut || code == Code::kTimeout || code == Code::kUnavailable) {
        status.error().message += " (what came is kept: pull again to go on)";
      }
      break;
    }
  }
  over = true;
  shower.join();
  AJAR_TRY(status);
  out.fetched = total;
  AJAR_TRY(write_record(out.folder, out.record));
  return out;
}

int run_pull(const CommandContext& context, const PullArgs& args) {
  const auto pulled = pull(context, args);
  if (!pulled) return complain(context, pulled.error());
  if (context.json) {
    std::string text;
    json::Writer w(text);
    w.begin_object();
    w.field("folder", pulled->folder);
    w.field("repo", pulled->record.repo);
    w.field("revision", pulled->record.revision);
    w.field("licence", pulled->record.licence);
    w.field("fetched", pulled->fetched);
    w.key("files");
    w.begin_array();
    for (const HubFile& file : pulled->record.files) w.string(file.name);
    w.end_array();
    w.end_object();
    std::puts(text.c_str());
  } else {
    std::printf("%s\n", pulled->folder.c_str());
  }
  return 0;
}

}  // namespace

void add_pull(CommandContext& context) {
  auto command = context.root.add_subcommand("pull", "Bring a model from a hub into the data folder");
  auto args = std::make_shared<PullArgs>();
  command.add_option("model", args->model, "org/name, org/name:TYPE or org/name:FILE; a hub may stand before").required();
  command.add_option("-d,--data", args->data, "Data folder (or AJAR_DATA; default: data)");
  command.add_option("--hub", args->hub, "Hub or mirror (or AJAR_HUB; default: " + std::string(kDefaultHub) + ")");
  command.add_option("-c,--connections", args->connections, "Parts fetched at once").between(1, 32).capture_default();
  command.add_option("--chunk", args->chunk, "Bytes of a part").between(int64_t(1) << 12, int64_t(1) << 40).group("");
  command.footer("Of a repository of GGUF files one is taken: Q4_K_M, or the next best that is there, or the TYPE or FILE named;\n"
                 "all parts of a split one. Of any other repository the configuration, the tokenizer and the safetensors.\n"
                 "A pull that was broken off goes on where it was. SHA-256 sums are checked where the hub has them. HF_TOKEN is\n"
                 "sent to the hub, not to where it redirects. https_proxy, http_proxy and no_proxy are obeyed.\n\n"
                 "  ajar pull Qwen/Qwen2.5-0.5B-Instruct-GGUF\n"
                 "  ajar pull bartowski/Llama-3.2-1B-Instruct-GGUF:Q8_0\n"
                 "  ajar pull https://mirror.example/sentence-transformers/all-MiniLM-L6-v2");
  context.add(command, [&context, args] { return run_pull(context, *args); });
}

}  // namespace ajar::app
