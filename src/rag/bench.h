#pragma once
// How good retrieval is, and tuning by it. Judged sets come from BEIR's folders (corpus.jsonl, queries.jsonl, qrels/test.tsv) or
// XQuAD's files (a question belongs to its paragraph).

#include <map>
#include <set>
#include <string>
#include <vector>

#include "rag/collection.h"

namespace ajar::rag {

struct JudgedSet {
  std::string name;
  std::vector<std::pair<std::string, std::string>> documents;          // id, text ("title\ntext")
  std::vector<std::pair<std::string, std::string>> queries;            // id, text
  std::map<std::string, std::map<std::string, int>> judgements;        // query to document to grade above 0
};

Result<JudgedSet> read_beir(const std::string& folder);
Result<JudgedSet> read_xquad(const std::string& file);

struct Quality {
  double ndcg10 = 0, recall10 = 0, recall100 = 0, mrr10 = 0;
  size_t queries = 0;
};
// `ranked`: documents of each query, the best first. As trec_eval: gain is the grade, discount log2(rank + 1).
Quality measure(const JudgedSet& set, const std::map<std::string, std::vector<std::string>>& ranked, const std::set<std::string>* only = nullptr);

struct Tuned {
  Weights weights;
  Quality words, meaning, both;       // on the part that was not tuned on
  Quality tuned_words, tuned_meaning, tuned_both;  // on the part that was
  size_t tried = 0;
};

// Ranks every query by each leg once, tries weights on half of the queries (every other one) and measures the best on the
// other half. A leg alone is among what is tried, and a mixture must beat the better leg by more than a standard error
// of the difference, so that hybrid is not worse for having been tuned on noise.
Result<Tuned> tune(Collection& collection, const JudgedSet& set, const Embed& embed);

}  // namespace ajar::rag
