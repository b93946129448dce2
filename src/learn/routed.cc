#include "learn/routed.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "learn/csv.h"
#include "learn/file.h"

namespace ajar::learn {
namespace {

std::optional<double> worth_of(std::string_view text) {
  const std::string word = to_lower(trim(text));
  if (word == "true") return 1;
  if (word == "false") return 0;
  const auto number = parse_double(word);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

}  // namespace

Result<RoutedFile> parse_routed(std::string_view bytes, std::string_view source, std::string_view weak, std::string_view strong) {
  bytes = without_mark(bytes);
  AJAR_ASSIGN(const auto rows, parse_csv(bytes, source));
  if (rows.size() < 2) return invalid("rows", std::string(source) + ": no rows");
  const auto& header = rows.front().fields;
  const auto column = [&](std::string_view name) -> std::optional<size_t> {
    for (size_t i = 0; i < header.size(); ++i)
      if (trim(header[i]) == name) return i;
    return std::nullopt;
  };
  const auto prompt = column("prompt");
  if (!prompt || header.size() < 3) return invalid("header", std::string(source) + ":1: no header with prompt and two models");
  RoutedFile out{.weak = std::string(weak), .strong = std::string(strong), .rows = {}};
  for (const std::string& name : header) {
    const std::string own(trim(name));
    if (own == "prompt" || own.ends_with("_response") || own == out.weak || own == out.strong) continue;
    if (out.weak.empty()) out.weak = own;
    else if (out.strong.empty()) out.strong = own;
  }
  const auto low = column(out.weak), high = column(out.strong), answer = column(out.weak + "_response");
  if (!low || !high) return invalid("header", std::string(source) + ":1: there is no column '" + (low ? out.strong : out.weak) + "'");
  out.answers = answer.has_value();
  for (size_t i = 1; i < rows.size(); ++i) {
    const auto& [line, fields] = rows[i];
    const std::string where = std::string(source) + ":" + std::to_string(line);
    if (fields.size() != header.size()) return invalid("row", where + ": " + std::to_string(fields.size()) + " columns, expected " + std::to_string(header.size()));
    const auto a = worth_of(fields[*low]), b = worth_of(fields[*high]);
    if (!a || !b) return invalid("row", where + ": an answer's worth must be True, False or a number");
    out.rows.push_back({.prompt = fields[*prompt], .answer = answer ? fields[*answer] : "", .weak = *a, .strong = *b});
  }
  return out;
}

}  // namespace ajar::learn
