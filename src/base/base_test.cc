#include <gtest/gtest.h>

#include <set>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "base/text.h"

namespace ajar {
namespace {

TEST(Clock, BudgetWindowsAreUtc) {
  EXPECT_EQ(utc_day(0), 0);
  EXPECT_EQ(utc_day(86'400'000 - 1), 0);
  EXPECT_EQ(utc_day(86'400'000), 1);
  EXPECT_EQ(utc_month(0), 1970 * 12);
  EXPECT_EQ(utc_month(1'709'164'800'000), 2024 * 12 + 1);  // 2024-02-29
  EXPECT_EQ(utc_month(1'709'251'200'000), 2024 * 12 + 2);  // 2024-03-01
}

TEST(Text, Utf8FollowsTheUnicodeTable) {
  EXPECT_TRUE(valid_utf8("h\xC3\xA9llo \xE2\x82\xAC \xF0\x9F\x98\x80"));
  EXPECT_FALSE(valid_utf8("\xC0\x80"));          // overlong
  EXPECT_FALSE(valid_utf8("\xED\xA0\x80"));      // surrogate
  EXPECT_FALSE(valid_utf8("\xF4\x90\x80\x80"));  // above U+10FFFF
  EXPECT_FALSE(valid_utf8("\xE2\x82"));          // cut
}

TEST(Text, Base64RoundTripsEveryLength) {
  std::string bytes;
  for (int i = 0; i < 70; ++i) {
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    bytes.push_back(char(i * 37));
  }
  EXPECT_EQ(base64_encode("Man"), "TWFu");
  EXPECT_EQ(base64_decode("-_8"), "\xFB\xFF");
  EXPECT_FALSE(base64_decode("a*b="));
  EXPECT_FALSE(base64_decode("A"));
}

TEST(Text, UnitsAreRead) {
  EXPECT_EQ(parse_bytes("32MiB"), 32 << 20);
  EXPECT_EQ(parse_bytes("1.5 kb"), 1500);
  EXPECT_FALSE(parse_bytes("12 parsecs"));
  EXPECT_FALSE(parse_bytes("-1"));
  EXPECT_EQ(parse_duration_ms("250ms"), 250);
  EXPECT_EQ(parse_duration_ms("1.5s"), 1500);
  EXPECT_FALSE(parse_duration_ms("10"));
}

TEST(Text, PercentRoundTrips) {
  EXPECT_EQ(percent_encode("a b/é"), "a%20b%2F%C3%A9");
  EXPECT_EQ(percent_decode("a%20b%2F%C3%A9"), "a b/é");
  EXPECT_FALSE(percent_decode("%2"));
  EXPECT_FALSE(percent_decode("%zz"));
}

TEST(Random, IdsDoNotRepeat) {
  std::set<std::string> ids;
  for (int i = 0; i < 10000; ++i) ids.insert(new_id("x-"));
  EXPECT_EQ(ids.size(), 10000u);
  EXPECT_EQ(ids.begin()->size(), 26u);
  EXPECT_EQ(secure_base62(40).size(), 40u);
}

TEST(Random, Sha256KnownAnswer) {  // FIPS 180-2, appendix B.1
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace ajar
