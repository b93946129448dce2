// ajar quantize: a smaller GGUF file of a model; also models of random weights.
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "app/commands.h"
#include "app/terminal.h"
#include "engine/checkpoint.h"
#include "engine/convert.h"
#include "engine/random_model.h"
#include "json/write.h"

namespace ajar::app {
namespace {

using namespace engine;

struct QuantizeArgs {
  std::string from, to, type;
  std::string random, vocabulary;
  uint64_t seed = 1;
  int threads = 0;
  bool force = false, requantize = false;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int quantize(const CommandContext& context, const QuantizeArgs& args) {
  if (args.to.empty() || args.type.empty()) {
    return complain(context, {.message = "name the model, the new file and the type: ajar quantize IN OUT Q4_K_M"});
  }
  const auto recipe = find_recipe(args.type);
  if (!recipe) return complain(context, recipe.error());
  std::error_code ignored;
  if (std::filesystem::equivalent(args.from, args.to, ignored)) {
    return complain(context, {.message = "the new file would be the old one"});
  }
  const auto start = std::chrono::steady_clock::now();
  const auto checkpoint = Checkpoint::open(args.from);
  if (!checkpoint) return complain(context, checkpoint.error());
  std::unique_ptr<Progress> bar;
  const ConvertOptions options{.recipe = *recipe, .replace = args.force, .requantize = args.requantize, .threads = args.threads,
                               .progress = [&](int64_t done, int64_t total) {
                                 if (!bar) bar = std::make_unique<Progress>("quantising", total);
                                 bar->update(done);
                               }};
  const auto report = convert_checkpoint(**checkpoint, args.to, options);
  bar.reset();
  if (!report) {
    Error error = report.error();
    if (error.code == Code::kConflict) error.message += "; --force replaces it";
    if (error.message.find("quantised already") != std::string::npos) error.message += "; --requantize does it all the same";
    return complain(context, error);
  }
  const double seconds = seconds_since(start);
  const double bits = double(report->bytes) * 8 / double(report->parameters);
  if (context.json) {
    std::string out;
    json::Writer w(out);
    w.begin_object();
    w.field("file", args.to);
    w.field("type", (*recipe)->name);
    w.field("parameters", report->parameters);
    w.field("bytes_before", report->bytes_before);
    w.field("bytes", report->bytes);
    w.field("bits_per_parameter", bits);
    w.field("seconds", seconds);
    w.key("formats");
    w.begin_object();
    for (const auto& [name, part] : report->formats) w.field(name, part.bytes);
    w.end_object();
    w.key("notes");
    w.begin_array();
    for (const std::string& note : report->notes) w.string(note);
    w.end_array();
    w.end_object();
    std::puts(out.c_str());
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, part] : report->formats) rows.push_back({name, count(part.tensors), bytes_text(part.bytes)});
  std::fputs(table({"format", "tensors", "size"}, rows).c_str(), stdout);
  for (const std::string& note : report->notes) std::printf("%s %s\n", yellow("note:").c_str(), note.c_str());
  std::printf("%s: %s to %s, %.2f bits a parameter, in %.1f s\n", args.to.c_str(), bytes_text(report->bytes_before).c_str(),
              bytes_text(report->bytes).c_str(), bits, seconds);
  return 0;
}

int make_random(const CommandContext& context, const QuantizeArgs& args) {
  auto model = random_shape(args.random);
  if (!model) return complain(context, model.error());
  const std::string &to = args.from, &type = args.to.empty() ? "F16" : args.to;  // the positions mean other things here
  if (to.empty()) return complain(context, {.message = "name the new file: ajar quantize --random SHAPE OUT"});
  const auto dtype = dtype_of_name(type);
  if (!dtype) return complain(context, dtype.error());
  model->dtype = *dtype;
  model->seed = args.seed;
  model->vocabulary = args.vocabulary;
  std::unique_ptr<Progress> bar;
  model->progress = [&](int64_t done, int64_t total) {
    if (!bar) bar = std::make_unique<Progress>("writing", total);
    bar->update(done);
  };
  const auto written = write_random_model(*model, to, args.force);
  bar.reset();
  if (!written) return complain(context, written.error());
  if (!context.json) std::printf("%s: random weights of the shape %s\n", to.c_str(), args.random.c_str());
  return 0;
}

std::string types_text() {
  std::string out = "Types:\n";
  for (const Recipe& recipe : recipes()) {
    std::string name(recipe.name);
    name.resize(8, ' ');
    out += "  " + name + std::string(recipe.description) + "\n";
  }
  return out;
}

}  // namespace

void add_quantize(CommandContext& context) {
  auto command = context.root.add_subcommand("quantize", "Make a smaller GGUF file of a model");
  auto args = std::make_shared<QuantizeArgs>();
  command.add_option("in", args->from, "A GGUF file of F32, F16 or BF16, or a Hugging Face folder").required();
  command.add_option("out", args->to, "The file to write");
  command.add_option("type", args->type, "What to make of it; see below");
  command.add_flag("-f,--force", args->force, "Replace the file if it exists");
  command.add_flag("--requantize", args->requantize, "Take what is quantised already; it loses twice");
  command.add_option("-j,--threads", args->threads, "Cores to use (default: all)").between(1, 1024);
  command.add_option("--random", args->random, "Write a model of random weights: ajar quantize --random SHAPE OUT [FORMAT]");
  command.add_option("--vocabulary", args->vocabulary, "With --random: the GGUF file whose tokenizer it takes");
  command.add_option("--seed", args->seed, "With --random: the seed").capture_default();
  std::string shapes;
  for (const std::string& shape : random_shapes()) shapes += (shapes.empty() ? "" : ", ") + shape;
  command.footer(types_text() +
                 "The _M and _S types spend more bits on the output, on V and on some layers' way down. Vectors stay F32.\n"
                 "Of a Hugging Face folder the tensors and the tokenizer (BPE, WordPiece) are brought into GGUF's form.\n"
                 "The file takes its name when it is whole; nothing is left when the work is broken off.\n\n"
                 "  ajar quantize Llama-3.2-1B/ llama-1b.gguf Q4_K_M\n"
                 "  ajar quantize llama-f16.gguf llama-q8.gguf Q8_0\n\n"
                 "Shapes for --random: " + shapes);
  context.add(command, [&context, args] { return args->random.empty() ? quantize(context, *args) : make_random(context, *args); });
}

}  // namespace ajar::app
