#include "guard/finding.h"

#include <algorithm>
#include <array>

namespace ajar::guard {
namespace {

constexpr std::array<std::string_view, kEntities> kNames = {"PERSON",
                                                            "LOCATION",
                                                            "NRP",
                                                            "EMAIL_ADDRESS",
                                                            "PHONE_NUMBER",
                                                            "CREDIT_CARD",
                                                            "IBAN_CODE",
                                                            "IP_ADDRESS",
                                                            "MAC_ADDRESS",
                                                            "URL",
                                                            "CRYPTO",
                                                            "DATE_TIME",
                                                            "US_SSN",
                                                            "US_ITIN",
                                                            "ABA_ROUTING_NUMBER",
                                                            "US_NPI",
                                                            "US_MBI",
                                                            "US_PASSPORT",
                                                            "US_DRIVER_LICENSE",
                                                            "US_BANK_NUMBER",
                                                            "MEDICAL_LICENSE",
                                                            "UK_NHS",
                                                            "UK_NINO",
                                                            "UK_POSTCODE",
                                                            "UK_PASSPORT",
                                                            "UK_DRIVING_LICENCE",
                                                            "ES_NIF",
                                                            "ES_NIE",
                                                            "IT_FISCAL_CODE",
                                                            "PL_PESEL",
                                                            "DE_TAX_ID",
                                                            "DE_ID_CARD",
                                                            "FR_NIR",
                                                            "NL_BSN",
                                                            "FI_PERSONAL_IDENTITY_CODE",
                                                            "SE_PERSONNUMMER",
                                                            "AU_ABN",
                                                            "AU_ACN",
                                                            "AU_TFN",
                                                            "AU_MEDICARE",
                                                            "IN_AADHAAR",
                                                            "IN_PAN",
                                                            "SG_NRIC_FIN",
                                                            "KR_RRN",
                                                            "CA_SIN",
                                                            "BR_CPF",
                                                            "TR_NATIONAL_ID",
                                                            "TH_TNIN",
                                                            "ZA_ID_NUMBER",
                                                            "SECRET"};

}  // namespace

std::string_view entity_name(Entity entity) { return kNames[static_cast<size_t>(entity)]; }

std::optional<Entity> entity_of_name(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Entity>(found - kNames.begin());
}

namespace {

bool better(const Finding& a, const Finding& b) {
  if (a.score != b.score) return a.score > b.score;
  if (a.end - a.begin != b.end - b.begin) return a.end - a.begin > b.end - b.begin;
  if (a.begin != b.begin) return a.begin < b.begin;
  return a.entity < b.entity;
}

// Of candidates that hang together: the best, then whatever does not touch what was taken.
void keep_best_of_cluster(const Finding* first, const Finding* last, Findings& kept) {
  if (last - first == 1) return kept.push_back(*first);
  std::vector<Finding> order(first, last);
  std::sort(order.begin(), order.end(), better);
  const size_t base = kept.size();
  for (const Finding& finding : order) {
    const bool free = std::none_of(kept.begin() + static_cast<ptrdiff_t>(base), kept.end(), [&](const Finding& other) {
      return other.begin < finding.end && finding.begin < other.end;
    });
    if (free) kept.push_back(finding);
  }
  std::sort(kept.begin() + static_cast<ptrdiff_t>(base), kept.end(),
            [](const Finding& a, const Finding& b) { return a.begin < b.begin; });
}

}  // namespace

void keep_best(Findings& findings) {
  if (findings.size() < 2) return;
  std::sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) { return a.begin < b.begin; });
  Findings kept;
  kept.reserve(findings.size());
  for (size_t first = 0; first < findings.size();) {
    size_t last = first + 1, end = findings[first].end;
    while (last < findings.size() && findings[last].begin < end) end = std::max(end, findings[last++].end);
    keep_best_of_cluster(findings.data() + first, findings.data() + last, kept);
    first = last;
  }
  findings = std::move(kept);
}

}  // namespace ajar::guard
