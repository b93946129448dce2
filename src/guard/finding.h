#pragma once
// What a detector found in a text: where, what, how sure, by which rule. Findings never hold the matched text itself.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ajar::guard {

// Names as Presidio's where it has the entity, so that policies can be carried over. kSecret covers all credentials;
// the rule says which.
enum class Entity : uint8_t {
  kPerson,
  kLocation,
  kNrp,
  kEmail,
  kPhone,
  kCreditCard,
  kIban,
  kIpAddress,
  kMacAddress,
  kUrl,
  kCrypto,
  kDateTime,
  kUsSsn,
  kUsItin,
  kUsAbaRouting,
  kUsNpi,
  kUsMbi,
  kUsPassport,
  kUsDriverLicense,
  kUsBankNumber,
  kMedicalLicense,
  kUkNhs,
  kUkNino,
  kUkPostcode,
  kUkPassport,
  kUkDrivingLicence,
  kEsNif,
  kEsNie,
  kItFiscalCode,
  kPlPesel,
  kDeTaxId,
  kDeIdCard,
  kFrNir,
  kNlBsn,
  kFiPersonalId,
  kSePersonnummer,
  kAuAbn,
  kAuAcn,
  kAuTfn,
  kAuMedicare,
  kInAadhaar,
  kInPan,
  kSgNric,
  kKrRrn,
  kCaSin,
  kBrCpf,
  kTrIdNumber,
  kThIdNumber,
  kZaIdNumber,
  kSecret,
};
inline constexpr size_t kEntities = static_cast<size_t>(Entity::kSecret) + 1;

std::string_view entity_name(Entity entity);                  // "CREDIT_CARD"
std::optional<Entity> entity_of_name(std::string_view name);  // exact

// A set of entities.
class EntitySet {
 public:
  constexpr EntitySet() = default;
  constexpr EntitySet(std::initializer_list<Entity> entities) {
    for (const Entity entity : entities) add(entity);
  }
  static constexpr EntitySet all() {
    EntitySet set;
    set.bits_ = (uint64_t{1} << kEntities) - 1;
    return set;
  }
  // What is masked by default: whatever points to one person or opens a door. Dates, nationalities, web addresses and
  // postcodes are left, since answers need them and they name nobody.
  static constexpr EntitySet identifying() {
    EntitySet set = all();
    for (const Entity entity : {Entity::kDateTime, Entity::kNrp, Entity::kUrl, Entity::kUkPostcode}) set.remove(entity);
    return set;
  }
  constexpr void add(Entity entity) { bits_ |= bit(entity); }
  constexpr void remove(Entity entity) { bits_ &= ~bit(entity); }
  constexpr bool has(Entity entity) const { return (bits_ & bit(entity)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  bool operator==(const EntitySet&) const = default;

 private:
  static constexpr uint64_t bit(Entity entity) { return uint64_t{1} << static_cast<unsigned>(entity); }
  uint64_t bits_ = 0;
};
static_assert(kEntities <= 63);

struct Finding {
  size_t begin = 0, end = 0;  // bytes of the original text, also where the match was in what it decodes to
  Entity entity = Entity::kPerson;
  float score = 0;        // 0 … 1, of its kind: what is checked by a checksum and named by its context is near 1
  std::string_view rule;  // static text: "card_luhn", "github_token"; "base64", "hex", "percent" where it was encoded
  bool operator==(const Finding&) const = default;
};
using Findings = std::vector<Finding>;

// Keeps the best of those that overlap (higher score, then longer, then earlier) and sorts by begin.
void keep_best(Findings& findings);

}  // namespace ajar::guard
