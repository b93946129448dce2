#include "guard/context.h"

#include <algorithm>

#include "guard/masks.h"
#include "guard/word_table.h"

namespace ajar::guard {
namespace {

// Own list.
const WordTable& table() {
  static const WordTable* const kTable = [] {
    auto* t = new WordTable;
    t->add_all(
        "phone phones telephone tel mobile mobil cell cellphone fax call calling called dial whatsapp sms text texting "
        "reach "
        "ring hotline landline answering voicemail messages message office desk contact telefon handy numéro téléphone "
        "teléfono telefono puhelin phonenumber registered extension ext",
        kPhoneTopic);
    t->add_all(
        "card cards cc credit debit visa mastercard amex discover maestro creditcard cvv cvc pan diners jcb "
        "kreditkarte tarjeta",
        kCardTopic);
    t->add_all(
        "iban bank account accounts acct routing aba rtn swift bic wire transfer checking savings konto sort deposit",
        kBankTopic);
    t->add_all("ssn ssns social itin sosec socialsecurity", kSsnTopic);
    t->add_all("driver drivers driver's driving license licence dl dln licenses licences", kDriverTopic);
    t->add_all("passport passports passeport pasaporte reisepass passaporto", kPassportTopic);
    t->add_all("born birth birthday dob date since until founded", kDateTopic);
    t->add_all("ip ipv4 ipv6 address host server mac dns gateway subnet ping", kNetworkTopic);
    t->add_all("tax taxpayer tin steuer itin vat fiscal codice nif tfn abn acn business company irs", kTaxTopic);
    t->add_all("nhs health medicare patient medical insurance mrn mbi beneficiary hospital", kHealthTopic);
    t->add_all(
        "id identity identification identifier national personal number citizen identity document dni nif nie ident "
        "personnummer henkilötunnus hetu nric fin rrn",
        kIdTopic);
    t->add_all("npi provider physician doctor dea prescriber md", kDoctorTopic);
    t->add_all("bitcoin btc ethereum eth wallet crypto litecoin coin", kCryptoTopic);
    t->add_all("abn acn company business", kCompanyTopic);
    t->add_all("uk nhs british nino ni insurance gb", kUkTopic);
    t->add_all("abn acn tfn medicare australia australian ato", kAustraliaTopic);
    t->add_all("aadhaar aadhar uidai uid-number pan india indian", kIndiaTopic);
    t->add_all("pesel polish poland", kPolandTopic);
    t->add_all(
        "steuer-id steueridentifikationsnummer steuerid idnr steuernummer identifikationsnummer steuer personalausweis "
        "ausweis german deutsche",
        kGermanyTopic);
    t->add_all("bsn burgerservicenummer sofinummer sofi", kDutchTopic);
    t->add_all("sin canada canadian sin-number", kCanadaTopic);
    t->add_all("cpf brazil brazilian contribuinte", kBrazilTopic);
    t->add_all("tc kimlik tckn turkish", kTurkeyTopic);
    t->add_all("thai thailand tnin", kThaiTopic);
    t->add_all("rsa african", kSouthAfricaTopic);
    t->add_all("personnummer swedish samordningsnummer sweden", kSwedenTopic);
    t->add_all("rrn korea korean resident", kKoreaTopic);
    t->add_all("nir insee sécurité sociale sécu", kFranceTopic);
    t->add_all("zip zipcode postcode postal postleitzahl plz", kPostTopic);
    t->add_all(
        "uid uuid guid hash sha md5 commit order timestamp ts version build revision epoch sku isbn tracking invoice "
        "ticket "
        "serial checksum offset bytes pid port line row index seed nonce id_hash trace span ean upc gtin doi issue "
        "pull "
        "request_id trace_id span_id order_id",
        kNotTopic);
    return t;
  }();
  return *kTable;
}

bool in_word(char c) { return is_word(c) || c == '\''; }

}  // namespace

uint64_t topics_of(std::string_view word) { return table().of(word); }

Surroundings surroundings(std::string_view text, size_t begin, size_t end, int words) {
  Surroundings found;
  const size_t low = begin > kContextBytes ? begin - kContextBytes : 0;
  size_t at = begin;
  for (int n = 0; n < words && at > low;) {
    while (at > low && !in_word(text[at - 1])) --at;
    const size_t stop = at;
    while (at > low && in_word(text[at - 1])) --at;
    if (at == low && low > 0) break;  // perhaps the rest of a longer word
    if (stop > at) found.before |= topics_of(text.substr(at, stop - at)), ++n;
  }
  const size_t high = std::min(text.size(), end + kContextBytes);
  at = end;
  for (int n = 0; n < words && at < high;) {
    while (at < high && !in_word(text[at])) ++at;
    const size_t start = at;
    while (at < high && in_word(text[at])) ++at;
    if (at == high && high < text.size()) break;
    if (at > start) found.after |= topics_of(text.substr(start, at - start)), ++n;
  }
  return found;
}

}  // namespace ajar::guard
