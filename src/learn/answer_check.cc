#include "learn/answer_check.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "base/text.h"
#include "learn/features.h"
#include "learn/prompt_words.h"

namespace ajar::learn {
namespace {

// "-$1,000.50" as "-1000.5"; the marks around a number are not part of it.
struct Number {
  std::string text;
  size_t from, to;
};
std::vector<Number> numbers_of(std::string_view text) {
  std::vector<Number> out;
  for (size_t at = 0; at < text.size();) {
    if (!is_digit(text[at]) && !(text[at] == '.' && at + 1 < text.size() && is_digit(text[at + 1]))) {
      ++at;
      continue;
    }
    Number n{.from = at};
    bool point = false;
    for (; at < text.size(); ++at) {
      const bool follows = at + 1 < text.size() && is_digit(text[at + 1]);
      if (is_digit(text[at])) n.text.push_back(text[at]);
      else if (text[at] == '.' && follows && !point) point = true, n.text.push_back('.');
      else if (!(text[at] == ',' && follows)) break;
    }
    if (point) {
      while (n.text.ends_with('0')) n.text.pop_back();
      if (n.text.ends_with('.')) n.text.pop_back();
    }
    const size_t zeros = std::min(n.text.find_first_not_of('0'), n.text.size());
    n.text.erase(0, zeros);
    if (n.text.empty() || n.text[0] == '.') n.text.insert(0, "0");
    size_t before = n.from;
    if (before > 0 && text[before - 1] == '$') --before;
    const bool sign = before > 0 && text[before - 1] == '-' && (before == 1 || text[before - 2] == ' ' || text[before - 2] == '{');
    if (sign && n.text != "0") n.text.insert(0, "-");
    n.to = at;
    out.push_back(std::move(n));
  }
  return out;
}

std::optional<std::string> first_number(std::string_view text) {
  const auto numbers = numbers_of(text.substr(0, 80));
  return numbers.empty() ? std::nullopt : std::optional(numbers.front().text);
}

bool contains_any(std::string_view text, std::span<const std::string_view> phrases) {
  return std::ranges::any_of(phrases, [&](std::string_view p) { return text.find(p) != text.npos; });
}

std::set<std::string> meaning_of(std::string_view text) {
  const std::string lower = to_lower(text);
  std::set<std::string> out;
  for (const std::string_view word : words_of(lower))
    if (word.size() > 2 && !is_filler(word)) out.emplace(word);
  return out;
}

}  // namespace

std::optional<std::string> final_number(std::string_view text) {
  const std::string lower = to_lower(text);
  for (const std::string_view mark : {"####", "\\boxed{", "answer is", "answer:"})
    if (const size_t at = lower.rfind(mark); at != lower.npos)
      if (auto number = first_number(text.substr(at + mark.size()))) return number;
  const auto numbers = numbers_of(text);
  return numbers.empty() ? std::nullopt : std::optional(numbers.back().text);
}

std::string normalised_answer(std::string_view text) {
  if (auto number = final_number(text)) return *number;
  const std::string lower = to_lower(text);
  const auto mark = [](char c) { return std::string_view(" \t\r\n.,;:!?\"'()[]{}*`").find(c) != std::string_view::npos; };
  size_t from = 0, to = lower.size();
  while (from < to && mark(lower[from])) ++from;
  while (to > from && mark(lower[to - 1])) --to;
  return lower.substr(from, to - from);
}

Agreement agreement(std::span<const std::string> answers) {
  Agreement out;
  if (answers.empty()) return out;
  std::map<std::string, int> votes;
  for (const std::string& answer : answers) ++votes[normalised_answer(answer)];
  const auto k = static_cast<double>(answers.size());
  int most = 0;
  for (const auto& [answer, n] : votes) {
    if (n > most) most = n, out.answer = answer;
    out.entropy -= n / k * std::log(n / k);
  }
  out.share = most / k;
  if (answers.size() > 1) out.entropy = std::max(0.0, out.entropy) / std::log(k);
  return out;
}

NumberUse number_use(std::string_view prompt, std::string_view answer) {
  std::set<std::string> given, said, results;
  for (const Number& n : numbers_of(prompt)) given.insert(n.text);
  const std::string lower = to_lower(prompt);
  for (const std::string_view word : words_of(lower))
    if (const int value = number_of(word); value >= 0) given.insert(std::to_string(value));
  const auto all = numbers_of(answer);
  for (const Number& n : all) {
    said.insert(n.text);
    // What follows an equals sign is explained by what stands before it.
    size_t before = n.from;
    while (before > 0 && (answer[before - 1] == ' ' || answer[before - 1] == '$' || answer[before - 1] == '>' || answer[before - 1] == '-')) --before;
    if (before > 0 && answer[before - 1] == '=') results.insert(n.text);
  }
  NumberUse out{.in_prompt = static_cast<int>(given.size())};
  for (const std::string& n : given) out.used += said.contains(n);
  for (const std::string& n : said) out.unexplained += !given.contains(n) && !results.contains(n);
  return out;
}

bool refuses(std::string_view answer) {
  constexpr auto kPhrases = std::to_array<std::string_view>(
      {"i cannot", "i can't", "i can’t", "i'm sorry", "i’m sorry", "i am sorry", "i am unable", "i'm unable", "as an ai", "i do not have access", "i don't have access", "i'm not able", "i am not able"});
  return contains_any(to_lower(answer.substr(0, 300)), kPhrases);
}

int count_hedges(std::string_view answer) {
  constexpr auto kPhrases = std::to_array<std::string_view>(
      {"perhaps", "maybe", "i think", "i believe", "not sure", "unclear", "assuming", "assume", "it depends", "possibly", "might be", "approximately", "not specified", "not enough information", "however", "wait,", "cannot be determined"});
  const std::string lower = to_lower(answer);
  int out = 0;
  for (const std::string_view phrase : kPhrases)
    for (size_t at = lower.find(phrase); at != lower.npos; at = lower.find(phrase, at + 1)) ++out;
  return out;
}

bool is_cut(std::string_view answer) {
  const std::string_view text = trim(answer);
  if (text.empty()) return true;
  if (text.rfind("<<") != text.npos && (text.rfind(">>") == text.npos || text.rfind(">>") < text.rfind("<<"))) return true;
  const size_t line = text.rfind('\n') == text.npos ? 0 : text.rfind('\n') + 1;
  if (text.substr(line).starts_with("####") || text.find("\\boxed{", line) != text.npos) return false;
  return std::string_view(".!?)]}\"'`*|").find(text.back()) == std::string_view::npos;
}

Citations check_citations(std::string_view answer, std::span<const std::string> sources) {
  Citations out;
  for (size_t open = answer.find('['); open != answer.npos; open = answer.find('[', open + 1)) {
    const size_t close = answer.find(']', open);
    if (close == answer.npos) break;
    const std::string_view inside = answer.substr(open + 1, close - open - 1);
    if (inside.empty() || inside.find_first_not_of("0123456789, ") != inside.npos) continue;
    // The sentence that the citation ends.
    size_t from = open == 0 ? 0 : answer.substr(0, open).find_last_of(".!?\n", open > 2 ? open - 2 : 0);
    from = from == answer.npos ? 0 : from;
    const auto claimed = meaning_of(answer.substr(from, open - from));
    for (const std::string_view part : split(inside, ',')) {
      const auto number = parse_int(trim(part));
      if (!number) continue;
      ++out.count;
      if (*number < 1 || *number > static_cast<int64_t>(sources.size())) {
        ++out.unknown;
        continue;
      }
      const auto known = meaning_of(sources[static_cast<size_t>(*number - 1)]);
      out.unsupported += std::ranges::none_of(claimed, [&](const std::string& word) { return known.contains(word); });
    }
  }
  return out;
}

}  // namespace ajar::learn
