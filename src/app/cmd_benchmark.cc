// ajar bench: what Ajar costs, measured. See bench/README.md for the last published run.
#include <algorithm>
#include <cstdio>

#include "app/bench_points.h"
#include "app/commands.h"
#include "app/local_models.h"
#include "app/terminal.h"
#include "gateway/config.h"
#include "json/write.h"

namespace ajar::app {
namespace {

std::string shown(const Figure& figure) {
  char text[48];
  const bool whole = figure.unit == "/s" || figure.unit == "requests/s" || figure.unit.empty();
  const double size = std::abs(figure.value);
  std::snprintf(text, sizeof text, "%.*f", whole ? 0 : size < 10 ? 2 : 1, figure.value);
  return std::string(text) + (figure.unit.empty() ? "" : " " + figure.unit);
}

std::string target_of(const Figure& figure) {
  if (!figure.target) return "";
  char text[48];
  std::snprintf(text, sizeof text, "%s %g", figure.at_least ? "≥" : "≤", *figure.target);
  return text;
}

std::string as_json(const BenchOptions& options, const Machine& machine, const std::vector<Figure>& figures,
                    const std::vector<std::pair<std::string, std::string>>& skipped) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.key("machine");
  w.begin_object();
  w.field("cores", machine.cores);
  w.field("cpu", machine.cpu);
  w.field("kernel", machine.kernel);
  w.field("load_at_start", machine.load);
  w.end_object();
  w.field("server", options.url.empty() ? "own" : options.url);
  w.field("threads", int64_t(options.threads));
  w.field("quick", options.quick);
  w.key("figures");
  w.begin_array();
  for (const Figure& figure : figures) {
    w.begin_object();
    w.field("point", figure.point);
    w.field("what", figure.what);
    w.field("value", figure.value);
    w.field("unit", figure.unit);
    if (figure.target) {
      w.field("target", *figure.target);
      w.field("target_is", figure.at_least ? "at_least" : "at_most");
      w.field("met", figure.met());
    }
    if (!figure.note.empty()) w.field("note", figure.note);
    w.end_object();
  }
  w.end_array();
  w.key("skipped");
  w.begin_object();
  for (const auto& [point, why] : skipped) w.field(point, why);
  w.end_object();
  w.end_object();
  return out;
}

int run_bench(const CommandContext& context, const BenchOptions& options) {
  std::vector<BenchPoint> points;
  for (const BenchPoint& point : bench_points()) {
    const bool wanted = options.only.empty() ? point.quick || !options.quick
                                             : std::ranges::find(options.only, point.name) != options.only.end();
    if (wanted) points.push_back(point);
  }
  for (const auto& name : options.only) {
    const bool known = std::ranges::any_of(bench_points(), [&](const auto& point) { return point.name == name; });
    if (!known) return complain(context, Error{.code = Code::kInvalid, .message = "there is no point '" + name + "'"});
  }
  const Machine machine = this_machine();
  auto bench = Bench::make(options);
  if (!bench) return complain(context, bench.error());
  std::vector<Figure> figures;
  std::vector<std::pair<std::string, std::string>> skipped;
  {
    Progress progress("measuring", int64_t(points.size()));
    for (size_t i = 0; i < points.size(); ++i) {
      progress.update(int64_t(i));
      auto measured = (*bench)->run(points[i].name);
      if (!measured) skipped.emplace_back(points[i].name, measured.error().message);
      else figures.insert(figures.end(), measured->begin(), measured->end());
    }
  }
  if (context.json) {
    std::puts(as_json(options, machine, figures, skipped).c_str());
    return 0;
  }
  std::printf("%d cores, %s, %s, load %s\n\n", machine.cores, machine.cpu.c_str(), machine.kernel.c_str(),
              machine.load.c_str());
  std::vector<std::vector<std::string>> rows;
  for (const Figure& figure : figures) {
    rows.push_back({figure.point, figure.what, shown(figure), target_of(figure),
                    !figure.target ? "" : figure.met() ? green("met") : red("missed"), dim(figure.note)});
  }
  std::fputs(table({"point", "measure", "value", "target", "", "notes"}, rows).c_str(), stdout);
  for (const auto& [point, why] : skipped) std::printf("%s: not measured: %s\n", point.c_str(), why.c_str());
  return 0;
}

}  // namespace

void add_bench(CommandContext& context) {
  auto command = context.root.add_subcommand("bench", "Measure what Ajar costs, against a simulator");
  auto options = std::make_shared<BenchOptions>();
  command.add_option("--url", options->url, "Measure this server instead of one started here");
  command.add_option("--key", options->key, "Its API key");
  command.add_option("--model", options->model, "Model to ask for; without it names that `ajar mock` understands");
  command.add_option("--direct", options->direct, "The upstream behind it, for what is a difference");
  command.add_option("--header", options->headers, "\"Name: value\", sent with every request; several are possible");
  command.add_option("--pid", options->pids, "Its processes, for their CPU time; several are possible");
  command.add_option("--only", options->only, "Only this point; several are possible").delimiter(',');
  command.add_option("--threads", options->threads, "I/O threads of the server started here").between(0, 256).capture_default();
  command.add_option("--client-threads", options->client_threads, "Threads of the load client").between(0, 256).capture_default();
  command.add_option("--requests", options->requests, "Requests of the memory point").positive();
  auto engine = std::make_shared<EngineBenchOptions>();
  command.add_option("--engine", engine->model, "Measure the embedded engine with this model file instead");
  command.add_option("--prompt", engine->prompt, "With --engine: tokens of the prompt").capture_default();
  command.add_option("--generate", engine->generate, "With --engine: tokens of the answer").capture_default();
  command.add_option("--depth", engine->depth, "With --engine: tokens that stand before each measured answer; 0: 1, and 64 of several at once");
  command.add_option("--kv", engine->kv, "With --engine: keys and values as f16 or q8_0").one_of({"f16", "q8_0"}).capture_default();
  command.add_option("--streams", engine->streams, "With --engine: how many answers at once").delimiter(',').capture_default();
  command.add_option("--repeat", engine->repeat, "With --engine: runs, of which the best counts").capture_default();
  command.add_option("--kernels", engine->kernels, "With --engine: amx, avx512-vnni, avx512, avx2-vnni, avx2, neon-dotprod, neon or portable; else the fastest, as timed");
  command.add_option("--stall", engine->stall_prompt, "With --engine: a prompt of so many tokens disturbs the streams");
  command.add_option("--engine-threads", engine->threads, "With --engine: threads that compute; 0 is one per core").capture_default();
  command.add_option("--embedder", options->embedder, "A model of embeddings, its folder or file (default: " + RagConfig().embedder + " where it was pulled into AJAR_DATA)");
  command.add_flag("--quick", options->quick, "Shorter runs");
  command.add_flag("--soak", options->soak, "A million requests in the memory point");
  std::string footer = "Points:\n";
  for (const BenchPoint& point : bench_points()) {
    footer += "  " + point.name + std::string(10 - point.name.size(), ' ') + point.what + "\n";
  }
  command.footer(footer);
  context.add(command, [&context, options, engine] {
    if (options->embedder.empty()) {
      auto found = find_local_model(context.environment("AJAR_DATA").value_or("data"), RagConfig().embedder);
      if (found) options->embedder = found->path;
      else options->no_embedder = found.error().message;
    }
    return engine->model.empty() ? run_bench(context, *options) : run_engine_bench(context, *engine);
  });
}

}  // namespace ajar::app
