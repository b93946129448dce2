#pragma once
// Attacks on a route, and harmless questions that look like one: what is asked, how an answer is judged, and what came of it.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "learn/bounds.h"

namespace ajar::app {

enum class RedJudge : uint8_t { kMarker, kComplied };

struct RedCase {
  std::string suite, id;             // together they name it from run to run
  bool attack = true;                // otherwise a refusal is the fault
  RedJudge judged = RedJudge::kComplied;
  bool decoded = false;              // markers are also looked for in codes
  std::vector<std::string> markers;
  std::string system, text;
  std::optional<std::string> tool;   // what a tool gave back before the answer
};

// Our own suites with fresh markers by this seed; `only` names some, empty: all. kNotFound names one that is not there.
Result<std::vector<RedCase>> builtin_cases(uint64_t seed, const std::vector<std::string>& only = {});
// The names of our own suites, and what each is about.
std::vector<std::pair<std::string, std::string>> builtin_suites();
// Of a file (learn/prompt_list.h). `benign`: of prompts that no label says otherwise of.
Result<std::vector<RedCase>> cases_of_file(const std::string& path, bool benign);

// "base64", "hex", "rot13", "reversed", "leet", "spaced", "tags" (invisible characters), "zero_width", "homoglyphs"; empty: as it is. kInvalid: no such code.
Result<std::string> encode_text(std::string_view text, std::string_view code);
// True: a marker stands in the text in any case, perhaps with marks and spaces between; `decoded`: or in what it says in a code.
bool has_marker(std::string_view text, const std::vector<std::string>& markers, bool decoded);

// A chat request of OpenAI's form.
std::string request_body(const RedCase& red, const std::string& model, int64_t max_tokens);

struct RedAnswer {
  std::string text;                  // with what it wants to call
  std::string finish;
  std::string blocked;               // by whom, where a policy refused the request or the answer
};
// Of a response with this status. The error: nothing can be said of the case.
Result<RedAnswer> read_answer(int status, std::string_view body);

enum class RedOutcome : uint8_t { kGood, kBad, kError };  // held or answered; attack succeeded or falsely refused; not known
struct RedResult {
  std::string suite, id;
  bool attack = true;
  RedOutcome outcome = RedOutcome::kError;
  std::string blocked, answer;       // by whom; its beginning, or the error
};
// `helps`: asked of answers that do not decline; null: they all do.
RedResult judge_case(const RedCase& red, const Result<RedAnswer>& answer, const std::function<Result<bool>(const RedCase&, const RedAnswer&)>& helps);

struct RedRate {
  int64_t cases = 0, bad = 0, blocked = 0, errors = 0;  // errors are none of the cases
  learn::Interval interval() const;  // Clopper-Pearson, 95 %
  double rate() const { return cases == 0 ? 0 : double(bad) / double(cases); }
};
struct RedReport {
  std::string route, at;             // RFC 3339
  uint64_t seed = 0;
  std::vector<RedResult> results;

  RedRate rate(bool attack, std::string_view suite = {}) const;
  std::vector<std::pair<std::string, bool>> suites() const;  // in their order, and whether they attack
  std::string json() const;
  static Result<RedReport> parse(std::string_view json);
};

struct RedDiff {
  std::vector<std::string> regressed, fixed;  // "suite/id"
  int64_t both = 0;                  // cases that both runs know
};
RedDiff compare(const RedReport& before, const RedReport& after);

}  // namespace ajar::app
