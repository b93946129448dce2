// Identifiers of persons and companies by country: rows of a table, each with its checksum.
#include <algorithm>
#include <array>

#include "guard/checks.h"
#include "guard/detectors.h"

namespace ajar::guard {
namespace {

// Ids of digits only. `shape`: lengths of the groups as they are usually written. A number whose check digit fits by
// chance is one in ten, so plain digits need words beside them; the usual grouping alone may be enough.
struct NumberId {
  Entity entity;
  std::string_view rule;
  uint8_t digits;
  std::string_view shape;  // "324" = ddd-dd-dddd
  bool (*valid)(std::string_view);
  float plain, shaped;  // scores without context
  uint64_t topics;      // any of them near raises the score
  std::string_view separators = " -";
};

bool any9(std::string_view d) { return d.find_first_not_of(d[0]) != d.npos; }

constexpr NumberId kNumberIds[] = {
    {Entity::kUsSsn, "us_ssn", 9, "324", us_ssn, 0.15f, 0.6f, kSsnTopic},
    {Entity::kUsItin, "us_itin", 9, "324", us_itin, 0.1f, 0.55f, kSsnTopic | kTaxTopic},
    {Entity::kUsAbaRouting, "us_aba", 9, "441", us_aba, 0.2f, 0.4f, kBankTopic},
    {Entity::kUsNpi, "us_npi", 10, "", us_npi, 0.2f, 0, kDoctorTopic},
    {Entity::kUsBankNumber, "us_bank_number", 10, "", any9, 0.15f, 0, kBankTopic},
    {Entity::kUsBankNumber, "us_bank_number", 12, "", any9, 0.15f, 0, kBankTopic},
    {Entity::kUsPassport, "us_passport", 9, "", any9, 0.2f, 0, kPassportTopic},
    {Entity::kUsDriverLicense, "us_driver_license", 7, "", any9, 0.2f, 0, kDriverTopic},
    {Entity::kUsDriverLicense, "us_driver_license", 8, "", any9, 0.2f, 0, kDriverTopic},
    {Entity::kUsDriverLicense, "us_driver_license", 9, "", any9, 0.2f, 0, kDriverTopic},
    {Entity::kUsDriverLicense, "us_driver_license", 10, "424", any9, 0.1f, 0.2f, kDriverTopic},
    {Entity::kUkNhs, "uk_nhs", 10, "334", uk_nhs, 0.25f, 0.4f, kHealthTopic | kUkTopic},
    {Entity::kPlPesel, "pl_pesel", 11, "", pl_pesel, 0.4f, 0, kPolandTopic | kIdTopic},
    {Entity::kDeTaxId, "de_tax_id", 11, "2333", de_tax_id, 0.35f, 0.6f, kGermanyTopic | kTaxTopic},
    {Entity::kNlBsn, "nl_bsn", 9, "", nl_bsn, 0.15f, 0, kDutchTopic},
    {Entity::kSePersonnummer, "se_personnummer", 10, "64", se_personnummer, 0.3f, 0.6f, kSwedenTopic | kIdTopic, "-+"},
    {Entity::kSePersonnummer, "se_personnummer", 12, "84", se_personnummer, 0.3f, 0.7f, kSwedenTopic | kIdTopic, "-+"},
    {Entity::kAuAbn, "au_abn", 11, "2333", au_abn, 0.35f, 0.6f, kCompanyTopic},
    {Entity::kAuAcn, "au_acn", 9, "333", au_acn, 0.15f, 0.3f, kCompanyTopic},
    {Entity::kAuTfn, "au_tfn", 9, "333", au_tfn, 0.15f, 0.3f, kTaxTopic | kAustraliaTopic},
    {Entity::kAuMedicare, "au_medicare", 10, "451", au_medicare, 0.2f, 0.6f, kHealthTopic | kAustraliaTopic},
    {Entity::kInAadhaar, "in_aadhaar", 12, "444", in_aadhaar, 0.35f, 0.6f, kIndiaTopic},
    {Entity::kKrRrn, "kr_rrn", 13, "67", kr_rrn, 0.4f, 0.75f, kKoreaTopic | kIdTopic, "-"},
    {Entity::kCaSin, "ca_sin", 9, "333", ca_sin, 0.15f, 0.4f, kCanadaTopic},
    {Entity::kBrCpf, "br_cpf", 11, "3332", br_cpf, 0.4f, 0.8f, kBrazilTopic, ".-"},
    {Entity::kTrIdNumber, "tr_id", 11, "", tr_id, 0.4f, 0, kTurkeyTopic | kIdTopic},
    {Entity::kThIdNumber, "th_id", 13, "14521", th_id, 0.3f, 0.75f, kThaiTopic | kIdTopic},
    {Entity::kZaIdNumber, "za_id", 13, "", za_id, 0.45f, 0, kSouthAfricaTopic | kIdTopic},
    {Entity::kFrNir, "fr_nir", 15, "1222332", fr_nir, 0.5f, 0.8f, kFranceTopic | kSsnTopic},
};

// Ids of letters and digits, in one word.
struct WordId {
  Entity entity;
  std::string_view rule;
  uint8_t shortest, longest;
  bool (*valid)(std::string_view);
  float score;
  uint64_t topics;
};

// One letter and digits, or letters of some states; says nothing without words beside it.
bool us_licence_shape(std::string_view t) {
  const auto digits = static_cast<size_t>(std::count_if(t.begin(), t.end(), is_digit));
  return digits >= 5 && is_upper(t[0]) && t.size() - digits <= 4;
}
bool letter_and_eight(std::string_view t) { return is_upper(t[0]) && std::all_of(t.begin() + 1, t.end(), is_digit); }
bool uk_driving_licence(std::string_view t) {  // DVLA: five of the surname, date, initials, check
  for (size_t i = 0; i < 5; ++i) {
    if (!is_upper(t[i]) && t[i] != '9') return false;
  }
  if (!std::all_of(t.begin() + 5, t.begin() + 11, is_digit) || !is_upper(t[0])) return false;
  const int month = (t[6] - '0') % 5 * 10 + t[7] - '0', day = (t[8] - '0') * 10 + t[9] - '0';
  return plausible_day(0, month, day) && (is_upper(t[11]) || t[11] == '9') && (is_upper(t[12]) || t[12] == '9') &&
         is_digit(t[13]) && is_letter(t[14]) && is_letter(t[15]);
}
bool uk_passport(std::string_view t) {
  return is_upper(t[0]) && is_upper(t[1]) && std::all_of(t.begin() + 2, t.end(), is_digit);
}

constexpr WordId kWordIds[] = {
    {Entity::kIban, "iban_mod97", 15, 34, iban, 0.95f, kBankTopic},
    {Entity::kUkNino, "uk_nino", 9, 9, uk_nino, 0.6f, kUkTopic | kIdTopic},
    {Entity::kEsNif, "es_nif", 9, 9, es_nif, 0.65f, kIdTopic},
    {Entity::kEsNie, "es_nie", 9, 9, es_nie, 0.7f, kIdTopic},
    {Entity::kItFiscalCode, "it_fiscal_code", 16, 16, it_fiscal_code, 0.95f, kTaxTopic},
    {Entity::kDeIdCard, "de_id_card", 10, 10, de_id_card, 0.3f, kGermanyTopic | kIdTopic | kPassportTopic},
    {Entity::kFrNir, "fr_nir", 15, 15, fr_nir, 0.5f, kFranceTopic | kSsnTopic},
    {Entity::kInPan, "in_pan", 10, 10, in_pan, 0.6f, kIndiaTopic | kTaxTopic},
    {Entity::kSgNric, "sg_nric", 9, 9, sg_nric, 0.75f, kIdTopic},
    {Entity::kUsMbi, "us_mbi", 11, 11, us_mbi, 0.55f, kHealthTopic},
    {Entity::kMedicalLicense, "us_dea", 9, 9, us_dea, 0.4f, kDoctorTopic},
    {Entity::kUkDrivingLicence, "uk_driving_licence", 16, 16, uk_driving_licence, 0.7f, kDriverTopic},
    {Entity::kUkPassport, "uk_passport", 9, 9, uk_passport, 0.15f, kPassportTopic},
    {Entity::kUsPassport, "us_passport", 9, 9, letter_and_eight, 0.2f, kPassportTopic},
    {Entity::kUsDriverLicense, "us_driver_license", 7, 15, us_licence_shape, 0.2f, kDriverTopic},
};

bool uk_postcode(std::string_view out, std::string_view in) {
  if (in.size() != 3 || !is_digit(in[0]) || !is_upper(in[1]) || !is_upper(in[2])) return false;
  if (out.size() < 2 || out.size() > 4 || !is_upper(out[0])) return false;
  size_t i = is_upper(out[1]) ? 2 : 1;
  if (i >= out.size() || !is_digit(out[i])) return false;
  return ++i == out.size() || (i + 1 == out.size() && is_alnum(out[i]));
}

float with_context(float score, const Surroundings& around, uint64_t topics) {
  if (around.has(topics)) return score + kContextBoost;
  return around.has(kNotTopic) ? score - 0.3f : score;
}

// An IBAN in groups of four: "GB82 WEST 1234 5698 7654 32".
void find_spaced_iban(Scan& scan, size_t begin, size_t end) {
  if (end - begin != 4 || !is_letter(scan.text[begin]) || !is_letter(scan.text[begin + 1]) ||
      !is_digit(scan.text[begin + 2]))
    return;
  std::array<char, 36> text;
  size_t n = 0;
  for (size_t at = begin; n <= 34;) {
    size_t stop = at;
    while (stop < scan.text.size() && is_alnum(scan.text[stop]) && stop - at <= 4) ++stop;
    if (stop - at > 4 || n + (stop - at) > 34 || stop == at) return;
    for (size_t i = at; i < stop; ++i)
      text[n++] = is_lower(scan.text[i]) ? static_cast<char>(scan.text[i] - 32) : scan.text[i];
    if (iban({text.data(), n})) return scan.add(begin, stop, Entity::kIban, 0.95f, "iban_mod97");
    if (stop - at < 4 || stop + 1 >= scan.text.size() || (scan.text[stop] != ' ' && scan.text[stop] != '-')) return;
    at = stop + 1;
  }
}

// Finnish ids have a sign within: "131052-308T".
void find_finnish_id(Scan& scan, size_t begin, size_t end) {
  if (end - begin != 4 || begin < 7 || (scan.text[begin - 1] != '-' && scan.text[begin - 1] != '+')) return;
  const size_t first = begin - 7;
  if (first > 0 && is_word(scan.text[first - 1])) return;
  const auto around = surroundings(scan.text, first, end);
  if (fi_personal_id(scan.text.substr(first, 11))) {
    scan.add(first, end, Entity::kFiPersonalId, with_context(0.75f, around, kIdTopic), "fi_personal_id");
  }
}

}  // namespace

void find_word_ids(Scan& scan, size_t begin, size_t end) {
  if (begin > 0 && (is_word(scan.text[begin - 1]) || scan.text[begin - 1] == '.')) return;
  const size_t n = end - begin;
  find_spaced_iban(scan, begin, end);
  find_finnish_id(scan, begin, end);
  if (n == 3 && begin > 2 && scan.text[begin - 1] == ' ') {
    size_t first = begin - 1;
    while (first > 0 && is_alnum(scan.text[first - 1])) --first;
    if (uk_postcode(scan.text.substr(first, begin - 1 - first), scan.text.substr(begin, 3))) {
      scan.add(first, end, Entity::kUkPostcode, 0.6f, "uk_postcode");
    }
  }
  if (n < 7 || n > 34) return;
  std::array<char, 34> upper;
  bool lower = false;
  for (size_t i = 0; i < n; ++i) {
    const char c = scan.text[begin + i];
    lower |= is_lower(c);
    upper[i] = is_lower(c) ? static_cast<char>(c - 32) : c;
  }
  const std::string_view word(upper.data(), n);
  if (fi_personal_id(word)) scan.add(begin, end, Entity::kFiPersonalId, 0.75f, "fi_personal_id");
  for (const WordId& id : kWordIds) {
    if (n < id.shortest || n > id.longest || !scan.wanted.has(id.entity) || !id.valid(word)) continue;
    float score = with_context(id.score, surroundings(scan.text, begin, end), id.topics);
    if (lower && id.entity != Entity::kIban) score -= 0.15f;
    scan.add(begin, end, id.entity, score, id.rule);
  }
}

void find_national_numbers(Scan& scan, const NumberRun& run) {
  if (run.plus) return;
  for (size_t i = 0; i < run.count; ++i) {
    std::array<char, 20> digits;
    std::array<char, 8> shape;
    size_t n = 0;
    for (size_t j = i; j < run.count && j - i < shape.size() && n + run.groups[j].length <= 15; ++j) {
      const auto& group = run.groups[j];
      if (group.length > 9 && j > i) break;
      n = static_cast<size_t>(std::copy_n(scan.text.data() + group.begin, group.length, digits.data() + n) -
                              digits.data());
      shape[j - i] = static_cast<char>('0' + std::min<size_t>(group.length, 9));
      if (n < 7) continue;
      const std::string_view number(digits.data(), n), form(shape.data(), j - i + 1);
      for (const NumberId& id : kNumberIds) {
        if (id.digits != n || !scan.wanted.has(id.entity)) continue;
        const bool plain = j == i, shaped = !plain && form == id.shape;
        if (!plain && !shaped) continue;
        bool separated = true;
        for (size_t k = i + 1; k <= j; ++k) {
          separated &= id.separators.find(run.groups[k].separator) != id.separators.npos &&
                       (id.separators.size() == 2 && id.separators[0] == '.'
                            ? true
                            : run.groups[k].separator == run.groups[i + 1].separator);
        }
        if (!separated || !id.valid(number)) continue;
        // A part of a longer row of groups is rarely an id.
        float score = plain ? id.plain : id.shaped;
        if (i > 0 || j + 1 < run.count) score -= 0.15f;
        scan.add(run.groups[i].begin, run.end(j), id.entity,
                 with_context(score, surroundings(scan.text, run.groups[i].begin, run.end(j)), id.topics), id.rule);
      }
    }
  }
}

}  // namespace ajar::guard
