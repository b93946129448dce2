// ajar models: the names that a key may use at a server; list, show and rm: the models in the data folder.
#include <cstdio>
#include <ctime>

#include "app/commands.h"
#include "app/http_call.h"
#include "app/local_models.h"
#include "app/terminal.h"
#include "json/read.h"
#include "json/write.h"

namespace ajar::app {
namespace {

struct ModelArgs {
  std::string url, key, data, name;
};

int served(const CommandContext& context, const ModelArgs& args) {
  const std::string url = args.url.empty() ? context.environment("AJAR_URL").value_or("http://127.0.0.1:8080") : args.url;
  const std::string key = args.key.empty() ? context.environment("AJAR_API_KEY").value_or("") : args.key;
  HttpCaller caller;
  HttpCaller::Fields headers;
  if (!key.empty()) headers.emplace_back("authorization", "Bearer " + key);
  const auto reply = caller.call("GET", url + "/v1/models", headers, "");
  if (!reply) return complain(context, reply.error());
  if (reply->status != 200) return complain(context, {.message = "HTTP " + std::to_string(reply->status) + ": " + reply->body});
  if (context.json) return std::puts(reply->body.c_str()), 0;
  json::Document document;
  const auto root = document.parse_object(reply->body);
  const auto data = root ? json::find(*root, "data") : std::nullopt;
  const auto list = data ? json::as_array(*data) : std::nullopt;
  if (!list) return complain(context, {.message = "the server's answer has no list: " + reply->body});
  for (const auto item : *list) {
    const auto row = json::as_object(item);
    if (!row) continue;
    std::printf("%s%s\n", std::string(json::string_or(*row, "id")).c_str(),
                json::string_or(*row, "owned_by") == "ajar-simulator" ? yellow("  (simulator)").c_str() : "");
  }
  return 0;
}

std::string data_of(const CommandContext& context, const ModelArgs& args) {
  return args.data.empty() ? context.environment("AJAR_DATA").value_or("data") : args.data;
}

std::string day(int64_t ms) {
  if (ms == 0) return "";
  const time_t seconds = ms / 1000;
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d", &tm);
  return text;
}

void write_model(json::Writer& w, const LocalModel& model) {
  w.begin_object();
  w.field("name", model.name);
  w.field("path", model.path);
  w.field("bytes", model.bytes);
  w.field("licence", model.record.licence);
  w.field("hub", model.record.hub);
  w.field("revision", model.record.revision);
  w.field("pulled_ms", model.record.pulled_ms);
  w.key("files");
  w.begin_array();
  for (const std::string& file : model.files) w.string(file);
  w.end_array();
  w.end_object();
}

int list(const CommandContext& context, const ModelArgs& args) {
  const std::vector<LocalModel> models = local_models(data_of(context, args));
  if (context.json) {
    std::string out;
    json::Writer w(out);
    w.begin_object();
    w.key("data");
    w.begin_array();
    for (const LocalModel& model : models) write_model(w, model);
    w.end_array();
    w.end_object();
    return std::puts(out.c_str()), 0;
  }
  if (models.empty()) {
    std::printf("no models in %s; `ajar pull org/name` brings one\n", models_folder(data_of(context, args)).c_str());
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const LocalModel& model : models) {
    rows.push_back({model.name, bytes_text(model.bytes), model.record.licence.empty() ? "not said" : model.record.licence,
                    day(model.record.pulled_ms)});
  }
  std::fputs(table({"model", "size", "licence", "pulled"}, rows).c_str(), stdout);
  return 0;
}

int show(const CommandContext& context, const ModelArgs& args) {
  const auto model = find_local_model(data_of(context, args), args.name);
  if (!model) return complain(context, model.error());
  if (context.json) {
    std::string out;
    json::Writer w(out);
    write_model(w, *model);
    return std::puts(out.c_str()), 0;
  }
  const auto line = [](const char* what, const std::string& value) {
    if (!value.empty()) std::printf("%-10s %s\n", what, value.c_str());
  };
  line("model", bold(model->name));
  line("path", model->path);
  line("size", bytes_text(model->bytes));
  line("licence", model->record.licence.empty() ? "not said" : model->record.licence);
  line("hub", model->record.hub);
  line("revision", model->record.revision);
  line("pulled", day(model->record.pulled_ms));
  for (const std::string& file : model->files) line("file", file);
  std::printf("\n`ajar inspect %s` shows what is in it.\n", model->path.c_str());
  return 0;
}

int remove(const CommandContext& context, const ModelArgs& args) {
  const auto model = find_local_model(data_of(context, args), args.name);
  if (!model) return complain(context, model.error());
  if (const Status removed = remove_model(*model); !removed) return complain(context, removed.error());
  if (context.json) std::puts("{\"removed\":true}");
  else std::printf("%s is removed, %s are free\n", model->name.c_str(), bytes_text(model->bytes).c_str());
  return 0;
}

}  // namespace

void add_models(CommandContext& context) {
  auto args = std::make_shared<ModelArgs>();
  auto command = context.root.add_subcommand("models", "The model names that a key may use; list, show, rm: models in the data folder");
  command.require_subcommand(0, 1);
  command.add_option("-u,--url", args->url, "Server (or AJAR_URL; default http://127.0.0.1:8080)");
  command.add_option("-k,--key", args->key, "API key (or AJAR_API_KEY)");
  const auto sub = [&](const char* name, const char* what, bool named, int (*run)(const CommandContext&, const ModelArgs&)) {
    auto part = command.add_subcommand(name, what);
    if (named) part.add_option("model", args->name, "org/name, or org/name:FILE").required();
    part.add_option("-d,--data", args->data, "Data folder (or AJAR_DATA; default: data)");
    context.add(part, [&context, args, run] { return run(context, *args); });
  };
  sub("list", "List the models in the data folder", false, list);
  sub("show", "Show one: where it lies and comes from, its licence", true, show);
  sub("rm", "Delete one", true, remove);
  context.add(command, [&context, args] { return served(context, *args); });  // after its parts: the first that was named runs
}

}  // namespace ajar::app
