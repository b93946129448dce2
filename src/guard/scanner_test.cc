#include "guard/scanner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"

namespace ajar::guard {
namespace {

const Scanner& scanner() {
  static const Scanner kScanner;
  return kScanner;
}

// "ENTITY[text] ENTITY[text]", in order.
std::string found(std::string_view text, EntitySet only = EntitySet::all()) {
  std::string out;
  for (const Finding& f : scanner().scan(text)) {
    if (!only.has(f.entity)) continue;
    if (!out.empty()) out += ' ';
    out.append(entity_name(f.entity)).append("[").append(text.substr(f.begin, f.end - f.begin)).append("]");
  }
  return out;
}
bool has(std::string_view text, Entity entity) {
  const Findings findings = scanner().scan(text);
  return std::any_of(findings.begin(), findings.end(), [&](const Finding& f) { return f.entity == entity; });
}
// A secret for a test, put together here so that no scanner of repositories takes it for one.
std::string fake(std::string_view prefix, size_t length,
                 std::string_view alphabet = "aB3dE5fG7hJ9kL2mN4pQ6rS8tU1vW0xYzZcCbA") {
  std::string out(prefix);
  for (size_t i = 0; i < length; ++i) out += alphabet[(i * 7 + i / 5) % alphabet.size()];
  return out;
}

TEST(Scanner, FindsWhatPeopleWrite) {
  EXPECT_EQ(found("mail me at jane.doe+x@example.co.uk."), "EMAIL_ADDRESS[jane.doe+x@example.co.uk]");
  EXPECT_EQ(found("card 4111 1111 1111 1111, thanks"), "CREDIT_CARD[4111 1111 1111 1111]");
  EXPECT_EQ(found("amex 3782-822463-10005"), "CREDIT_CARD[3782-822463-10005]");
  EXPECT_EQ(found("iban GB82 WEST 1234 5698 7654 32 please"), "IBAN_CODE[GB82 WEST 1234 5698 7654 32]");
  EXPECT_EQ(found("call +44 20 7946 0958 now"), "PHONE_NUMBER[+44 20 7946 0958]");
  EXPECT_EQ(found("(212) 555-0187 ext. 12"), "PHONE_NUMBER[(212) 555-0187 ext. 12]");
  EXPECT_EQ(found("ssn 536-90-4399"), "US_SSN[536-90-4399]");
  EXPECT_EQ(found("host 10.0.0.12:8080"), "IP_ADDRESS[10.0.0.12]");
  EXPECT_EQ(found("from 2001:db8::8a2e:370:7334 to"), "IP_ADDRESS[2001:db8::8a2e:370:7334]");
  EXPECT_EQ(found("mac 00:1A:2b:3c:4D:5e up"), "MAC_ADDRESS[00:1A:2b:3c:4D:5e]");
  EXPECT_EQ(found("see https://example.com/a?b=4111111111111111 (or www.example.org)"),
            "URL[https://example.com/a?b=4111111111111111] URL[www.example.org]");
  EXPECT_EQ(found("https://example.com/u?mail=jane@example.org&x=1", {Entity::kEmail}),
            "EMAIL_ADDRESS[jane@example.org]");
  EXPECT_EQ(found("https://example.com/@jane.example/x", {Entity::kEmail}), "");
  EXPECT_EQ(found("send to bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
            "CRYPTO[bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4]");
  EXPECT_EQ(found("on 4 July 1999, at 2020-01-31T10:00:00Z, by 31.12.2020"),
            "DATE_TIME[4 July 1999] DATE_TIME[2020-01-31T10:00:00Z] DATE_TIME[31.12.2020]");
}

TEST(Scanner, NationalNumbersNeedTheirChecksumAndOftenTheirWords) {
  EXPECT_TRUE(has("NHS number 943 476 5919", Entity::kUkNhs));
  EXPECT_FALSE(has("NHS number 943 476 5918", Entity::kUkNhs));
  EXPECT_FALSE(has("we sold 9434765919 of them", Entity::kUkNhs));
  EXPECT_TRUE(has("NINO AB123456C", Entity::kUkNino));
  EXPECT_TRUE(has("DNI 12345678Z", Entity::kEsNif));
  EXPECT_TRUE(has("codice fiscale RSSMRA85T10A562S", Entity::kItFiscalCode));
  EXPECT_TRUE(has("PESEL 44051401359", Entity::kPlPesel));
  EXPECT_TRUE(has("Steuer-ID 86095742719", Entity::kDeTaxId));
  EXPECT_TRUE(has("my aadhaar is 2341 2341 2346", Entity::kInAadhaar));
  EXPECT_TRUE(has("PAN ABCPE1234F", Entity::kInPan));
  EXPECT_TRUE(has("NRIC S1234567D", Entity::kSgNric));
  EXPECT_TRUE(has("hetu 131052-308T", Entity::kFiPersonalId));
  EXPECT_TRUE(has("personnummer 811218-9876", Entity::kSePersonnummer));
  EXPECT_TRUE(has("ABN 51 824 753 556", Entity::kAuAbn));
  EXPECT_TRUE(has("TFN 876 543 210", Entity::kAuTfn));
  EXPECT_TRUE(has("medicare card 2123 45670 1", Entity::kAuMedicare));
  EXPECT_TRUE(has("CPF 529.982.247-25", Entity::kBrCpf));
  EXPECT_TRUE(has("RRN 900101-1234568", Entity::kKrRrn));
  EXPECT_TRUE(has("SIN 130 692 544", Entity::kCaSin));
  EXPECT_TRUE(has("routing number 021000021", Entity::kUsAbaRouting));
  EXPECT_TRUE(has("provider NPI 1245319599", Entity::kUsNpi));
  EXPECT_TRUE(has("passport 912803456", Entity::kUsPassport));
  EXPECT_TRUE(has("postcode SW1A 1AA", Entity::kUkPostcode));
}

// presidio#1063: "lic" within "public policy duplicate" made driver licences of numbers.
TEST(Scanner, Presidio1063ContextIsWholeWords) {
  EXPECT_FALSE(has("public policy, duplicate 6940579 applications", Entity::kUsDriverLicense));
  EXPECT_TRUE(has("driver license 6940579", Entity::kUsDriverLicense));
}

// presidio discussion 1634: timestamps that pass Luhn became cards.
TEST(Scanner, Presidio1634TimestampsAreNoCards) {
  for (int64_t ms = 1'700'000'000'000; ms < 1'700'000'000'200; ++ms) {
    EXPECT_EQ(found("event at " + std::to_string(ms) + " done"), "") << ms;
  }
  EXPECT_FALSE(has("order 4539578763621486 shipped", Entity::kCreditCard));  // Luhn and a brand, but an order
  EXPECT_TRUE(has("my card 4539578763621486 was charged", Entity::kCreditCard));
}

TEST(Scanner, ContextCountsOnBothSides) {
  EXPECT_EQ(found("9472 7916 is my phone"), "PHONE_NUMBER[9472 7916]");
  EXPECT_EQ(found("my phone is 9472 7916"), "PHONE_NUMBER[9472 7916]");
  EXPECT_EQ(found("9472 7916 apples"), "");
}

TEST(Scanner, DigitsInsideTokensAreNothing) {
  EXPECT_EQ(found("id 550e8400-e29b-41d4-a716-446655440000"), "");
  EXPECT_EQ(found("sha 4111111111111111deadbeef4111111111111111"), "");
  EXPECT_EQ(found("blob QUJD4111111111111111WFla+9x=="), "");
  EXPECT_EQ(found("commit 3f2a5550187123 build 2125550187"), "");
  EXPECT_EQ(found("version 1.2.3 costs $1,234,567.89, 10 000 000 people"), "");
  EXPECT_EQ(found("x = 0.4111111111111111"), "");
}

TEST(Scanner, Names) {
  const EntitySet names{Entity::kPerson, Entity::kLocation};
  EXPECT_EQ(found("Please write to Mr. Okonkwo and Maria Schmidt's lawyer.", names),
            "PERSON[Okonkwo] PERSON[Maria Schmidt]");
  EXPECT_EQ(found("My name is Xiomara Quelk", names), "PERSON[Xiomara Quelk]");
  EXPECT_EQ(found("She moved from New York to Germany.", names), "LOCATION[New York] LOCATION[Germany]");
  EXPECT_EQ(found("Will you mark the May report? The Can Opener Works.", names), "");
  EXPECT_EQ(found("221 Baker Street", names), "LOCATION[221 Baker Street]");
  EXPECT_EQ(found("Jan van der Berg called", names), "PERSON[Jan van der Berg]");
}

TEST(Scanner, Secrets) {
  const EntitySet only{Entity::kSecret};
  const std::string aws = fake("AKIA", 16, "ABCDEFGHJKMNPQRSTUVWXYZ234567"), github = fake("ghp_", 36),
                    anthropic = fake("sk-ant-api03-", 80);
  for (const std::string& secret :
       {aws, github, anthropic, fake("sk-proj-", 60), fake("AIza", 35), fake("xoxb-", 40), fake("sk_live_", 24),
        fake("glpat-", 20), fake("hf_", 34), fake("npm_", 36), fake("gsk_", 52)}) {
    EXPECT_EQ(found("use " + secret + " here", only), "SECRET[" + secret + "]");
    EXPECT_EQ(found("KEY=\"" + secret + "\";", only), "SECRET[" + secret + "]");
  }
  const std::string jwt =
      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";
  EXPECT_EQ(found("token " + jwt, only), "SECRET[" + jwt + "]");
  const std::string key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n-----END RSA PRIVATE KEY-----";
  EXPECT_EQ(found("a " + key + " b", only), "SECRET[" + key + "]");
  EXPECT_EQ(found("curl -H 'Authorization: Bearer 9f8e7d6c5b4a39281706'", only), "SECRET[9f8e7d6c5b4a39281706]");
  EXPECT_EQ(found("curl -u admin:Tr0ub4dor https://example.com", only), "SECRET[admin:Tr0ub4dor]");
  EXPECT_EQ(found("password: hunter2x", only), "SECRET[hunter2x]");
  EXPECT_EQ(found("my password is Tr0ub4dor&3", only), "SECRET[Tr0ub4dor&3]");
  EXPECT_EQ(found("DB_PASSWORD=s3cr3tpass99", only), "SECRET[s3cr3tpass99]");
  EXPECT_EQ(found("api_key = 'q8Zr2LwX0vTn5KdJ'", only), "SECRET[q8Zr2LwX0vTn5KdJ]");
  EXPECT_EQ(found("postgres://app:p4ssw0rd@db/x", only), "SECRET[p4ssw0rd]");
}

TEST(Scanner, SamplesOfDocumentationAreNoSecrets) {
  const EntitySet only{Entity::kSecret};
  EXPECT_EQ(found("AKIAIOSFODNN7EXAMPLE", only), "");
  EXPECT_EQ(found("api_key = your_api_key_12345", only), "");
  EXPECT_EQ(found("password: ${DB_PASSWORD1}", only), "");
  EXPECT_EQ(found("ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", only), "");
  EXPECT_EQ(found("the token is invalid, the secret is out", only), "");
  EXPECT_EQ(found("max_tokens: 4096, token_count=128", only), "");
}

TEST(Scanner, DecodesOnceAndPointsAtTheEncodedText) {
  const std::string secret = fake("ghp_", 36), inner = "token is " + secret + " ok";
  const std::string text = "run " + base64_encode(inner) + " now";
  EXPECT_EQ(found(text, {Entity::kSecret}), "SECRET[" + base64_encode(inner) + "]");
  std::string hex;
  for (const char c : inner) {
    static constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[c & 15];
  }
  EXPECT_EQ(found("x " + hex + " y", {Entity::kSecret}), "SECRET[" + hex + "]");
  EXPECT_EQ(found("q=jane%2Edoe%40example%2Ecom&z", EntitySet::all()), "EMAIL_ADDRESS[q=jane%2Edoe%40example%2Ecom&z]");
  EXPECT_EQ(found("x " + base64_encode(base64_encode(inner)) + " y"), "");  // once
}

TEST(Scanner, FindingsNeverOverlapAndStayInside) {
  const std::string text =
      "Mr. John Smith, 4111 1111 1111 1111, john@smith.com, 10.0.0.1, +1 212 555 0187, 2020-01-01, password=abc123xyz";
  for (size_t begin = 0; begin < text.size(); ++begin) {
    const auto part = std::string_view(text).substr(begin);
    size_t last = 0;
    for (const Finding& f : scanner().scan(part)) {
      EXPECT_LE(last, f.begin);
      EXPECT_LT(f.begin, f.end);
      EXPECT_LE(f.end, part.size());
      last = f.end;
    }
  }
}

TEST(Scanner, EveryShortTextOfSigns) {
  const std::string signs = ":.-1a@/%";
  for (size_t code = 0; code < 8 * 8 * 8 * 8; ++code) {
    std::string text;
    for (size_t i = 0, rest = code; i < 4; ++i, rest /= 8) text += signs[rest % 8];
    for (const Finding& f : scanner().scan(text)) EXPECT_LE(f.end, text.size()) << text;
  }
}

TEST(Scanner, OnlyWhatIsWanted) {
  const Scanner emails({.entities = {Entity::kEmail}});
  EXPECT_EQ(emails.scan("john@smith.com 4111 1111 1111 1111").size(), 1u);
  EXPECT_TRUE(emails.scan("card 4111 1111 1111 1111").empty());
}

TEST(Scanner, ManyThreadsMayScanAtOnce) {
  const std::string text = "Mr. John Smith paid with card 4111 1111 1111 1111";
  const Findings expected = scanner().scan(text);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) wrong[t] += scanner().scan(text) != expected;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

}  // namespace
}  // namespace ajar::guard
