#include "guard/checks.h"

#include <gtest/gtest.h>

#include <string>

namespace ajar::guard {
namespace {

// Samples are those that issuers publish for tests, or were made by the rule and mean nobody.
TEST(Checks, KnownNumbersPassAndNeighboursFail) {
  struct Case {
    bool (*check)(std::string_view);
    const char* good;
    const char* bad;
  };
  const Case cases[] = {
      {luhn, "4111111111111111", "4111111111111112"},
      {luhn, "378282246310005", "378282246310006"},
      {verhoeff, "2363", "2364"},
      {iban, "GB82WEST12345698765432", "GB82WEST12345698765433"},
      {iban, "DE89370400440532013000", "DE8937040044053201300"},
      {iban, "FR1420041010050500013M02606", "XX1420041010050500013M02606"},
      {us_ssn, "536904399", "666904399"},
      {us_ssn, "123456788", "900456788"},
      {us_itin, "900700000", "900660000"},
      {us_aba, "021000021", "021000022"},
      {us_npi, "1245319599", "1245319598"},
      {us_mbi, "1EG4TE5MK73", "1EG4TE5MK7S"},
      {us_dea, "AB1234563", "AB1234564"},
      {uk_nhs, "9434765919", "9434765918"},
      {uk_nino, "AB123456C", "BG123456C"},
      {es_nif, "12345678Z", "12345678A"},
      {es_nie, "X1234567L", "X1234567M"},
      {it_fiscal_code, "RSSMRA85T10A562S", "RSSMRA85T10A562T"},
      {pl_pesel, "44051401359", "44051401358"},
      {de_tax_id, "86095742719", "86095742718"},
      {fr_nir, "255081416802538", "255081416802539"},
      {nl_bsn, "111222333", "111222334"},
      {fi_personal_id, "131052-308T", "131052-308U"},
      {se_personnummer, "8112189876", "8112189875"},
      {au_abn, "51824753556", "51824753557"},
      {au_acn, "004085616", "004085617"},
      {au_tfn, "876543210", "876543211"},
      {au_medicare, "2123456701", "2123456711"},
      {in_pan, "ABCPE1234F", "ABCDE1234F"},
      {sg_nric, "S1234567D", "S1234567E"},
      {ca_sin, "130692544", "130692545"},
      {br_cpf, "52998224725", "52998224724"},
      {tr_id, "10000000146", "10000000147"},
      {th_id, "1101700230708", "1101700230709"},
      {za_id, "8001015009087", "8001015009086"},
      {kr_rrn, "9001011234568", "9001011234569"},
      {base58check, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"},
      {bech32, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"},
      {eth_address, "0x52908400098527886E0F7030069857D2E4169EE7", "0x0000000000000000000000000000000000000000"},
      {de_id_card, "T220001293", "T220001294"},
      {in_aadhaar, "234123412346", "234123412347"},
  };
  for (const Case& c : cases) {
    EXPECT_TRUE(c.check(c.good)) << c.good;
    EXPECT_FALSE(c.check(c.bad)) << c.bad;
  }
}

TEST(Checks, CardsNeedTheirBrandsLength) {
  EXPECT_TRUE(card_brand("4111111111111111"));
  EXPECT_TRUE(card_brand("378282246310005"));
  EXPECT_TRUE(card_brand("2223003122003222"));
  EXPECT_FALSE(card_brand("411111111111111"));  // Visa of 15
  EXPECT_FALSE(card_brand("1700000000000"));    // milliseconds since 1970
  EXPECT_FALSE(card_brand("5211111111111111111"));
}

}  // namespace
}  // namespace ajar::guard
