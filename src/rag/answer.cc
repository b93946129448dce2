#include "rag/answer.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace ajar::rag {
namespace {

std::set<std::string> terms_of(std::string_view text, const std::string& language) {
  thread_local std::unordered_map<std::string, std::unique_ptr<index::Analyzer>> analyzers;
  auto& analyzer = analyzers[language];
  if (!analyzer) analyzer = std::make_unique<index::Analyzer>(index::language_of(language).value_or(index::Language::kNone));
  std::set<std::string> out;
  analyzer->each(text, [&](std::string_view term, uint32_t, uint32_t) { out.emplace(term); });
  return out;
}

// The share of the question's weight that a text holds; a word of the question that no document has weighs as the rarest.
float coverage(const std::set<std::string>& question, const std::set<std::string>& text, const TermWeights& weights) {
  float rarest = 1;
  for (const auto& [term, weight] : weights) rarest = std::max(rarest, weight);
  float all = 0, held = 0;
  for (const std::string& term : question) {
    const auto it = weights.find(term);
    const float weight = it == weights.end() || it->second == 0 ? rarest : it->second;
    all += weight;
    if (text.contains(term)) held += weight;
  }
  return all > 0 ? held / all : 0;
}

}  // namespace

Signals signals_of(std::string_view question, std::span<const Hit> hits, const TermWeights& weights) {
  Signals out;
  for (const Hit& hit : hits.first(std::min<size_t>(hits.size(), 5))) {
    const float held = coverage(terms_of(question, hit.language), terms_of(indexed_text(hit.title, hit.headings, hit.text, hit.context), hit.language), weights);
    out.coverage = std::max(out.coverage, held);
    if (hit.meaning) out.cosine = std::max(out.cosine, *hit.meaning), out.meaning = true;
  }
  return out;
}

Calibration fit_calibration(std::span<const JudgedSignals> cases) {
  double b = 0, c = 0, m = 0;
  const double rate = 4.0 / std::max<double>(1, static_cast<double>(cases.size()));
  for (int step = 0; step < 20'000; ++step) {
    double gb = 0, gc = 0, gm = 0;
    for (const JudgedSignals& one : cases) {
      const double error = 1 / (1 + std::exp(-(b + c * one.signals.coverage + m * one.signals.cosine))) - (one.answered ? 1 : 0);
      gb += error, gc += error * one.signals.coverage, gm += error * one.signals.cosine;
    }
    b -= rate * gb, c -= rate * gc, m -= rate * gm;
  }
  return {static_cast<float>(b), static_cast<float>(c), static_cast<float>(m)};
}

float probability(const Signals& signals, const std::optional<Calibration>& calibration) {
  const Calibration c = calibration.value_or(signals.meaning ? kByBoth : kByWords);
  return 1 / (1 + std::exp(-(c.bias + c.coverage * signals.coverage + c.cosine * signals.cosine)));
}

Result<Answer> extract_answer(std::string_view text, std::span<const float> question, std::span<const Hit> hits, const TermWeights& weights,
                              const Embed& embed, const AnswerOptions& options) {
  Answer answer;
  if (hits.empty()) return answer;
  answer.probability = probability(signals_of(text, hits, weights), options.calibration);
  answer.found = answer.probability >= options.threshold;
  if (!answer.found) return answer;

  struct Candidate {
    const Hit* hit;
    Span span;
    float score;
  };
  std::vector<Candidate> candidates;
  std::vector<std::string> texts;
  for (size_t h = 0; h < hits.size() && h < 5; ++h) {
    const std::set<std::string> asked = terms_of(text, hits[h].language);
    for (const Span& span : sentences(hits[h].text)) {
      // A heading says what follows is about; it says nothing of it.
      const auto holds = [&](const Span& head) { return head.begin <= span.begin && span.end <= head.end; };
      if (std::any_of(hits[h].heads.begin(), hits[h].heads.end(), holds)) continue;
      const std::string sentence = hits[h].text.substr(span.begin, span.end - span.begin);
      // What the headings say of the passage holds for each of its sentences, but says less.
      const float said = coverage(asked, terms_of(sentence, hits[h].language), weights);
      const float around = coverage(asked, terms_of(indexed_text(hits[h].title, hits[h].headings, hits[h].text, hits[h].context), hits[h].language), weights);
      candidates.push_back({&hits[h], span, said + 0.5f * around});
      texts.push_back(sentence);
    }
  }
  if (candidates.empty()) {
    answer.found = false;  // headings alone
    return answer;
  }
  if (embed && !question.empty()) {
    std::vector<float> unit(question.begin(), question.end());
    AJAR_TRY(index::normalize(unit));
    AJAR_ASSIGN(std::vector<float> vectors, embed(texts));
    if (vectors.size() != texts.size() * unit.size()) return fail(Code::kUpstream, "the embedder gave vectors of another width");
    for (size_t i = 0; i < texts.size(); ++i) {
      const std::span one = std::span(vectors).subspan(i * unit.size(), unit.size());
      if (!index::normalize(one)) continue;
      float cosine = 0;
      for (size_t d = 0; d < unit.size(); ++d) cosine += unit[d] * one[d];
      candidates[i].score += 1.5f * cosine;
    }
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  std::set<std::string> said;
  for (const Candidate& one : candidates) {
    if (answer.sentences.size() >= options.sentences || one.score < candidates.front().score * 0.75f) break;
    const std::string quote = one.hit->text.substr(one.span.begin, one.span.end - one.span.begin);
    if (!said.insert(index::fold(quote)).second) continue;
    AnswerSentence sentence{.text = quote, .supported = true};
    sentence.evidence.push_back({one.hit->document, one.hit->name, one.hit->title, one.hit->page, one.hit->begin + one.span.begin, one.hit->begin + one.span.end, quote, 1});
    answer.sentences.push_back(std::move(sentence));
  }
  return answer;
}

}  // namespace ajar::rag
