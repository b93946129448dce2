#include "gateway/judge.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "json/read.h"
#include "json/schema.h"
#include "learn/answer_check.h"

namespace ajar {
namespace {

constexpr double kLeastLogprob = -50;  // providers write -9999 for "never"

}  // namespace

void TokenFacts::add(std::string_view items) {
  thread_local json::Document document;
  const auto list = document.parse("[" + std::string(items) + "]");
  const auto array = list ? json::as_array(*list) : std::nullopt;
  if (!array) return;
  for (const json::Value item : *array) {
    const auto object = json::as_object(item);
    const auto value = object ? json::find(*object, "logprob") : std::nullopt;
    const auto number = value ? json::as_double(*value) : std::nullopt;
    if (!number) continue;
    const double logprob = std::clamp(*number, kLeastLogprob, 0.0);
    ++tokens;
    sum_logprob += logprob;
    if (logprobs.size() < kMostKept) logprobs.push_back(float(logprob));
    least_logprob = std::min(least_logprob, logprob);
    // The two most likely, whichever of them was drawn.
    double best = 0, second = 0;
    int known = 0;
    const auto top = json::find(*object, "top_logprobs");
    if (const auto rivals = top ? json::as_array(*top) : std::nullopt) {
      for (const json::Value rival : *rivals) {
        const auto fields = json::as_object(rival);
        const auto at = fields ? json::find(*fields, "logprob") : std::nullopt;
        const auto rival_logprob = at ? json::as_double(*at) : std::nullopt;
        if (!rival_logprob) continue;
        const double p = std::exp(std::clamp(*rival_logprob, kLeastLogprob, 0.0));
        ++known;
        if (p > best) second = best, best = p;
        else second = std::max(second, p);
      }
    }
    if (known < 2) continue;
    ++with_margin;
    sum_margin += best - second;
    if (margins.size() < kMostKept) margins.push_back(float(best - second));
    least_margin = std::min(least_margin, best - second);
  }
}

std::optional<double> TokenFacts::margin() const {
  if (with_margin == 0) return std::nullopt;
  return sum_margin / double(with_margin);
}

std::optional<double> TokenFacts::logprob() const {
  if (tokens == 0) return std::nullopt;
  return std::exp(sum_logprob / double(tokens));
}

std::string failed_check(const Checks& checks, const Request& request, const Reply& reply) {
  for (const Choice& choice : reply.choices) {
    const bool calls = std::ranges::any_of(choice.parts, [](const Part& part) { return part.kind == Part::Kind::kToolCall; });
    const std::string text = choice.text();
    if (checks.whole && choice.finish == Finish::kLength) return "whole: it ended for lack of room";
    if (checks.not_empty && !calls && trim(text).empty()) return "not_empty: it says nothing";
    if (checks.not_refused) {
      const bool refusal = choice.finish == Finish::kRefusal || choice.finish == Finish::kContentFilter ||
                           std::ranges::any_of(choice.parts, [](const Part& part) { return part.kind == Part::Kind::kRefusal; });
      if (refusal || learn::refuses(text)) return "not_refused: it declines";
    }
    if (checks.arithmetic) {
      if (const auto sums = learn::check_arithmetic(text); sums.wrong > 0) return "arithmetic: " + sums.first_wrong;
    }
    if (checks.citations && !calls) {
      const auto cited = learn::check_citations(text, cited_sources(request));
      if (cited.unknown > 0) return "citations: it cites what was not given";
      if (cited.unsupported > 0) return "citations: a passage does not say what it is cited for";
    }
    if ((checks.json || checks.schema) && !calls) {
      json::Document answer;
      const auto value = answer.parse(text);
      if (!value) return "json: it is no JSON";
      if (checks.schema && !request.response_format.schema.empty()) {
        json::Document schema;
        const auto wanted = schema.parse(request.response_format.schema);
        if (!wanted) return "schema: the request's schema is no JSON";
        if (const std::string why = json::schema_violation(*wanted, *value); !why.empty()) return "schema: " + why;
      }
    }
  }
  return "";
}

std::vector<std::string> cited_sources(const Request& request) {
  std::vector<std::string> sources;
  const auto gather = [&](const auto& self, const std::vector<Part>& parts, bool result) -> void {
    for (const Part& part : parts) {
      if (part.kind == Part::Kind::kFile && !part.text.empty()) sources.push_back(part.text);
      else if (part.kind == Part::Kind::kToolResult) self(self, part.content, true);
      else if (result && part.kind == Part::Kind::kText) sources.push_back(part.text);
    }
  };
  for (const Message& message : request.messages) gather(gather, message.parts, message.role == Role::kTool);
  return sources;
}

std::string question_of(const Request& request) {
  for (auto message = request.messages.rbegin(); message != request.messages.rend(); ++message) {
    if (message->role != Role::kUser) continue;
    std::string text;
    for (const Part& part : message->parts) text += part.kind == Part::Kind::kText ? part.text : "";
    return text;
  }
  return "";
}

std::string comparable(const Reply& reply) {
  if (reply.choices.empty()) return "";
  const Choice& choice = reply.choices.front();
  std::string out;
  for (const Part& part : choice.parts) {
    if (part.kind == Part::Kind::kToolCall) out += part.name + "(" + part.arguments + ")\n";
  }
  std::string text = to_lower(choice.text());
  // A marked final number is the answer, however the way to it was told.
  for (const std::string_view mark : {"####", "answer is", "answer:", "answer ="}) {
    const size_t at = text.rfind(mark);
    if (at == text.npos) continue;
    std::string number;
    for (const char c : std::string_view(text).substr(at + mark.size())) {
      if ((c >= '0' && c <= '9') || (c == '.' && !number.empty()) || (c == '-' && number.empty())) number.push_back(c);
      else if (c != ',' && !number.empty()) break;
    }
    while (number.ends_with('.')) number.pop_back();
    if (!number.empty() && number != "-") return out + number;
  }
  std::string_view rest = trim(text);
  while (!rest.empty() && std::string_view(".!\"'`").find(rest.back()) != rest.npos) rest.remove_suffix(1);
  while (!rest.empty() && std::string_view("\"'`").find(rest.front()) != rest.npos) rest.remove_prefix(1);
  bool space = false;
  for (const char c : rest) {
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
      space = true;
      continue;
    }
    if (space) out.push_back(' ');
    space = false;
    out.push_back(c);
  }
  return out;
}

}  // namespace ajar
