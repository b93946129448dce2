#include "rag/bench.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "json/read.h"

namespace ajar::rag {
namespace {

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Code::kNotFound, "cannot read " + path);
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

// f(object) for every line.
template <class F>
Status each_line(const std::string& path, F f) {
  AJAR_ASSIGN(const std::string text, read_file(path));
  json::Document document;
  size_t number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    if (trim(line).empty()) continue;
    const auto object = document.parse_object(line);
    if (!object) return fail(Code::kInvalid, path + " line " + std::to_string(number) + ": " + object.error().message);
    f(*object);
  }
  return {};
}

using Ranked = std::map<std::string, std::vector<std::string>>;
struct Legs {
  std::vector<index::Scored> words, meaning;
};

std::vector<double> ndcg_of_each(const JudgedSet& set, const Ranked& ranked, const std::vector<std::string>& queries) {
  std::vector<double> out;
  for (const std::string& query : queries) {
    const std::set<std::string> one = {query};
    out.push_back(measure(set, ranked, &one).ndcg10);
  }
  return out;
}

}  // namespace

Result<JudgedSet> read_beir(const std::string& folder) {
  JudgedSet set{.name = folder.substr(folder.rfind('/') + 1)};
  AJAR_TRY(each_line(folder + "/corpus.jsonl", [&](const json::Object& o) {
    const std::string title(json::string_or(o, "title")), text(json::string_or(o, "text"));
    set.documents.emplace_back(json::string_or(o, "_id"), title.empty() ? text : title + "\n" + text);
  }));
  AJAR_TRY(each_line(folder + "/queries.jsonl", [&](const json::Object& o) { set.queries.emplace_back(json::string_or(o, "_id"), json::string_or(o, "text")); }));
  AJAR_ASSIGN(const std::string judged, read_file(folder + "/qrels/test.tsv"));
  for (const std::string_view line : split(judged, '\n')) {
    const auto cells = split(trim(line), '\t');
    if (cells.size() != 3 || cells[0] == "query-id") continue;
    if (const auto grade = parse_int(cells[2]); grade && *grade > 0) set.judgements[std::string(cells[0])][std::string(cells[1])] = static_cast<int>(*grade);
  }
  std::erase_if(set.queries, [&](const auto& query) { return !set.judgements.contains(query.first); });
  return set;
}

Result<JudgedSet> read_xquad(const std::string& file) {
  AJAR_ASSIGN(const std::string text, read_file(file));
  json::Document document;
  AJAR_ASSIGN(const json::Object root, document.parse_object(text));
  JudgedSet set{.name = file.substr(file.rfind('/') + 1)};
  const auto list = [](const json::Object& o, const char* key) {
    const auto value = json::find(o, key);
    return value ? json::as_array(*value) : std::nullopt;
  };
  const auto articles = list(root, "data");
  if (!articles) return fail(Code::kInvalid, file + " has no data");
  size_t number = 0;
  for (const auto& article : *articles) {
    const auto object = json::as_object(article);
    const auto paragraphs = object ? list(*object, "paragraphs") : std::nullopt;
    if (!paragraphs) return fail(Code::kInvalid, file + ": an article without paragraphs");
    for (const auto& paragraph : *paragraphs) {
      const auto p = json::as_object(paragraph);
      if (!p) return fail(Code::kInvalid, file + ": a paragraph that is none");
      const std::string id = "p" + std::to_string(number++);
      set.documents.emplace_back(id, json::string_or(*p, "context"));
      if (const auto questions = list(*p, "qas")) {
        for (const auto& q : *questions) {
          const auto question = json::as_object(q);
          if (!question) continue;
          const std::string query(json::string_or(*question, "id"));
          set.queries.emplace_back(query, json::string_or(*question, "question"));
          set.judgements[query][id] = 1;
        }
      }
    }
  }
  return set;
}

Quality measure(const JudgedSet& set, const Ranked& ranked, const std::set<std::string>* only) {
  Quality sum;
  std::set<std::string> all;
  if (only == nullptr) {
    for (const auto& [query, grades] : set.judgements) all.insert(query);
    only = &all;
  }
  for (const std::string& query : *only) {
    const auto judged = set.judgements.find(query);
    if (judged == set.judgements.end()) continue;
    const auto& grades = judged->second;
    ++sum.queries;
    const auto it = ranked.find(query);
    if (it == ranked.end()) continue;
    double gain = 0, found10 = 0, found100 = 0, first = 0;
    for (size_t rank = 0; rank < it->second.size() && rank < 100; ++rank) {
      const auto grade = grades.find(it->second[rank]);
      if (grade == grades.end()) continue;
      ++found100;
      if (rank >= 10) continue;
      ++found10;
      gain += grade->second / std::log2(static_cast<double>(rank) + 2);
      if (first == 0) first = 1.0 / static_cast<double>(rank + 1);
    }
    std::vector<int> best;
    for (const auto& [document, grade] : grades) best.push_back(grade);
    std::sort(best.rbegin(), best.rend());
    double ideal = 0;
    for (size_t rank = 0; rank < best.size() && rank < 10; ++rank) ideal += best[rank] / std::log2(static_cast<double>(rank) + 2);
    sum.ndcg10 += gain / ideal, sum.mrr10 += first;
    sum.recall10 += found10 / static_cast<double>(grades.size()), sum.recall100 += found100 / static_cast<double>(grades.size());
  }
  const double n = std::max<double>(1, static_cast<double>(sum.queries));
  sum.ndcg10 /= n, sum.recall10 /= n, sum.recall100 /= n, sum.mrr10 /= n;
  return sum;
}

Result<Tuned> tune(Collection& collection, const JudgedSet& set, const Embed& embed) {
  // Each leg alone, once. A document is found by its best chunk.
  std::map<std::string, Legs> legs;
  std::unordered_map<uint32_t, std::string> document_of;
  std::vector<std::string> texts;
  for (const auto& [id, text] : set.queries) texts.push_back(text);
  std::vector<float> vectors;
  for (size_t from = 0; embed && from < texts.size(); from += 64) {
    AJAR_ASSIGN(const std::vector<float> some, embed(std::span(texts).subspan(from, std::min<size_t>(64, texts.size() - from))));
    vectors.insert(vectors.end(), some.begin(), some.end());
  }
  const size_t width = texts.empty() ? 0 : vectors.size() / texts.size();
  for (size_t i = 0; i < set.queries.size(); ++i) {
    Legs& one = legs[set.queries[i].first];
    for (const bool meaning : {false, true}) {
      if (meaning && width == 0) continue;
      SearchRequest request{.text = meaning ? "" : set.queries[i].second, .reader = {.everything = true}, .limit = 100};
      if (meaning) request.embedding.assign(&vectors[i * width], &vectors[i * width] + width);
      request.weights = Weights{meaning ? 0.0f : 1.0f, meaning ? 1.0f : 0.0f, index::Fusion::kScores};
      AJAR_ASSIGN(const std::vector<Hit> hits, collection.search(request));
      for (const Hit& hit : hits) {
        document_of[hit.row] = hit.document;
        (meaning ? one.meaning : one.words).push_back({hit.row, meaning ? hit.meaning.value_or(0) : hit.words.value_or(0)});
      }
    }
  }
  const auto rank = [&](const Weights& weights) {
    Ranked ranked;
    for (const auto& [query, one] : legs) {
      const index::Leg both[] = {{one.words, weights.words}, {one.meaning, weights.meaning}};
      std::set<std::string> seen;
      for (const index::Scored& found : index::fuse(both, weights.how, 200))
        if (seen.insert(document_of[found.row]).second) ranked[query].push_back(document_of[found.row]);
    }
    return ranked;
  };
  std::set<std::string> first, second;
  std::vector<std::string> first_list;
  for (size_t i = 0; i < set.queries.size(); ++i) (i % 2 == 0 ? first : second).insert(set.queries[i].first);
  first_list.assign(first.begin(), first.end());

  Tuned out;
  const Weights words{1, 0, index::Fusion::kScores}, meaning{0, 1, index::Fusion::kScores};
  const Ranked by_words = rank(words), by_meaning = rank(meaning);
  out.tuned_words = measure(set, by_words, &first), out.tuned_meaning = measure(set, by_meaning, &first);
  out.words = measure(set, by_words, &second), out.meaning = measure(set, by_meaning, &second);
  const bool words_better = out.tuned_words.ndcg10 >= out.tuned_meaning.ndcg10;
  const std::vector<double> better = ndcg_of_each(set, words_better ? by_words : by_meaning, first_list);
  out.weights = words_better ? words : meaning;
  out.tuned_both = words_better ? out.tuned_words : out.tuned_meaning;
  for (const index::Fusion how : {index::Fusion::kRanks, index::Fusion::kScores}) {
    for (int step = 1; step <= 19 && width > 0; ++step) {
      const Weights weights{1 - static_cast<float>(step) / 20, static_cast<float>(step) / 20, how};
      const Ranked ranked = rank(weights);
      const Quality quality = measure(set, ranked, &first);
      ++out.tried;
      if (quality.ndcg10 <= out.tuned_both.ndcg10) continue;
      const std::vector<double> each = ndcg_of_each(set, ranked, first_list);
      double mean = 0, square = 0;
      for (size_t i = 0; i < each.size(); ++i) mean += each[i] - better[i], square += (each[i] - better[i]) * (each[i] - better[i]);
      const double n = static_cast<double>(each.size());
      mean /= n;
      const double error = std::sqrt(std::max(0.0, square / n - mean * mean) / n);
      if (mean > error) out.weights = weights, out.tuned_both = quality;
    }
  }
  out.both = measure(set, rank(out.weights), &second);
  return out;
}

}  // namespace ajar::rag
