#include <gtest/gtest.h>

#include "json/members.h"
#include "json/read.h"
#include "json/write.h"

namespace ajar::json {
namespace {

std::string round_trip(std::string_view text) {
  Document document;
  const auto value = document.parse(text);
  return value ? raw(*value) : "error: " + value.error().message;
}

TEST(Json, RoundTripsValues) {
  EXPECT_EQ(round_trip(R"({"a":[1,-2,3.5,1e3,true,false,null,"x\"\n\u0001é"],"b":{}})"),
            R"({"a":[1,-2,3.5,1000,true,false,null,"x\"\n\u0001é"],"b":{}})");
  EXPECT_EQ(round_trip("18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(round_trip("0.1"), "0.1");
  EXPECT_EQ(round_trip("-0e0"), "-0.0");  // found by json_fuzz
  for (const char* large : {"123456789012345680000.0", "-9007199254740993e3", "1e22", "1.7976931348623157e308"}) {
    const std::string once = round_trip(large);
    EXPECT_EQ(round_trip(once), once) << large;
    EXPECT_EQ(once.find("error"), std::string::npos) << large << " " << once;
  }
}

TEST(Json, ErrorsSayWhere) {
  EXPECT_EQ(round_trip("{\"a\": 1,\n  \"b\" 2}"),
            "error: invalid JSON: line 2, column 7: expected ':'");
  EXPECT_EQ(round_trip("{\"a\":"), "error: invalid JSON: line 1, column 6: the document ends too early");
  EXPECT_EQ(round_trip(""), "error: invalid JSON: line 1, column 1: the document is empty");
  EXPECT_EQ(round_trip("{\"a\":\"\xff\"}"), "error: invalid JSON: the text is not valid UTF-8");
  EXPECT_EQ(round_trip("[1,]"), "error: invalid JSON: line 1, column 4: expected a value");
  EXPECT_EQ(round_trip("{} {}"),
            "error: invalid JSON: line 1, column 4: there is more after the end of the document");
}

TEST(Json, DepthIsBounded) {
  const std::string deep = std::string(kMaxDepth + 1, '[') + std::string(kMaxDepth + 1, ']');
  EXPECT_NE(round_trip(deep).find("nested deeper than 128"), std::string::npos) << round_trip(deep);
  const std::string fine = std::string(kMaxDepth - 2, '[') + std::string(kMaxDepth - 2, ']');
  EXPECT_EQ(round_trip(fine), fine);
  const std::string hostile(10'000'000, '[');
  EXPECT_NE(round_trip(hostile).find("nested deeper"), std::string::npos);
}

TEST(Json, ADocumentCanBeReused) {
  Document document;
  for (int i = 0; i < 100; ++i) {
    const std::string text = "{\"k\":\"" + std::string(size_t(i) * 997, 'x') + "\"}";
    const auto object = document.parse_object(text);
    ASSERT_TRUE(object);
    EXPECT_EQ(string_or(*object, "k").size(), size_t(i) * 997);
    EXPECT_FALSE(document.parse("{"));
  }
}

TEST(Json, WriterPlacesCommas) {
  std::string out;
  Writer w(out);
  w.begin_object();
  w.field("a", 1);
  w.members("");
  w.members("\"raw\":[1,2]");
  w.key("list");
  w.begin_array();
  w.string("x");
  w.begin_object();
  w.end_object();
  w.null();
  w.end_array();
  w.field("d", 0.5);
  w.end_object();
  EXPECT_EQ(out, R"({"a":1,"raw":[1,2],"list":["x",{},null],"d":0.5})");
}

TEST(Json, EveryByteIsEscapedAtEveryPlace) {
  for (int c = 0; c < 128; ++c) {
    for (size_t before = 0; before < 20; ++before) {
      const std::string text = std::string(before, 'x') + char(c) + "tail of more than eight";
      std::string out;
      append_string(out, text);
      Document document;
      const auto value = document.parse(out);
      ASSERT_TRUE(value) << c << " after " << before;
      EXPECT_EQ(as_string(*value), text);
    }
  }
}

TEST(Json, ExplainAgreesWithTheParser) {
  for (const char* text : {"{}", "[]", "\"\\ud83d\\ude00\"", "-0", "1.5e-7", " [ 1 , 2 ] ", "null"}) {
    EXPECT_EQ(explain(text), "") << text;
    EXPECT_EQ(round_trip(text).find("error"), std::string::npos) << text;
  }
  for (const char* text : {"{a:1}", "[1 2]", "\"\\ud83d\"", "01", "+1", "1.", "tru", "\"\t\"", "'x'", "nul"}) {
    EXPECT_NE(explain(text), "") << text;
    EXPECT_NE(round_trip(text).find("error"), std::string::npos) << text;
  }
}

TEST(Json, MembersAreTakenApartWhereTheyLie) {
  const std::string text = R"("a":1,"b\"c":{"x":[1,"],}",{}]},"":"\\","d":null)";
  std::string_view rest = text;
  std::vector<std::pair<std::string, std::string>> seen;
  while (const auto member = next_member(rest)) seen.emplace_back(member->key, member->value);
  EXPECT_EQ(rest, "");
  const std::vector<std::pair<std::string, std::string>> expected = {
      {R"("a")", "1"}, {R"("b\"c")", R"({"x":[1,"],}",{}]})"}, {R"("")", R"("\\")"}, {R"("d")", "null"}};
  EXPECT_EQ(seen, expected);
  for (const char* damaged : {"", "a", R"("a)", R"("a")", R"("a":)", R"("a":,)", R"("a":[1)", R"("a":1])", R"("a":"\)"}) {
    rest = damaged;
    EXPECT_FALSE(next_member(rest)) << damaged;
  }
}

}  // namespace
}  // namespace ajar::json
