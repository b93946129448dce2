// ajar rag bench: how good retrieval is on a judged set, by words, by meaning and by both.
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "app/cmd_rag.h"
#include "app/terminal.h"
#include "json/write.h"
#include "rag/bench.h"

namespace ajar::app {
namespace {

namespace fs = std::filesystem;

struct BenchArgs {
  std::string data, set, embedder;
};

// A folder of its own that goes when the measuring is over.
class Scratch {
 public:
  static Result<Scratch> make() {
    std::string pattern = (fs::temp_directory_path() / "ajar-rag-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) return fail(Code::kUnavailable, "cannot make " + pattern + ": " + std::strerror(errno));
    Scratch out;
    out.path_ = std::make_unique<std::string>(std::move(pattern));
    return out;
  }
  Scratch() = default;
  Scratch(Scratch&&) = default;
  Scratch& operator=(Scratch&&) = default;
  ~Scratch() {
    std::error_code ignored;
    if (path_) fs::remove_all(*path_, ignored);
  }
  const std::string& path() const { return *path_; }

 private:
  std::unique_ptr<std::string> path_;
};

Status fill(rag::Collection& collection, const rag::JudgedSet& set) {
  constexpr size_t kBatch = 256;
  Progress bar("indexing", int64_t(set.documents.size()));
  std::vector<rag::DocumentInput> batch;
  for (size_t i = 0; i < set.documents.size(); ++i) {
    const auto& [id, text] = set.documents[i];
    rag::DocumentInput& one = batch.emplace_back();
    one.id = id;
    one.read = rag::Extracted{.format = "txt", .text = text, .blocks = {{.end = uint32_t(text.size())}}};
    if (batch.size() < kBatch && i + 1 < set.documents.size()) continue;
    AJAR_TRY(collection.add_all(std::exchange(batch, {})));
    bar.update(int64_t(i + 1));
  }
  return {};
}

Result<rag::Tuned> measure(const rag::JudgedSet& set, const std::optional<rag::Embedder>& embedder) {
  AJAR_ASSIGN(const Scratch scratch, Scratch::make());
  rag::CollectionOptions options;
  options.embedder = embedder;
  options.chunks.tokens = 2000;  // judged sets have short documents, and judge whole ones
  AJAR_ASSIGN(const auto collection, rag::Collection::open(scratch.path() + "/set", std::move(options)));
  AJAR_TRY(fill(*collection, set));
  return rag::tune(*collection, set, embedder ? embedder->embed : rag::Embed());
}

void write_quality(json::Writer& w, json::Name name, const rag::Quality& quality) {
  w.key(name);
  w.begin_object();
  w.field("ndcg10", quality.ndcg10);
  w.field("recall10", quality.recall10);
  w.field("recall100", quality.recall100);
  w.field("mrr10", quality.mrr10);
  w.field("queries", int64_t(quality.queries));
  w.end_object();
}

int bench(const CommandContext& context, const BenchArgs& args) {
  const auto set = fs::is_directory(args.set) ? rag::read_beir(args.set) : rag::read_xquad(args.set);
  if (!set) return complain(context, set.error());
  const std::string data = args.data.empty() ? context.environment("AJAR_DATA").value_or("data") : args.data;
  auto host = rag_host(data);
  if (!host) return complain(context, host.error());
  RagConfig config;
  if (!args.embedder.empty()) config.embedder = args.embedder;
  const auto name = library_options(data, config, {}, {}, **host).choose();
  if (!name) return complain(context, name.error());
  std::optional<rag::Embedder> embedder;
  if (!name->empty()) {
    auto made = host_embedder(**host, *name);
    if (!made) return complain(context, made.error());
    embedder = std::move(*made);
  }
  const auto tuned = measure(*set, embedder);
  if (!tuned) return complain(context, tuned.error());
  const bool ranks = tuned->weights.how == index::Fusion::kRanks;
  if (context.json) {
    std::string out;
    json::Writer w(out);
    w.begin_object();
    w.field("set", set->name);
    w.field("documents", int64_t(set->documents.size()));
    w.field("queries", int64_t(set->queries.size()));
    w.field("embedder", *name);
    write_quality(w, "words", tuned->words);
    if (embedder) {
      write_quality(w, "meaning", tuned->meaning);
      write_quality(w, "both", tuned->both);
      w.key("weights");
      w.begin_object();
      w.field("words", double{tuned->weights.words});
      w.field("meaning", double{tuned->weights.meaning});
      w.field("by", ranks ? "ranks" : "scores");
      w.end_object();
    }
    w.end_object();
    return std::puts(out.c_str()), 0;
  }
  std::printf("%s: %zu documents, %zu questions; weights from every other question, measured on the rest\n", set->name.c_str(), set->documents.size(),
              set->queries.size());
  const auto number = [](double value) {
    char text[16];
    std::snprintf(text, sizeof text, "%.4f", value);
    return std::string(text);
  };
  const auto row = [&](const char* by, const rag::Quality& q) -> std::vector<std::string> {
    return {by, number(q.ndcg10), number(q.recall10), number(q.recall100), number(q.mrr10)};
  };
  std::vector<std::vector<std::string>> rows = {row("words", tuned->words)};
  if (embedder) rows.push_back(row("meaning", tuned->meaning)), rows.push_back(row("both", tuned->both));
  std::fputs(table({"by", "nDCG@10", "recall@10", "recall@100", "MRR@10"}, rows).c_str(), stdout);
  if (embedder) {
    std::printf("weights: words %.2f, meaning %.2f, by %s\n", double{tuned->weights.words}, double{tuned->weights.meaning}, ranks ? "ranks" : "scores");
  } else {
    std::puts("words alone: no embedder");
  }
  return 0;
}

}  // namespace

void add_rag_bench(CommandContext& context, CommandLine rag) {
  auto args = std::make_shared<BenchArgs>();
  auto part = rag.add_subcommand("bench", "How good retrieval is on a judged set");
  part.add_option("set", args->set, "A BEIR folder (corpus.jsonl, queries.jsonl, qrels/test.tsv) or an XQuAD file").required().existing_path();
  part.add_option("--embedder", args->embedder, "A pulled model of embeddings, or none (default: " + RagConfig().embedder + " where it was pulled)");
  part.add_option("-d,--data", args->data, "Data folder with the pulled models (or AJAR_DATA; default: data)");
  context.add(part, [&context, args] { return bench(context, *args); });
}

}  // namespace ajar::app
