#include "gateway/calibration.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "json/read.h"
#include "json/write.h"

namespace ajar {

std::string RungCalibration::json() const {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("ajar_calibration", 1);
  w.field("route", route);
  w.field("target", target);
  w.field("source", source);
  w.field("made_at", made_at);
  w.field("samples", samples);
  w.field("alpha", alpha);
  w.field("delta", delta);
  w.field("accept", accept);
  w.field("bound", bound);
  w.field("share", share);
  w.raw_field("probability", probability.json());
  w.end_object();
  return out + "\n";
}

Result<RungCalibration> RungCalibration::parse(std::string_view text) {
  json::Document document;
  AJAR_ASSIGN(const json::Object object, document.parse_object(text));
  if (json::int_or(object, "ajar_calibration") != 1) return fail(Code::kInvalid, "it is no calibration, or one of another version");
  RungCalibration c;
  c.route = json::string_or(object, "route"), c.target = json::string_or(object, "target"), c.source = json::string_or(object, "source");
  c.made_at = json::string_or(object, "made_at");
  c.samples = json::int_or(object, "samples");
  for (const auto& [name, into] : {std::pair{"alpha", &c.alpha}, {"delta", &c.delta}, {"accept", &c.accept}, {"bound", &c.bound}, {"share", &c.share}}) {
    const auto value = json::find(object, name);
    const auto number = value ? json::as_double(*value) : std::nullopt;
    if (!number || !(*number >= 0 && *number <= 1)) return fail(Code::kInvalid, std::string(name) + " must be a number from 0 to 1", name);
    *into = *number;
  }
  const auto knots = json::find(object, "probability");
  if (!knots) return fail(Code::kInvalid, "probability is missing", "probability");
  AJAR_ASSIGN(c.probability, learn::Isotonic::parse(json::raw(*knots)));
  return c;
}

Result<RungCalibration> RungCalibration::read(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(Code::kNotFound, file + ": " + std::strerror(errno));
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  auto parsed = parse(text);
  if (!parsed) return std::unexpected(std::move(parsed).error().in(file));
  return parsed;
}

}  // namespace ajar
