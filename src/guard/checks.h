#pragma once
// Checksums of identifiers. Every function takes digits (or letters and digits, upper case) without separators and says
// whether the number could have been issued. Sources stand at each.

#include <string_view>

namespace ajar::guard {

bool luhn(std::string_view digits);              // ISO/IEC 7812-1
bool verhoeff(std::string_view digits);          // Verhoeff (1969); Aadhaar
bool iso7064_mod11_10(std::string_view digits);  // ISO/IEC 7064
// IIN range, length of the brand (ISO/IEC 7812; the brands' own ranges). Does not look at the check digit.
bool card_brand(std::string_view digits);
bool iban(std::string_view text);               // ISO 13616: country, its length, mod 97
bool us_ssn(std::string_view digits);           // SSA's rules since 2011: area, group, serial
bool us_itin(std::string_view digits);          // IRS
bool us_aba(std::string_view digits);           // weights 3 7 1, Federal Reserve's ranges
bool us_npi(std::string_view digits);           // CMS: Luhn of 80840 + number
bool us_mbi(std::string_view text);             // CMS: 11 characters by position
bool us_dea(std::string_view text);             // two letters, seven digits with a check digit
bool uk_nhs(std::string_view digits);           // mod 11
bool uk_nino(std::string_view text);            // HMRC's prefixes
bool es_nif(std::string_view text);             // 8 digits, letter by mod 23
bool es_nie(std::string_view text);             // X Y Z + 7 digits + letter
bool it_fiscal_code(std::string_view text);     // 16 characters, DM 23/12/1976
bool pl_pesel(std::string_view digits);         // weights 1 3 7 9, a date
bool de_tax_id(std::string_view digits);        // ISO 7064 mod 11,10; exactly one repeated digit
bool de_id_card(std::string_view text);         // weights 7 3 1 (ICAO 9303), 10 characters
bool fr_nir(std::string_view text);             // 13 digits + key of 97
bool nl_bsn(std::string_view digits);           // eleven-test
bool fi_personal_id(std::string_view text);     // DDMMYYCZZZQ, mod 31
bool se_personnummer(std::string_view digits);  // 10 digits, Luhn, a date
bool au_abn(std::string_view digits);           // mod 89
bool au_acn(std::string_view digits);           // mod 10
bool au_tfn(std::string_view digits);           // mod 11
bool au_medicare(std::string_view digits);      // 10 digits, first 2-6
bool in_aadhaar(std::string_view digits);       // 12 digits, first 2-9, Verhoeff
bool in_pan(std::string_view text);             // AAAPA9999A: fourth letter is the holder's kind
bool sg_nric(std::string_view text);            // letter, 7 digits, letter
bool kr_rrn(std::string_view digits);           // 13 digits, a date, mod 11 (numbers before October 2020)
bool ca_sin(std::string_view digits);           // Luhn, first digit not 0 or 8
bool br_cpf(std::string_view digits);           // two digits of mod 11
bool tr_id(std::string_view digits);            // 11 digits
bool th_id(std::string_view digits);            // 13 digits, mod 11
bool za_id(std::string_view digits);            // 13 digits, a date, Luhn
bool base58check(std::string_view text);        // Bitcoin: double SHA-256
bool bech32(std::string_view text);             // BIP 173 / 350
bool eth_address(std::string_view text);        // 0x + 40 hex digits

bool plausible_day(int year, int month, int day);  // year 0: any

}  // namespace ajar::guard
