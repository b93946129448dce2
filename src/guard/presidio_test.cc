// Detection measured on presidio-research's synthetic sentences.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "guard/scanner.h"
#include "guard/test_data.h"

namespace ajar::guard {
namespace {

struct Counts {
  int hits = 0, false_alarms = 0, found = 0, missed = 0;
  double precision() const { return hits + false_alarms > 0 ? double(hits) / (hits + false_alarms) : 0; }
  double recall() const { return found + missed > 0 ? double(found) / (found + missed) : 0; }
  double f1() const { return precision() + recall() > 0 ? 2 * precision() * recall() / (precision() + recall()) : 0; }
};

TEST(Presidio, StructuredEntitiesAreFoundAndNamed) {
  const auto samples = presidio_samples(std::getenv("AJAR_SHARED"));
  if (samples.empty()) GTEST_SKIP() << "presidio-research's data are not at hand (AJAR_SHARED)";
  static const std::map<std::string, std::string> kOurs = {
      {"GPE", "LOCATION"}, {"STREET_ADDRESS", "LOCATION"}, {"DOMAIN_NAME", "URL"}};
  const Scanner scanner;
  std::map<std::string, Counts> counts;
  for (const Sample& sample : samples) {
    std::vector<Span> gold = sample.spans;
    for (Span& span : gold) {
      if (const auto ours = kOurs.find(span.entity); ours != kOurs.end()) span.entity = ours->second;
    }
    const Findings findings = scanner.scan(sample.text);
    // Structured entities must fit exactly; names and places must touch.
    const auto fits = [](const Span& span, const Finding& f) {
      if (span.entity != entity_name(f.entity)) return false;
      const bool loose = f.entity == Entity::kPerson || f.entity == Entity::kLocation || f.entity == Entity::kNrp;
      return loose ? f.begin < span.end && span.begin < f.end : f.begin == span.begin && f.end == span.end;
    };
    for (const Finding& f : findings) {
      const bool hit = std::any_of(gold.begin(), gold.end(), [&](const Span& span) { return fits(span, f); });
      ++(hit ? counts[std::string(entity_name(f.entity))].hits
             : counts[std::string(entity_name(f.entity))].false_alarms);
    }
    for (const Span& span : gold) {
      const bool found = std::any_of(findings.begin(), findings.end(), [&](const Finding& f) { return fits(span, f); });
      ++(found ? counts[span.entity].found : counts[span.entity].missed);
    }
  }
  std::printf("%-20s %6s %6s %6s  precision recall F1\n", "entity", "hits", "false", "missed");
  for (const auto& [entity, c] : counts) {
    std::printf("%-20s %6d %6d %6d  %.3f     %.3f  %.3f\n", entity.c_str(), c.hits, c.false_alarms, c.missed,
                c.precision(), c.recall(), c.f1());
  }
  for (const char* entity : {"CREDIT_CARD", "EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS", "PHONE_NUMBER", "URL", "US_SSN",
                             "US_DRIVER_LICENSE", "DATE_TIME"}) {
    EXPECT_GE(counts[entity].f1(), 0.95) << entity;
  }
  // Lists and capitals find this much; a fall is a fault.
  EXPECT_GE(counts["PERSON"].f1(), 0.75);
  EXPECT_GE(counts["LOCATION"].precision(), 0.95);
}

}  // namespace
}  // namespace ajar::guard
