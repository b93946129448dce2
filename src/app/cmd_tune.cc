// ajar tune task: a task model from labelled texts. `ajar tune answers` has a file of its own.
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "app/commands.h"
#include "app/local_models.h"
#include "app/terminal.h"
#include "app/tune_embedder.h"
#include "app/utc.h"
#include "base/text.h"
#include "json/write.h"

namespace ajar::app {
namespace {

struct TuneArgs {
  std::vector<std::string> data;
  std::string out, embedder, licence, name, folder, out_of_scope = "oos";
  double alpha = 0.05, delta = 0.05, held_out = 0.2;
  bool always_embed = false, linear = false;
  std::string layers = "usual";  // that, a number, or "all"
  bool force = false;
};

// What --layers says of this embedder.
Result<int> layers_of(const TuneArgs& args, const engine::Encoder& encoder) {
  if (args.layers == "usual") return usual_layers(encoder, args.linear);
  if (args.layers == "all") return engine::kAllLayers;
  const auto number = parse_int(args.layers);
  if (!number || *number < 0) return fail(Code::kInvalid, "--layers '" + args.layers + "': a number from 0 on, 'all' or 'usual' is wanted");
  const int all = encoder.model().config().layers;
  if (*number > all) return fail(Code::kInvalid, "--layers " + args.layers + ": " + args.embedder + " has " + std::to_string(all) + " layers");
  return static_cast<int>(*number);
}

int tune_task(const CommandContext& context, const TuneArgs& args) {
  if (std::filesystem::exists(args.out) && !args.force) return complain(context, {.message = args.out + " is there already; --force replaces it"});
  tune::TaskOptions options;
  options.out_of_scope = args.out_of_scope;
  options.licence = args.licence;
  options.held_out = args.held_out;
  options.words_first = !args.always_embed;
  if (args.linear) options.recipe.kernel.width = 0;
  options.guarantee = {.alpha = args.alpha, .delta = args.delta};
  options.trained_at = utc_now();
  for (const std::string& path : args.data) {
    auto file = learn::read_labelled(path);
    if (!file) return complain(context, file.error());
    options.dataset += (options.dataset.empty() ? "" : ", ") + std::filesystem::path(path).filename().string();
    options.dataset_sha256 += (options.dataset_sha256.empty() ? "" : ",") + file->sha256;
    options.rows.insert(options.rows.end(), std::make_move_iterator(file->rows.begin()), std::make_move_iterator(file->rows.end()));
  }
  if (!args.name.empty()) options.dataset = args.name;

  std::unique_ptr<ModelHost> host;
  tune::Embedder embedder;
  if (!args.embedder.empty()) {
    auto made = ModelHost::make({}, [&](const std::string& name) -> Result<std::string> {
      if (std::filesystem::exists(name)) return name;
      const std::string data = args.folder.empty() ? context.environment("AJAR_DATA").value_or("data") : args.folder;
      AJAR_ASSIGN(const auto local, find_local_model(data, name));
      return local.path;
    });
    if (!made) return complain(context, made.error());
    host = std::move(*made);
    auto loaded = host->get_blocking(args.embedder);
    if (!loaded) return complain(context, loaded.error());
    const std::shared_ptr<LoadedModel>& model = *loaded;
    if (!model->encoder) return complain(context, {.message = args.embedder + " makes no embeddings"});
    const auto layers = layers_of(args, *model->encoder);
    if (!layers) return complain(context, layers.error());
    options.recipe.layers = *layers;
    embedder = tune_embedder(model, *layers, args.linear);
    options.embedder = std::filesystem::path(args.embedder).filename().string();
  }
  const auto start = std::chrono::steady_clock::now();
  std::unique_ptr<Progress> bar;
  std::string stage;
  const auto trained = tune::train_task(options, embedder, [&](std::string_view what, double done) {
    if (stage != what) {
      bar.reset();
      bar = std::make_unique<Progress>(stage = std::string(what), 100);
    }
    bar->update(int64_t(done * 100));
  });
  bar.reset();
  if (!trained) return complain(context, Error(trained.error()).in(options.dataset));
  if (auto saved = trained->model.save(args.out); !saved) return complain(context, saved.error());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const tune::TaskReport& report = trained->report;
  if (context.json) {
    std::string out;
    json::Writer w(out);
    w.begin_object();
    w.field("file", args.out);
    w.field("labels", report.labels);
    w.field("train_rows", report.train_rows);
    w.field("accuracy", report.accuracy);
    w.field("ece", report.ece_after);
    w.field("by_words", report.by_words);
    w.field("by_word_vectors", report.by_word_vectors);
    if (report.out_of_scope_recall) w.field("out_of_scope_recall", *report.out_of_scope_recall);
    if (report.threshold.found) {
      w.field("accept", report.threshold.found->threshold);
      w.field("bound", report.threshold.found->bound);
      w.field("share", report.threshold.found->share());
    }
    w.field("bytes", int64_t(report.bytes));
    w.field("seconds", seconds);
    w.end_object();
    return std::puts(out.c_str()), 0;
  }
  std::fputs(tune::describe(report, options).c_str(), stdout);
  std::printf("%s %s, %s, in %.1f s\n", green("wrote").c_str(), args.out.c_str(), bytes_text(int64_t(report.bytes)).c_str(), seconds);
  std::printf("\nTo serve it:\n\n  [tasks.NAME]\n  path = \"%s\"\n%s\n  [providers.tasks]\n  preset = \"task\"\n\n"
              "and as the lowest rung of a route with strategy = \"ladder\":\n\n  { provider = \"tasks\", model = \"NAME\", confidence = \"own\", accept = %.3f }\n",
              args.out.c_str(), args.embedder.empty() ? "" : ("  embedder = \"" + args.embedder + "\"\n").c_str(),
              report.threshold.found ? report.threshold.found->threshold : 0.95);
  return 0;
}

}  // namespace

void add_tune(CommandContext& context) {
  auto tune_command = context.root.add_subcommand("tune", "Train models");
  tune_command.require_subcommand(1);
  auto args = std::make_shared<TuneArgs>();
  auto task = tune_command.add_subcommand("task", "A task model, text to label, from labelled texts: seconds to minutes, calibrated on rows that it never saw");
  task.add_option("-d,--data", args->data, "CSV (text,label), JSONL ({\"text\",\"label\"}) or JSON; several are joined").required().existing_file();
  task.add_option("-o,--out", args->out, "The model's file").required();
  const auto embedder = task.add_option("-e,--embedder", args->embedder, "Model of embeddings: a folder, a GGUF file, or a pulled model's name. Without it words and letters alone");
  task.add_flag("--always-embed", args->always_embed, "Every text passes all of these layers, also where words or word vectors alone would be as right").needs(embedder);
  task.add_option("--layers", args->layers, "First layers of the embedder that a text passes, 0 for its word vectors alone, 'all', or 'usual': half of them where it takes the mean of its tokens").needs(embedder);
  task.add_flag("--linear", args->linear, "Logistic regression in place of a kernel: nothing of single texts is kept in the file, which is smaller, and the answers are less right").needs(embedder);
  task.add_option("--alpha", args->alpha, "Share of accepted answers that may be wrong").capture_default();
  task.add_option("--delta", args->delta, "Probability with which that may fail").capture_default();
  task.add_option("--held-out", args->held_out, "Share of each label's rows to calibrate and test on, where the data name no split").capture_default();
  task.add_option("--out-of-scope", args->out_of_scope, "Label of rows that belong to none of the others").capture_default();
  task.add_option("--licence", args->licence, "Of the data, for the model's lineage");
  task.add_option("--name", args->name, "Of the data, for the model's lineage; otherwise the file's");
  task.add_option("--folder", args->folder, "Data folder with the pulled models (AJAR_DATA, ./data)");
  task.add_flag("--force", args->force, "Replace the file");
  context.add(task, [&context, args] { return tune_task(context, *args); });
  add_tune_answers(context, tune_command);
}

}  // namespace ajar::app
