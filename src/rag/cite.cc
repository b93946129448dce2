#include "rag/cite.h"

#include <algorithm>
#include <cctype>
#include <set>

namespace ajar::rag {
namespace {

constexpr float kRare = 5;  // the weight of a term that no document has

bool has_digit(std::string_view term) { return std::any_of(term.begin(), term.end(), [](unsigned char c) { return std::isdigit(c); }); }

constexpr std::string_view kNegations[] = {"not", "no", "never", "none", "neither", "nor", "cannot", "without", "nunca", "ningun", "sin", "nicht", "kein", "keine",
                                           "nie", "ohne", "ne", "pas", "jamais", "sans", "non", "mai", "senza", "nao", "niet", "geen"};

// An odd number of negations.
bool negates(std::string_view text) {
  bool odd = false;
  for (size_t at = 0; const auto word = index::next_word(text, at); at = word->end) {
    const std::string folded = index::fold(text.substr(word->begin, word->end - word->begin));
    if (std::find(std::begin(kNegations), std::end(kNegations), folded) != std::end(kNegations) || folded.ends_with("n't") || folded.ends_with("n\xE2\x80\x99t")) odd = !odd;
  }
  return odd;
}

struct Window {
  size_t passage;
  Span span;
  std::set<std::string> terms;
  bool negative;
};

index::Language language_of(const std::string& code) { return index::language_of(code).value_or(index::Language::kNone); }

}  // namespace

std::vector<AnswerSentence> cite(std::string_view answer, std::span<const Hit> passages, const TermWeights& weights, const CiteOptions& options) {
  // One analyzer per language of the passages; an answer's sentence is read in the passage's language.
  std::unordered_map<int, std::unique_ptr<index::Analyzer>> analyzers;
  const auto analyzer = [&](index::Language language) -> index::Analyzer& {
    auto& one = analyzers[static_cast<int>(language)];
    if (!one) one = std::make_unique<index::Analyzer>(language);
    return *one;
  };
  std::vector<Window> windows;
  for (size_t p = 0; p < passages.size(); ++p) {
    const std::vector<Span> parts = sentences(passages[p].text);
    for (size_t i = 0; i < parts.size(); ++i) {
      for (size_t n = 1; n <= 2 && i + n <= parts.size(); ++n) {
        Window window{p, {parts[i].begin, parts[i + n - 1].end}, {}, false};
        const std::string_view text = std::string_view(passages[p].text).substr(window.span.begin, window.span.end - window.span.begin);
        for (std::string& term : analyzer(language_of(passages[p].language)).terms(text)) window.terms.insert(std::move(term));
        window.negative = negates(text);
        windows.push_back(std::move(window));
      }
    }
  }
  std::vector<AnswerSentence> out;
  for (const Span& span : sentences(answer)) {
    AnswerSentence sentence{.text = std::string(answer.substr(span.begin, span.end - span.begin))};
    const bool negative = negates(sentence.text);
    std::unordered_map<int, std::vector<std::string>> terms;  // by language
    size_t most = 0;
    for (const Hit& passage : passages) {
      const auto language = language_of(passage.language);
      if (terms.contains(static_cast<int>(language))) continue;
      const auto all = analyzer(language).terms(sentence.text);
      const std::set<std::string> once(all.begin(), all.end());
      terms[static_cast<int>(language)].assign(once.begin(), once.end());
      most = std::max(most, once.size());
    }
    sentence.claims = passages.empty() || most >= 2;
    std::vector<std::pair<float, const Window*>> found;
    for (const Window& window : windows) {
      float all = 0, shared = 0;
      bool numbers = true;
      for (const std::string& term : terms[static_cast<int>(language_of(passages[window.passage].language))]) {
        const auto it = weights.find(term);
        const float weight = std::max(0.1f, it == weights.end() || it->second == 0 ? kRare : it->second);
        all += weight;
        if (window.terms.contains(term)) shared += weight;
        else if (has_digit(term)) numbers = false;
      }
      if (all <= 0 || !numbers) continue;
      const float score = shared / all * (window.negative == negative ? 1.0f : 0.5f);
      if (score >= options.threshold) found.emplace_back(score, &window);
    }
    // The shorter quote of two that say as much.
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
      if (a.first != b.first) return a.first > b.first;
      const auto length = [](const Window& w) { return w.span.end - w.span.begin; };
      if (length(*a.second) != length(*b.second)) return length(*a.second) < length(*b.second);
      return a.second->passage < b.second->passage;
    });
    for (const auto& [score, window] : found) {
      if (sentence.evidence.size() >= options.evidence) break;
      const Hit& hit = passages[window->passage];
      const uint32_t begin = hit.begin + window->span.begin, end = hit.begin + window->span.end;
      const bool known = std::any_of(sentence.evidence.begin(), sentence.evidence.end(), [&](const Evidence& e) { return e.document == hit.document && begin < e.end && e.begin < end; });
      if (known) continue;
      sentence.evidence.push_back({hit.document, hit.name, hit.title, hit.page, begin, end, hit.text.substr(window->span.begin, window->span.end - window->span.begin), score});
    }
    sentence.supported = !sentence.evidence.empty();
    out.push_back(std::move(sentence));
  }
  return out;
}

}  // namespace ajar::rag
