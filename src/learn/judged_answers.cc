#include "learn/judged_answers.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/random.h"
#include "base/text.h"
#include "json/read.h"
#include "learn/csv.h"
#include "learn/file.h"
#include "learn/metrics.h"

namespace ajar::learn {
namespace {

constexpr std::array<std::string_view, 2> kQuestion = {"question", "prompt"};
constexpr std::array<std::string_view, 2> kAnswer = {"answer", "response"};
constexpr std::array<std::string_view, 3> kCorrect = {"correct", "right", "label"};

std::optional<bool> truth_of(std::string_view text) {
  const std::string word = to_lower(trim(text));
  if (word == "true" || word == "1" || word == "1.0" || word == "yes") return true;
  if (word == "false" || word == "0" || word == "0.0" || word == "no") return false;
  return std::nullopt;
}

Status check(const JudgedAnswer& row, const std::string& where) {
  if (trim(row.question).empty()) return invalid("question", where + ": no question");
  if (!valid_utf8(row.question) || !valid_utf8(row.answer)) return invalid("question", where + ": not UTF-8");
  return {};
}

Result<std::vector<float>> read_numbers(const json::Object& object, std::string_view name, const std::string& where) {
  std::vector<float> out;
  const auto value = json::find(object, name);
  if (!value) return out;
  const auto list = json::as_array(*value);
  if (!list) return invalid(std::string(name), where + ": '" + std::string(name) + "' must be an array of numbers");
  for (const json::Value item : *list) {
    const auto number = json::as_double(item);
    if (!number) return invalid(std::string(name), where + ": '" + std::string(name) + "' must be an array of numbers");
    out.push_back(static_cast<float>(*number));
  }
  return out;
}

Result<JudgedAnswer> read_row(const json::Object& object, const std::string& where) {
  const auto find_any = [&](const auto& names) {
    std::optional<json::Value> found;
    for (const std::string_view name : names)
      if (!found) found = json::find(object, name);
    return found;
  };
  const auto question = find_any(kQuestion), answer = find_any(kAnswer), correct = find_any(kCorrect);
  if (!question || !json::as_string(*question)) return invalid("question", where + ": no question");
  if (!answer || !json::as_string(*answer)) return invalid("answer", where + ": no answer");
  const auto word = correct ? json::as_string(*correct) : std::nullopt;
  const auto truth = correct ? truth_of(word ? std::string(*word) : json::raw(*correct)) : std::nullopt;
  if (!truth) return invalid("correct", where + ": 'correct' must be true or false");
  JudgedAnswer row{.question = std::string(*json::as_string(*question)), .answer = std::string(*json::as_string(*answer)), .correct = *truth};
  AJAR_ASSIGN(row.logprobs, read_numbers(object, "logprobs", where));
  AJAR_ASSIGN(row.margins, read_numbers(object, "margins", where));
  AJAR_TRY(check(row, where));
  return row;
}

Result<std::vector<JudgedAnswer>> parse_lines(std::string_view bytes, std::string_view source) {
  std::vector<JudgedAnswer> out;
  json::Document document;
  size_t line = 0;
  for (const std::string_view text : split(bytes, '\n')) {
    const std::string where = std::string(source) + ":" + std::to_string(++line);
    if (trim(text).empty()) continue;
    auto object = document.parse_object(text);
    if (!object) return std::unexpected(std::move(object.error()).in(where));
    AJAR_ASSIGN(out.emplace_back(), read_row(*object, where));
  }
  return out;
}

Result<std::vector<JudgedAnswer>> parse_table(std::string_view bytes, std::string_view source) {
  AJAR_ASSIGN(const auto rows, parse_csv(bytes, source));
  std::vector<JudgedAnswer> out;
  if (rows.empty()) return out;
  const auto& header = rows.front().fields;
  const auto column = [&](const auto& names) -> std::optional<size_t> {
    for (const std::string_view name : names)
      for (size_t i = 0; i < header.size(); ++i)
        if (iequals(trim(header[i]), name)) return i;
    return std::nullopt;
  };
  const auto question = column(kQuestion), answer = column(kAnswer), correct = column(kCorrect);
  if (!question || !answer || !correct) return invalid("header", std::string(source) + ":1: no header with question, answer and correct");
  for (size_t i = 1; i < rows.size(); ++i) {
    const auto& [line, fields] = rows[i];
    const std::string where = std::string(source) + ":" + std::to_string(line);
    if (fields.size() != header.size()) return invalid("row", where + ": " + std::to_string(fields.size()) + " columns, expected " + std::to_string(header.size()));
    const auto truth = truth_of(fields[*correct]);
    if (!truth) return invalid("correct", where + ": 'correct' must be true or false");
    JudgedAnswer row{.question = fields[*question], .answer = fields[*answer], .correct = *truth, .logprobs = {}, .margins = {}};
    AJAR_TRY(check(row, where));
    out.push_back(std::move(row));
  }
  return out;
}

// 0 to 1, the same for the same question.
double place_of(const JudgedAnswer& answer) {
  return double(std::strtoul(sha256_hex(answer.question).substr(0, 8).c_str(), nullptr, 16)) / 4294967296.0;
}

}  // namespace

AnswerScore::Row JudgedAnswer::row() const {
  return {.evidence = {.prompt = question, .answer = answer, .logprobs = logprobs, .margins = margins, .entropies = {}, .samples = {}, .failed_checks = {}}, .right = correct};
}

Result<std::vector<JudgedAnswer>> parse_judged_answers(std::string_view bytes, std::string_view source) {
  bytes = without_mark(bytes);
  const bool lines = trim(bytes.substr(0, 4096)).starts_with('{');
  AJAR_ASSIGN(auto rows, lines ? parse_lines(bytes, source) : parse_table(bytes, source));
  if (rows.empty()) return invalid("rows", std::string(source) + ": no rows");
  return rows;
}

Result<std::vector<JudgedAnswer>> read_judged_answers(const std::string& path) {
  AJAR_ASSIGN(const std::string bytes, read_file(path, int64_t{1} << 30));
  return parse_judged_answers(bytes, path);
}

Result<AnswerScoreFit> fit_answer_score(const std::vector<JudgedAnswer>& answers, double held_out, const ThresholdOptions& guarantee) {
  std::vector<AnswerScore::Row> taught, rest;
  for (const JudgedAnswer& answer : answers) (place_of(answer) < held_out ? rest : taught).push_back(answer.row());
  if (rest.size() < 20) return invalid("rows", std::to_string(rest.size()) + " answers are held out; at least 20 are needed to say how good the score is");
  AJAR_ASSIGN(AnswerScore score, AnswerScore::fit(taught));
  AnswerScoreQuality quality{.taught = taught.size(), .held_out = rest.size()};
  std::vector<Claim> claims;
  std::vector<Judged> judged;
  for (const AnswerScore::Row& row : rest) {
    const double probability = score(row.evidence);
    claims.push_back({probability, row.right});
    judged.push_back({.confidence = probability, .loss = row.right ? 0.0 : 1.0});
    quality.right += row.right / double(rest.size());
  }
  quality.auroc = auroc(claims);
  quality.calibration_error = expected_calibration_error(claims);
  AJAR_ASSIGN(quality.threshold, choose_threshold(judged, guarantee));
  return AnswerScoreFit{.score = std::move(score), .quality = std::move(quality)};
}

}  // namespace ajar::learn
