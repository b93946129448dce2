#include "tune/calibrate.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "base/text.h"
#include "json/read.h"
#include "learn/csv.h"
#include "learn/file.h"

namespace ajar::tune {
namespace {

std::string at_line(std::string_view source, size_t line) { return std::string(source) + ":" + std::to_string(line); }

// The loss that "right" or "loss" says; nothing: neither does.
std::optional<double> loss_of(std::string_view right) {
  const std::string low = to_lower(trim(right));
  if (low == "true" || low == "1" || low == "yes") return 0;
  if (low == "false" || low == "0" || low == "no") return 1;
  return std::nullopt;
}

Result<learn::Judged> checked(std::optional<double> confidence, std::optional<double> loss, const std::string& where) {
  if (!confidence || !(*confidence >= 0 && *confidence <= 1)) return invalid("confidence", where + ": no confidence between 0 and 1");
  if (!loss || !(*loss >= 0 && *loss <= 1)) return invalid("right", where + ": neither 'right' nor a 'loss' between 0 and 1");
  return learn::Judged{*confidence, *loss};
}

Result<learn::Judged> read_object(const json::Object& object, const std::string& where) {
  const auto confidence = json::find(object, "confidence"), right = json::find(object, "right"), loss = json::find(object, "loss");
  std::optional<double> value;
  if (loss) value = json::as_double(*loss);
  else if (right) value = loss_of(json::raw(*right));
  return checked(confidence ? json::as_double(*confidence) : std::nullopt, value, where);
}

Result<std::vector<learn::Judged>> parse_lines(std::string_view bytes, std::string_view source) {
  std::vector<learn::Judged> out;
  json::Document document;
  size_t line = 0;
  for (const std::string_view text : split(bytes, '\n')) {
    ++line;
    if (trim(text).empty()) continue;
    auto object = document.parse_object(text);
    if (!object) return std::unexpected(std::move(object.error()).in(at_line(source, line)));
    AJAR_ASSIGN(const auto judged, read_object(*object, at_line(source, line)));
    out.push_back(judged);
  }
  return out;
}

std::optional<size_t> column(const learn::CsvRow& header, std::string_view name) {
  const auto at = std::ranges::find_if(header.fields, [&](const std::string& field) { return iequals(trim(field), name); });
  if (at == header.fields.end()) return std::nullopt;
  return static_cast<size_t>(at - header.fields.begin());
}

Result<std::vector<learn::Judged>> parse_table(std::string_view bytes, std::string_view source) {
  AJAR_ASSIGN(const auto rows, learn::parse_csv(bytes, source));
  if (rows.empty()) return std::vector<learn::Judged>();
  const auto confidence = column(rows[0], "confidence"), right = column(rows[0], "right"), loss = column(rows[0], "loss");
  if (!confidence || !(right || loss)) return invalid("header", at_line(source, 1) + ": no columns 'confidence' and 'right' or 'loss'");
  std::vector<learn::Judged> out;
  for (size_t i = 1; i < rows.size(); ++i) {
    const auto& [line, fields] = rows[i];
    if (fields.size() != rows[0].fields.size()) return invalid("row", at_line(source, line) + ": " + std::to_string(fields.size()) + " columns, expected " + std::to_string(rows[0].fields.size()));
    AJAR_ASSIGN(const auto judged, checked(parse_double(trim(fields[*confidence])), loss ? parse_double(trim(fields[*loss])) : loss_of(fields[*right]), at_line(source, line)));
    out.push_back(judged);
  }
  return out;
}

std::string say(const learn::Calibration& calibration, const CalibrateOptions& o) {
  if (!calibration.found) return "no threshold: " + calibration.refusal.reason + "\n";
  const learn::Threshold& t = *calibration.found;
  char text[512];
  std::snprintf(text, sizeof text,
                "threshold  %.6g\n"
                "error      %.2f %% of the accepted answers here; at most %.2f %% with probability %.0f %% (asked: %.2f %%)\n"
                "share      %.1f %% of %lld answers are accepted, the rest goes up\n",
                t.threshold, 100 * t.loss, 100 * t.bound, 100 * (1 - o.guarantee.delta), 100 * o.guarantee.alpha, 100 * t.share(), static_cast<long long>(t.samples));
  std::string out = text;
  if (o.cost_ratio > 0) {
    const double saved = learn::saving(t.share(), o.cost_ratio);
    std::snprintf(text, sizeof text, "saving     %.1f %% of what the rung above costs alone, at %.3g of its price%s\n", 100 * saved, o.cost_ratio, saved < 0 ? ": it costs more" : "");
    out += text;
  }
  return out;
}

}  // namespace

Result<std::vector<learn::Judged>> parse_judged(std::string_view bytes, std::string_view source) {
  bytes = learn::without_mark(bytes);
  return trim(bytes.substr(0, 4096)).starts_with('{') ? parse_lines(bytes, source) : parse_table(bytes, source);
}

Result<Calibrated> calibrate(const std::vector<learn::Judged>& judged, const CalibrateOptions& options) {
  AJAR_ASSIGN(auto calibration, learn::choose_threshold(judged, options.guarantee));
  std::string text = say(calibration, options);
  return Calibrated{std::move(calibration), std::move(text)};
}

}  // namespace ajar::tune
