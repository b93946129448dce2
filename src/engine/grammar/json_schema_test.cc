// Schemas and what they let through: replies at random are valid, known texts are taken or refused.
#include "engine/grammar/json_schema.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "engine/grammar/compile.h"
#include "engine/grammar/testing.h"

namespace ajar::engine {
namespace {

struct Case {
  const char* schema;
  std::vector<const char*> good;
  std::vector<const char*> bad;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {R"({})", {R"({"a":[1,2.5,{"b":null}]})", R"("x")", "true", "[]", "{}", "-0.5e+10"}, {"", "tru", "[1,]", "01", "{a:1}", R"("\x")", "[ ]", R"({"a"  :1})"}},
      {R"(true)", {"1", "null"}, {"nul", "1 "}},
      {R"({"type":"object"})", {"{}", R"({"a": 1, "b":"c"})"}, {"[]", "1", R"({"a":1,})"}},
      {R"({"type":"string"})", {R"("")", R"("a\n\u00e9é")", R"("\ud83d\ude00")"}, {R"("\ud83d")", R"("\ude00")", "\"\n\"", "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", R"("a)"}},
      {R"({"type":"string","minLength":2,"maxLength":4})", {R"("ab")", R"("äöüß")", R"("\n\u00e9")"}, {R"("a")", R"("abcde")"}},
      {R"({"type":"string","maxLength":10000})", {R"("")", R"("hello")"}, {"1"}},
      {R"({"type":"string","minLength":20,"maxLength":30})", {R"("aaaaaaaaaaaaaaaaaaaa")"}, {R"("aaaaaaaaaaaaaaaaaaa")", R"("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")"}},
      {R"({"type":"string","pattern":"^[A-Z]{2}-[0-9]+$"})", {R"("AB-1")", R"("ZZ-123456")"}, {R"("A-1")", R"("AB-")", R"("xAB-1")"}},
      {R"({"type":"string","pattern":"ab+"})", {R"("ab")", R"("xxabbz")"}, {R"("a")", R"("")"}},
      {R"({"type":"string","pattern":"^[a-z]+$","minLength":3,"maxLength":5})", {R"("abc")", R"("abcde")"}, {R"("ab")", R"("abcdef")"}},
      {R"({"type":"string","pattern":"^[^a]\\\\\"$"})", {R"("b\\\"")", R"("\n\\\"")"}, {R"("a\\\"")"}},
      {R"({"type":"string","format":"date"})", {R"("2024-02-29")", R"("1999-12-31")"}, {R"("2023-02-29")", R"("2023-13-01")", R"("2023-04-31")"}},
      {R"({"type":"string","format":"date-time"})", {R"("2024-02-29T23:59:59.5Z")", R"("2024-01-01T00:00:00+02:00")"}, {R"("2024-01-01")", R"("2024-01-01T24:00:00Z")"}},
      {R"({"type":"string","format":"time"})", {R"("12:00:00Z")"}, {R"("25:00:00Z")"}},
      {R"({"type":"string","format":"uuid"})", {R"("123e4567-e89b-12d3-a456-426614174000")"}, {R"("123e4567")"}},
      {R"({"type":"string","format":"email"})", {R"("a.b@example.org")"}, {R"("a@")", R"("@b.c")"}},
      {R"({"type":"string","format":"ipv4"})", {R"("192.168.0.255")"}, {R"("256.1.1.1")", R"("1.2.3")"}},
      {R"({"type":"string","format":"no-such-format"})", {R"("x")"}, {"1"}},
      {R"({"type":"integer"})", {"0", "-1", "12345678901234567"}, {"1.5", "01", "-", "1e3"}},
      {R"({"type":"integer","minimum":0})", {"0", "7", "1000"}, {"-1"}},
      {R"({"type":"integer","minimum":-12,"maximum":345})", {"-12", "-1", "0", "9", "10", "99", "345", "299"}, {"-13", "346", "400", "1000", "-0", "-20"}},
      {R"({"type":"integer","exclusiveMinimum":99,"exclusiveMaximum":1001})", {"100", "1000", "999"}, {"99", "1001"}},
      {R"({"type":"integer","minimum":1.5,"maximum":2.5})", {"2"}, {"1", "3"}},
      {R"({"type":"integer","maximum":-5})", {"-5", "-123"}, {"-4", "0", "5"}},
      {R"({"type":"number"})", {"0", "-1.5", "1e10", "1.25E-7"}, {".5", "1.", "+1", "NaN", "1e999"}},
      {R"({"type":"number","minimum":0.25,"maximum":1.5})", {"0.25", "0.3", "1", "1.5", "1.50", "0.2500001", "1.499"}, {"0.2", "0.249", "1.51", "1.6", "2", "0", "-1"}},
      {R"({"type":"number","exclusiveMinimum":0,"maximum":100})", {"0.1", "100", "100.0", "5", "0.001"}, {"0", "0.0", "100.1", "-1"}},
      {R"({"type":"number","exclusiveMinimum":-1.5,"exclusiveMaximum":-0.5})", {"-1", "-1.4", "-0.51", "-1.49"}, {"-1.5", "-0.5", "-1.6", "0", "-0.4"}},
      {R"({"type":"number","minimum":0,"multipleOf":0.01})", {"0", "1.25", "3.1"}, {"1.255", "-1", "1e3"}},
      {R"({"type":["integer","null"]})", {"1", "null"}, {"true", "1.5"}},
      {R"({"type":"boolean"})", {"true", "false"}, {"1", "nul"}},
      {R"({"enum":["red","green","greener",5,null,{"a":[1]}]})", {R"("red")", R"("green")", R"("greener")", "5", "null", R"({"a":[1]})"}, {R"("gree")", "6"}},
      {R"({"type":"string","enum":["a",1]})", {R"("a")"}, {"1"}},
      {R"({"const":"x\"y"})", {R"("x\"y")"}, {R"("x")"}},
      {R"({"const":null})", {"null"}, {"0"}},
      {R"({"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"],"additionalProperties":false})",
       {R"({"name":"Ada","age":36})", R"({"name": "Ada", "age": 36})"}, {R"({"age":36,"name":"Ada"})", R"({"name":"Ada"})", R"({"name":"Ada","age":36,"x":1})", R"({"name" :"a","age":1})"}},
      {R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"},"c":{"type":"integer"}},"required":["b"]})",
       {R"({"b":1})", R"({"a":1,"b":2})", R"({"b":1,"c":3})", R"({"a":1,"b":2,"c":3})"}, {"{}", R"({"a":1})", R"({"a":1,"c":3})", R"({"b":1,"d":1})", R"({"b":1,})"}},
      {R"({"type":"object","properties":{"a":{"type":"integer"},"ab":{"type":"null"}},"additionalProperties":{"type":"boolean"}})",
       {"{}", R"({"a":1,"x":true})", R"({"x":true,"abc":false,"":true})", R"({"ab":null})"}, {R"({"a":true})", R"({"x":1})", R"({"x":true,"a":true})", R"({"ab":true})"}},
      {R"({"type":"object","additionalProperties":{"type":"integer"},"minProperties":1,"maxProperties":2})", {R"({"a":1})", R"({"a":1,"b":2})"}, {"{}", R"({"a":1,"b":2,"c":3})"}},
      {R"({"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3})", {"[1]", "[1, 2,3]"}, {"[]", "[1,2,3,4]", R"(["a"])"}},
      {R"({"type":"array","prefixItems":[{"type":"string"},{"type":"integer"}],"items":false})", {"[]", R"(["a"])", R"(["a",1])"}, {"[1]", R"(["a",1,2])"}},
      {R"({"type":"array","prefixItems":[{"type":"string"},{"type":"integer"}],"items":{"type":"boolean"},"minItems":2,"maxItems":4})",
       {R"(["a",1])", R"(["a",1,true,false])"}, {R"(["a"])", R"(["a",1,true,false,true])", R"(["a",1,2])"}},
      {R"({"type":"array","items":{"type":"array","items":{"enum":[0,1]},"minItems":2,"maxItems":2},"maxItems":1000})", {"[]", "[[0,1],[1,1]]"}, {"[[0]]", "[[0,1,0]]"}},
      {R"({"anyOf":[{"type":"string"},{"type":"object","properties":{"x":{"type":"integer"}},"required":["x"]}]})", {R"("s")", R"({"x":1})"}, {"1", "{}"}},
      {R"({"type":"object","properties":{"k":{"type":"string"}},"anyOf":[{"required":["k"]},{"properties":{"n":{"type":"null"}},"required":["n"]}]})",
       {R"({"k":"v"})", R"({"n":null})", R"({"k":"v","n":null})"}, {"{}"}},
      {R"({"oneOf":[{"type":"object","properties":{"t":{"const":"a"},"v":{"type":"integer"}},"required":["t","v"],"additionalProperties":false},
                    {"type":"object","properties":{"t":{"const":"b"},"w":{"type":"string"}},"required":["t","w"],"additionalProperties":false}]})",
       {R"({"t":"a","v":1})", R"({"t":"b","w":"x"})"}, {R"({"t":"a","w":"x"})"}},
      {R"({"allOf":[{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]},{"properties":{"b":{"type":"string"}},"required":["b"]}]})",
       {R"({"a":1,"b":"x"})"}, {R"({"a":1})", R"({"b":"x"})"}},
      {R"({"allOf":[{"type":"integer","minimum":3},{"maximum":5}]})", {"3", "5"}, {"2", "6"}},
      {R"({"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"v":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},
           "required":["v","next"],"additionalProperties":false}}})",
       {R"({"v":1,"next":null})", R"({"v":1,"next":{"v":2,"next":null}})"}, {R"({"v":1})", R"({"v":1,"next":{}})"}},
      {R"({"type":"object","properties":{"children":{"type":"array","items":{"$ref":"#"}},"id":{"type":"integer","minimum":1}},"required":["id"]})",
       {R"({"id":1})", R"({"children":[{"id":2},{"children":[],"id":3}],"id":1})"}, {R"({"children":[{}],"id":1})"}},
      {R"({"definitions":{"a/b":{"type":"integer"}},"type":"array","items":{"$ref":"#/definitions/a~1b"}})", {"[1]"}, {"[null]"}},
      {R"({"type":"object","properties":{"äöü \"quoted\"\n":{"type":"null"}},"required":["äöü \"quoted\"\n"]})", {R"({"äöü \"quoted\"\n":null})"}, {"{}"}},
      {R"({"properties":{"steps":{"type":"array","items":{"type":"object","properties":{"explanation":{"type":"string"},"output":{"type":"string"}},
           "required":["explanation","output"],"additionalProperties":false}},"final_answer":{"type":"string"}},"required":["steps","final_answer"],"additionalProperties":false,"type":"object"})",
       {R"({"steps":[{"explanation":"e","output":"o"}],"final_answer":"f"})"}, {R"({"steps":[{}],"final_answer":"f"})"}},
  };
  return kCases;
}

TEST(JsonSchema, KnownTextsAreTakenOrRefused) {
  for (const Case& c : cases()) {
    auto grammar = compile_json_schema(c.schema, byte_trie());
    ASSERT_TRUE(grammar) << c.schema << ": " << grammar.error().message;
    json::Document schema, text;
    const json::Value root = *schema.parse(c.schema);
    for (const char* good : c.good) {
      EXPECT_TRUE(takes(**grammar, good)) << c.schema << " refuses " << good;
      auto value = text.parse(good);
      ASSERT_TRUE(value) << good;
      EXPECT_EQ(violation(root, *value, root), "") << c.schema;
    }
    for (const char* bad : c.bad) EXPECT_FALSE(takes(**grammar, bad)) << c.schema << " takes " << bad;
  }
}

TEST(JsonSchema, WhatIsWrongWithASchemaIsNamedWithItsPlace) {
  const struct { const char *schema, *said; } kFaults[] = {
      {R"({"anyOf":[]})", "#/anyOf: is empty: no value would fit"},
      {R"({"properties":{"a":{"oneOf":{}}}})", "#/properties/a/oneOf: must be a list of schemas"},
      {R"({"allOf":{}})", "#/allOf: must be a list"},
      {R"({"anyOf":[{},7]})", "#/anyOf/1: a schema is an object or a boolean"},
      {R"({"$ref":"#/$defs/none"})", "#/$ref: there is no '#/$defs/none'"},
      {R"({"$ref":"https://example.org/s"})", "#/$ref: only references within the schema"},
      {R"({"$ref":"#"})", "refers to itself"},
      {R"({"type":"text"})", "#/type: names an unknown type"},
      {R"({"enum":"a"})", "#/enum: must be a list of values"},
      {R"({"type":"string","minLength":-1})", "#/minLength: must be a whole number >= 0"},
      {R"({"type":"number","exclusiveMinimum":true,"minimum":1})", "#/exclusiveMinimum: must be a number (its form of draft 4 is not read)"},
      {R"({"type":"number","multipleOf":3})", "#/multipleOf: only 1, 0.1, 0.01 and so on can be enforced"},
      {R"({"type":"array","prefixItems":{}})", "#/prefixItems: must be a list"},
      {R"({"type":"object","properties":[]})", "#/properties: must be an object"},
      {R"({"type":"object","required":"a"})", "#/required: must be a list of names"},
      {R"({"type":"array","uniqueItems":true})", "#/uniqueItems: this keyword cannot be enforced"},
  };
  for (const auto& [schema, said] : kFaults) {
    const auto made = compile_json_schema(schema, byte_trie());
    ASSERT_FALSE(made) << schema;
    EXPECT_NE(made.error().message.find(said), std::string::npos) << schema << ": " << made.error().message;
  }
}

TEST(JsonSchema, RandomRepliesAreValid) {
  std::mt19937_64 random(7);
  for (const auto& trie : {gpt2_trie(), byte_trie()}) {
    if (!trie) continue;
    for (const Case& c : cases()) {
      auto grammar = compile_json_schema(c.schema, trie);
      ASSERT_TRUE(grammar) << c.schema << ": " << grammar.error().message;
      json::Document schema, text;
      const json::Value root = *schema.parse(c.schema);
#ifdef AJAR_SANITIZED
      constexpr int kReplies = 6;  // each takes ten times as long there
#else
      constexpr int kReplies = 20;
#endif
      for (int i = 0; i < kReplies; ++i) {
        GrammarConstraint constraint(*grammar);
        auto reply = random_reply(constraint, *trie, random, 5 + i * 2, 3000);
        ASSERT_TRUE(reply) << c.schema << " does not end";
        auto value = text.parse(*reply);
        ASSERT_TRUE(value) << c.schema << ": " << *reply << ": " << value.error().message;
        EXPECT_EQ(violation(root, *value, root), "") << c.schema;
      }
    }
  }
}

}  // namespace
}  // namespace ajar::engine
