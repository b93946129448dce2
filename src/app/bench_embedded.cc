// The point "embedded": what answers cost that need the meaning of a question: kept ones for questions that are worded otherwise, and
// those of a task model over embeddings, as `ajar tune task` makes it of 7,700 texts. The model of embeddings runs in the server, on one
// thread; all its CPU time counts.
#include "app/bench_points.h"
#include "app/http_call.h"
#include "app/tune_embedder.h"

namespace ajar::app {
namespace {

constexpr const char* kConfig = R"(
[engine]
threads = 1
[providers.here]
preset = "local"
[routes.meaning]
targets = [{ provider = "here", model = "embedder" }]
[routes.alike]
breaker_failures = 0
cache = "semantic"
cache_embedder = "meaning"
cache_delta = 0.5
targets = [{ provider = "o", model = "mock-t20" }]
[providers.tasks]
preset = "task"
[routes.meant]
strategy = "ladder"
stay = true
targets = [{ provider = "tasks", model = "embedded", confidence = "own" }]
[routes.read]
strategy = "ladder"
stay = true
targets = [{ provider = "tasks", model = "read", confidence = "own" }]
)";

// As many labels and nearly as many texts as BANKING77 has, since each text that taught is compared with: what they mean is not measured.
std::vector<learn::Labelled> labelled() {
  constexpr const char* kThings[] = {"card", "transfer", "account", "order", "loan", "ticket", "parcel", "booking", "refund", "invoice", "password"};
  constexpr const char* kKinds[] = {"new", "old", "lost", "second", "blue", "last", "other"};
  constexpr const char* kAsked[] = {"where is", "who has seen", "I cannot find", "how do I change", "please tell me about", "I want to close", "what became of", "when comes", "cancel", "thanks for"};
  constexpr const char* kWhen[] = {"today", "since yesterday", "from last week", "that I had in spring", "from abroad", "again", "at once", "by phone", "without a fee", "for my wife"};
  std::vector<learn::Labelled> rows;
  for (const std::string thing : kThings)
    for (const std::string kind : kKinds)
      for (const std::string asked : kAsked)
        for (const std::string when : kWhen) rows.push_back({.text = asked + " my " + kind + " " + thing + " " + when, .label = kind + " " + thing, .split = {}});
  return rows;
}

// Trains task models over the embeddings of the model at `path`, into files: over those that `ajar tune task` takes, and over word vectors.
Status train(const std::string& path, const std::string& file, const std::string& of_words) {
  AJAR_ASSIGN(const auto host, ModelHost::make({.threads = 1, .memory_bytes = 0, .kernels = {}}, [&](const std::string&) -> Result<std::string> { return path; }));
  AJAR_ASSIGN(const auto model, host->get_blocking("embedder"));
  if (!model->encoder) return fail(Code::kUnsupported, path + " makes no embeddings");
  tune::TaskOptions options;
  options.rows = labelled();
  options.embedder = "embedder";
  options.words_first = false;  // what an embedding costs is measured; rows that are this much alike would be answered by their words
  for (const auto& [to, layers] : {std::pair(file, usual_layers(*model->encoder, false)), {of_words, 0}}) {
    options.recipe.layers = layers;
    AJAR_ASSIGN(const auto trained, tune::train_task(options, tune_embedder(model, layers)));
    AJAR_TRY(trained.model.save(to));
  }
  return {};
}

std::string asked(const std::string& route, const std::string& text) {
  return R"({"model":")" + route + R"(","messages":[{"role":"user","content":")" + text + R"("}]})";
}

}  // namespace

Result<std::vector<Figure>> Bench::embedded() {
  if (!options_.url.empty()) return fail(Code::kUnsupported, "needs a server of its own");
  if (options_.embedder.empty()) return fail(Code::kUnsupported, options_.no_embedder);
  const std::string task = place_->path() + "/embedded.task", of_words = place_->path() + "/read.task";
  AJAR_TRY(train(options_.embedder, task, of_words));
  AJAR_ASSIGN(const Served served, serve("embedded", kConfig + std::string("[models.embedder]\npath = \"") + options_.embedder + "\"\npinned = true\n[tasks.embedded]\npath = \"" + task +
                                                         "\"\nembedder = \"embedder\"\n[tasks.read]\npath = \"" + of_words + "\"\nembedder = \"embedder\"\n"));
  const std::vector<pid_t> pids = {served.serve->pid()};
  HttpCaller caller;
  const std::string url = "http://127.0.0.1:" + std::to_string(served.at.port) + path_;
  const auto once = [&](const std::string& body) { return caller.call("POST", url, {{"Authorization", "Bearer " + served.key}, {"Content-Type", "application/json"}}, body); };
  const auto measure = [&](const std::string& body) {
    LoadPlan load{.to = served.at};
    load.request = request_bytes(served.at, path_, {"Authorization: Bearer " + served.key}, body);
    load.connections = 1;
    const auto [result, used] = cost(load, 200, options_.quick ? 500 : 2'000, pids);
    return std::pair(used.total() * 1e3 / double(std::max<int64_t>(1, result.answered)), failures(result));
  };
  std::vector<Figure> figures;
  const auto add = [&](const char* what, double value, double target, std::string note) {
    figures.push_back({.point = "embedded", .what = what, .unit = "ms", .value = value, .target = target, .note = std::move(note)});
  };

  // The entry learns from wordings that are further from it than what is then asked, until it serves; spaces make each a request of its own.
  const std::string question = "which is the capital of france";
  constexpr const char* kOtherwise[] = {"hello, which is the capital of france please", "tell me the capital of france now", "the capital of france please", "please tell me the capital of france"};
  std::string spaces;
  AJAR_TRY(once(asked("alike", question)));
  std::string how;
  for (int round = 0; round < 40 || (round < 100 && how != "semantic"); ++round) {
    spaces += ' ';
    for (const char* wording : kOtherwise) AJAR_TRY(once(asked("alike", wording + spaces)));
    AJAR_ASSIGN(const HttpReply reply, once(asked("alike", question + spaces)));
    how = std::string(reply.headers.get("x-ajar-cache"));
  }
  const std::string alike = asked("alike", question + spaces);
  const auto [semantic, semantic_failed] = measure(alike);
  AJAR_ASSIGN(const HttpReply last, once(alike));
  add("semantic hit, a question of 6 words", semantic, 1.5, how != "semantic" || last.headers.get("x-ajar-cache") != "semantic" ? "it was not served by likeness" : semantic_failed);
  const auto [meant, meant_failed] = measure(asked("meant", "where is my new card that I had in"));
  add("a task model's answer over embeddings, 9 words", meant, 1, meant_failed);
  const auto [read, read_failed] = measure(asked("read", "where is my new card that I had in"));
  add("a task model's answer over word vectors, 9 words", read, 1, read_failed);
  return figures;
}

}  // namespace ajar::app
