// Retrieval quality and the figures of docs/rag.md. Not a microbenchmark; it has a main of its own:
//   quality_bench judge SET [MODEL]       SET: an XQuAD file or a BEIR folder; MODEL: a folder with an encoder
//   quality_bench refuse XQUAD [MODEL]    fits and measures "not in the documents"
//   quality_bench ingest FILE             how fast text becomes chunks and words
//   quality_bench scale ROWS FOLDER [N]   search over so many chunks of 384 numbers, reopening, memory; by a scan, then by a graph that N threads make
//   quality_bench reopen FOLDER           the same folder again: how long that takes, how much memory

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "base/clock.h"
#include "engine/encoder.h"
#include "engine/tokenizer.h"
#include "rag/answer.h"
#include "rag/bench.h"

namespace ajar::rag {
namespace {

namespace fs = std::filesystem;

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::exit(1);
}
void must(Status status) {
  if (status) return;
  std::fprintf(stderr, "%s\n", status.error().message.c_str());
  std::exit(1);
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + 1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

size_t resident_mib() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("RssAnon:") || line.starts_with("VmRSS:")) std::printf("  %s\n", line.c_str());
  return 0;
}

Embedder load(const std::string& folder) {
  struct Loaded {
    std::shared_ptr<engine::ComputePool> pool = std::make_shared<engine::ComputePool>(2);
    std::shared_ptr<const engine::Tokenizer> tokenizer;
    std::unique_ptr<engine::Encoder> encoder;
  };
  auto loaded = std::make_shared<Loaded>();
  const auto checkpoint = must(engine::Checkpoint::open(folder));
  loaded->tokenizer = must(engine::load_tokenizer(folder));
  loaded->encoder = must(engine::Encoder::make(must(engine::Model::load(checkpoint, *loaded->pool)), loaded->pool));
  const auto width = static_cast<uint32_t>(loaded->encoder->dimension());
  return {folder, width, [loaded](std::span<const std::string> texts) -> Result<std::vector<float>> {
            std::vector<engine::EncoderInput> inputs;
            for (const std::string& text : texts) {
              auto& tokens = inputs.emplace_back().tokens;
              loaded->tokenizer->encode_whole(text, tokens);
              // Its training cut at 256 tokens; the last says that the text ends.
              if (tokens.size() > 256) tokens[255] = tokens.back(), tokens.resize(256);
            }
            return loaded->encoder->run(inputs);
          }};
}

std::unique_ptr<Collection> collection_of(const JudgedSet& set, const std::string& folder, std::optional<Embedder> embedder, size_t tokens) {
  fs::remove_all(folder);
  CollectionOptions options;
  options.embedder = std::move(embedder);
  options.chunks.tokens = tokens;
  auto collection = must(Collection::open(folder, std::move(options)));
  std::vector<DocumentInput> inputs;
  for (const auto& [id, text] : set.documents) {
    inputs.push_back({.id = id, .bytes = text});
    inputs.back().read = Extracted{.format = "txt", .text = text, .blocks = {{.end = static_cast<uint32_t>(text.size())}}};
    if (inputs.size() == 512) must(collection->add_all(std::exchange(inputs, {}))).clear();
  }
  must(collection->add_all(std::move(inputs))).clear();
  return collection;
}

JudgedSet read_set(const std::string& path) { return must(fs::is_directory(path) ? read_beir(path) : read_xquad(path)); }

int judge(const std::string& path, const std::string& model) {
  const JudgedSet set = read_set(path);
  const std::optional<Embedder> embedder = model.empty() ? std::nullopt : std::optional(load(model));
  std::map<std::string, int> languages;
  for (const auto& [id, text] : set.documents) ++languages[std::string(index::language_code(index::detect_language(text)))];
  std::printf("%s: %zu documents, %zu queries; languages:", set.name.c_str(), set.documents.size(), set.queries.size());
  for (const auto& [code, count] : languages) std::printf(" %s %d", code.c_str(), count);
  std::printf("\n");
  const std::string folder = (fs::temp_directory_path() / "ajar-quality").string();
  const double from = cpu_seconds();
  auto collection = collection_of(set, folder, embedder, 2000);
  std::printf("indexed in %.2f s of CPU\n", cpu_seconds() - from);
  const Tuned tuned = must(tune(*collection, set, embedder ? embedder->embed : Embed()));
  const auto row = [](const char* name, const Quality& q) {
    std::printf("%-22s nDCG@10 %.4f  R@10 %.4f  R@100 %.4f  MRR@10 %.4f  (%zu queries)\n", name, q.ndcg10, q.recall10, q.recall100, q.mrr10, q.queries);
  };
  row("words, tuning half", tuned.tuned_words), row("meaning, tuning half", tuned.tuned_meaning), row("both, tuning half", tuned.tuned_both);
  row("words, other half", tuned.words), row("meaning, other half", tuned.meaning), row("both, other half", tuned.both);
  std::printf("weights: words %.2f meaning %.2f by %s (%zu tried)\n", double(tuned.weights.words), double(tuned.weights.meaning),
              tuned.weights.how == index::Fusion::kRanks ? "ranks" : "scores", tuned.tried);
  for (const auto& [k1, b] : {std::pair{0.9f, 0.4f}, {1.2f, 0.75f}, {1.5f, 0.9f}}) {
    CollectionOptions options;
    collection.reset();
    options.embedder = embedder;
    options.bm25 = {k1, b};
    collection = must(Collection::open(folder, std::move(options)));
    std::map<std::string, std::vector<std::string>> ranked;
    for (const auto& [id, text] : set.queries)
      for (const Hit& hit : must(collection->search({.text = text, .reader = {.everything = true}, .limit = 100}))) ranked[id].push_back(hit.document);
    std::printf("BM25 k1 %.1f b %.2f: ", double(k1), double(b)), row("all queries", measure(set, ranked));
  }
  for (const auto& [words, meaning, how] : {std::tuple{0.0f, 1.0f, index::Fusion::kScores}, {1.0f, 1.0f, index::Fusion::kRanks}, {1.0f, 1.0f, index::Fusion::kScores}}) {
    if (!embedder) break;
    std::map<std::string, std::vector<std::string>> ranked;
    for (const auto& [id, text] : set.queries)
      for (const Hit& hit : must(collection->search({.text = text, .embedding = must(embedder->embed(std::span(&text, 1))), .reader = {.everything = true}, .limit = 100,
                                                     .weights = Weights{words, meaning, how}})))
        ranked[id].push_back(hit.document);
    std::printf("words %.0f meaning %.0f %s: ", double(words), double(meaning), how == index::Fusion::kRanks ? "ranks" : "scores"), row("all queries", measure(set, ranked));
  }
  return 0;
}

// Half of the paragraphs are in the collection: questions about the others cannot be answered from it.
int refuse(const std::string& path, const std::string& model) {
  JudgedSet set = read_set(path);
  const std::optional<Embedder> embedder = model.empty() ? std::nullopt : std::optional(load(model));
  std::set<std::string> in;
  for (size_t i = 0; i < set.documents.size(); ++i)
    if (i / 5 % 2 == 0) in.insert(set.documents[i].first);  // whole articles: XQuAD has five paragraphs of each
  std::erase_if(set.documents, [&](const auto& d) { return !in.contains(d.first); });
  auto collection = collection_of(set, (fs::temp_directory_path() / "ajar-refuse").string(), embedder, 2000);
  std::vector<JudgedSignals> fitted, held;
  size_t asked = 0, right = 0;
  for (size_t i = 0; i < set.queries.size(); ++i) {
    const auto& [id, text] = set.queries[i];
    const std::string& paragraph = set.judgements[id].begin()->first;
    SearchRequest request{.text = text, .reader = {.everything = true}, .limit = 5};
    if (embedder) request.embedding = must(embedder->embed(std::span(&text, 1)));
    const auto hits = must(collection->search(request));
    const TermWeights weights = collection->term_weights(text);
    (i % 2 == 0 ? fitted : held).push_back({signals_of(text, hits, weights), in.contains(paragraph)});
    if (i % 2 == 0 || !in.contains(paragraph)) continue;
    ++asked;
    const Answer answer = must(extract_answer(text, request.embedding, hits, weights, embedder ? embedder->embed : Embed(), {.sentences = 1, .threshold = 0}));
    if (answer.sentences.empty()) continue;
    right += answer.sentences[0].evidence[0].document == paragraph ? 1 : 0;
  }
  const Calibration c = fit_calibration(fitted);
  std::printf("fitted on %zu questions: bias %.2f coverage %.2f cosine %.2f\n", fitted.size(), double(c.bias), double(c.coverage), double(c.cosine));
  for (const auto& [name, calibration] : {std::pair{"fitted here", std::optional(c)}, {"built in", std::optional<Calibration>()}}) {
    size_t tp = 0, fp = 0, tn = 0, fn = 0;
    double brier = 0;
    for (const JudgedSignals& one : held) {
      const double p = probability(one.signals, calibration);
      brier += (p - one.answered) * (p - one.answered);
      (p >= 0.5 ? (one.answered ? tp : fp) : (one.answered ? fn : tn)) += 1;
    }
    std::printf("%s, on %zu others: answerable answered %zu, refused %zu; unanswerable refused %zu, answered %zu; accuracy %.3f, Brier %.3f\n", name, held.size(), tp, fn, tn, fp,
                static_cast<double>(tp + tn) / static_cast<double>(held.size()), brier / static_cast<double>(held.size()));
  }
  std::printf("first quote from the right paragraph: %zu of %zu\n", right, asked);
  return 0;
}

int ingest(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  const std::string text = all.str();
  const std::string folder = (fs::temp_directory_path() / "ajar-ingest").string();
  fs::remove_all(folder);
  auto collection = must(Collection::open(folder, {}));
  const double from = cpu_seconds();
  const TimePoint wall = now();
  std::vector<DocumentInput> inputs;
  size_t bytes = 0;
  for (size_t at = 0, n = 0; at < text.size(); ++n) {
    const size_t end = std::min(text.size(), text.find('\n', std::min(text.size(), at + 8000)));
    inputs.push_back({.id = "d" + std::to_string(n), .name = "part.txt", .bytes = text.substr(at, end - at)});
    bytes += inputs.back().bytes.size();
    at = end + 1;
    if (inputs.size() == 64) must(collection->add_all(std::exchange(inputs, {}))).clear();
  }
  if (!inputs.empty()) must(collection->add_all(std::move(inputs))).clear();
  const double cpu = cpu_seconds() - from;
  std::printf("%.1f MB of text in %zu chunks: %.2f s of CPU, %.1f MB/s; %.2f s on the wall\n", 1e-6 * double(bytes), collection->stats().chunks, cpu, 1e-6 * double(bytes) / cpu,
              seconds_between(wall, now()));
  return 0;
}

CollectionOptions scale_options() {
  CollectionOptions options;
  options.language = index::Language::kEnglish;
  options.chunks.tokens = 1000;
  options.graph_in_background = false;
  return options;
}

int reopen(const std::string& folder) {
  const double cpu = cpu_seconds();
  const TimePoint wall = now();
  const auto collection = must(Collection::open(folder, scale_options()));
  const auto stats = collection->stats();
  std::printf("%zu documents, %zu chunks, opened in %.3f s (%.3f s of CPU), rebuilt %zu, graph of %zu rows\n", stats.documents, stats.chunks, seconds_between(wall, now()),
              cpu_seconds() - cpu, size_t{stats.rebuilt}, size_t{stats.graph_rows});
  resident_mib();
  return 0;
}

// Vectors around 1,000 centres; words by Zipf's law.
int scale(size_t rows, const std::string& folder, unsigned threads) {
  constexpr uint32_t kWidth = 384;
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> centres(1000 * kWidth);
  for (float& x : centres) x = normal(random);
  const auto vector = [&](float* out) {
    const float* centre = &centres[random() % 1000 * kWidth];
    for (uint32_t d = 0; d < kWidth; ++d) out[d] = centre[d] + 0.8f * (static_cast<float>(random() % 2000) / 1000 - 1);
  };
  const auto words = [&](int n) {
    std::string text;
    for (int i = 0; i < n; ++i) text += "w" + std::to_string(static_cast<unsigned>(50'000 * std::pow(random() / 4294967296.0, 3))) + " ";
    return text;
  };
  CollectionOptions options = scale_options();
  options.graph.threads = threads;
  options.embedder = Embedder{"synthetic", kWidth, [&](std::span<const std::string> texts) -> Result<std::vector<float>> {
                                std::vector<float> out(texts.size() * kWidth);
                                for (size_t i = 0; i < texts.size(); ++i) vector(&out[i * kWidth]);
                                return out;
                              }};
  auto collection = must(Collection::open(folder, options));
  for (size_t from = collection->stats().chunks; from < rows; from += 2000) {
    std::vector<DocumentInput> inputs;
    for (size_t i = from; i < std::min(rows, from + 2000); ++i) {
      inputs.push_back({.id = "d" + std::to_string(i), .metadata = {{"percent", double(i % 100)}}});
      std::string text = words(60);
      const auto size = static_cast<uint32_t>(text.size());
      inputs.back().read = Extracted{.format = "txt", .title = "t", .text = std::move(text), .blocks = {{.end = size}}};
    }
    must(collection->add_all(std::move(inputs))).clear();
  }
  must(collection->checkpoint());
  collection.reset();
  double cpu = cpu_seconds();
  TimePoint wall = now();
  collection = must(Collection::open(folder, options));
  std::printf("%zu chunks, reopened in %.3f s (%.3f s of CPU), rebuilt %zu\n", collection->stats().chunks, seconds_between(wall, now()), cpu_seconds() - cpu,
              size_t{collection->stats().rebuilt});
  resident_mib();
  const auto ask = [&](const char* what, const char* filter, bool meaning_only) {
    std::vector<double> times, cpus;
    for (int i = 0; i < 220; ++i) {
      SearchRequest request{.text = meaning_only ? "" : words(6), .reader = {.everything = true}};
      request.embedding.resize(kWidth);
      vector(request.embedding.data());
      if (*filter != 0) request.filter = must(read_filter(filter));
      cpu = cpu_seconds(), wall = now();
      const auto hits = must(collection->search(request));
      if (hits.size() != 10) std::printf("only %zu hits\n", hits.size());
      if (i >= 20) times.push_back(1e3 * seconds_between(wall, now())), cpus.push_back(1e3 * (cpu_seconds() - cpu));
    }
    std::sort(times.begin(), times.end()), std::sort(cpus.begin(), cpus.end());
    std::printf("%s: wall p50 %.2f ms p99 %.2f ms; CPU p50 %.2f ms p99 %.2f ms\n", what, times[times.size() / 2], times[times.size() * 99 / 100], cpus[cpus.size() / 2],
                cpus[cpus.size() * 99 / 100]);
  };
  const auto ask_all = [&] {
    ask("hybrid, a filter that keeps 1 %", R"({"type":"eq","key":"percent","value":7})", false);
    ask("hybrid, no filter", "", false);
    ask("meaning alone, 1 %", R"({"type":"eq","key":"percent","value":7})", true);
    ask("meaning alone, 10 %", R"({"type":"lt","key":"percent","value":10})", true);
    ask("meaning alone, 50 %", R"({"type":"lt","key":"percent","value":50})", true);
    ask("meaning alone, no filter", "", true);
    resident_mib();
  };
  std::printf("graph of %zu rows\n", size_t{collection->stats().graph_rows});
  ask_all();
  // Recall of the vector leg: against the floats of every row.
  store::Database database = must(store::Database::open(folder + "/collection.db"));
  const int queries = 50;
  std::vector<std::vector<float>> asked;
  std::vector<index::Best> exact;
  for (int q = 0; q < queries; ++q) {
    asked.emplace_back(kWidth);
    vector(asked.back().data());
    must(index::normalize(asked.back()));
    exact.emplace_back(10);
  }
  store::Statement all = must(database.prepare("SELECT row, vector FROM vectors_0"));
  while (must(all.step())) {
    const std::string bytes = all.text(1);
    const auto* v = reinterpret_cast<const float*>(bytes.data());
    for (size_t q = 0; q < asked.size(); ++q) {
      float sum = 0;
      for (uint32_t d = 0; d < kWidth; ++d) sum += v[d] * asked[q][d];
      exact[q].offer({static_cast<uint32_t>(all.integer(0)), sum});
    }
  }
  std::vector<std::vector<index::Scored>> truth;
  for (index::Best& one : exact) truth.push_back(one.take());
  const auto recall = [&] {
    size_t same = 0;
    for (size_t q = 0; q < asked.size(); ++q) {
      const auto hits = must(collection->search({.embedding = asked[q], .reader = {.everything = true}, .weights = Weights{0, 1, index::Fusion::kScores}}));
      for (const index::Scored& wanted : truth[q])
        same += std::any_of(hits.begin(), hits.end(), [&](const Hit& hit) { return hit.row == wanted.row; }) ? 1 : 0;
    }
    std::printf("recall@10 %.4f over %d queries\n", static_cast<double>(same) / (10.0 * queries), queries);
  };
  recall();
  if (collection->stats().graph_missing == 0) return 0;
  cpu = cpu_seconds(), wall = now();
  size_t shown = 0;
  must(collection->build_graph({}, [&](uint64_t done, uint64_t all) {
    if (done * 10 / all > shown) shown = done * 10 / all, std::printf("  %zu of %zu rows after %.0f s of CPU\n", size_t{done}, size_t{all}, cpu_seconds() - cpu), std::fflush(stdout);
  }));
  std::printf("graph of %zu rows made in %.1f s of CPU, %.1f s on the wall\n", size_t{collection->stats().graph_rows}, cpu_seconds() - cpu, seconds_between(wall, now()));
  resident_mib();
  ask_all();
  recall();
  return 0;
}

}  // namespace
}  // namespace ajar::rag

int main(int argc, char** argv) {
  const std::string what = argc > 2 ? argv[1] : "", path = argc > 2 ? argv[2] : "", more = argc > 3 ? argv[3] : "";
  if (what == "judge") return ajar::rag::judge(path, more);
  if (what == "refuse") return ajar::rag::refuse(path, more);
  if (what == "ingest") return ajar::rag::ingest(path);
  if (what == "scale" && !more.empty()) return ajar::rag::scale(std::strtoull(path.c_str(), nullptr, 10), more, argc > 4 ? static_cast<unsigned>(std::atoi(argv[4])) : 1);
  if (what == "reopen") return ajar::rag::reopen(path);
  std::fprintf(stderr, "usage: quality_bench judge|refuse SET [MODEL] | ingest FILE | scale ROWS FOLDER [THREADS] | reopen FOLDER\n");
  return 2;
}
