// Regular expressions and GBNF against their own oracles; masks against the automaton; how long masks take.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>

#include "engine/grammar/compile.h"
#include "engine/grammar/testing.h"

namespace ajar::engine {
namespace {

TEST(Regex, MatchesWhatPcre2Matches) {
  static constexpr const char* kPatterns[] = {
      "abc", "a*", "a+b?c*", "(ab|ba)*", "[a-c]{2,4}", "a{3}", "a{2,}b", "(a|b)*abb", "((a?){3}b){0,2}", "(a*)*b", "(a*b*)*c", "(a|ab)(c|bcd)(d*)",
      "[^ab]c", ".a.", "\\d+\\w\\s?", "\\D\\W\\S", "(?:a|)b", "x{0,3}y", "(a|b|c|ab|bc|abc){1,3}", "[\\d\\-a]+", "a\\.b", "\\x61\\u0062?", "[]a]+", "(|a)+b",
      "^ab$", "((((a))))", "(a{0,2}b{0,2}){2}", "[a\\]b]*", "é+|ü", "(a+)+b", "(a?){0,5}(b?){2,4}", "(aa|aaa)*", "([ab]c?)*?a"};
  std::mt19937_64 random(3);
  static constexpr std::string_view kPieces[] = {"a", "b", "c", "d", "ab", "x", "y", "1", " ", "-", ".", "]", "é", "ü", "\n", "bc", "aa"};
  for (const char* pattern : kPatterns) {
    auto grammar = compile_regex(pattern, byte_trie());
    ASSERT_TRUE(grammar) << pattern << ": " << grammar.error().message;
    std::string whole = "\\A(?:";
    std::string_view rest = pattern;  // PCRE2 knows no \u
    for (size_t at; (at = rest.find("\\u")) != rest.npos; rest.remove_prefix(at + 6)) whole.append(rest.substr(0, at)).append("\\x{").append(rest.substr(at + 2, 4)).append("}");
    whole.append(rest).append(")\\z");
    for (int i = 0; i < 3000; ++i) {
      std::string text;
      for (size_t n = random() % 8; n > 0; --n) text += kPieces[random() % (random() % 2 ? 3 : std::size(kPieces))];
      if (i == 0) text = "";
      ASSERT_EQ(takes(**grammar, text), pattern_found(whole, text)) << pattern << " on '" << text << "'";
    }
    for (int i = 0; i < 20; ++i) {
      GrammarConstraint constraint(*grammar);
      if (auto reply = random_reply(constraint, *byte_trie(), random, 10, 500)) EXPECT_TRUE(pattern_found(whole, *reply)) << pattern << " made '" << *reply << "'";
    }
  }
}

TEST(Regex, WhatCannotBeFollowedIsRefused) {
  for (const char* pattern : {"(", ")", "[", "a**", "*", "(?=a)", "(?<!a)b", "\\1", "\\bx", "a{3,2}", "\\", "[b-a]", "\\p{L}", "a++", "x^", "a$b", "\\x6", "a{200000}", "[\\d-z]\\q", "\xff"}) {
    auto grammar = compile_regex(pattern, byte_trie());
    EXPECT_FALSE(grammar) << pattern;
  }
  EXPECT_EQ(compile_regex("(?=a)", byte_trie()).error().code, Code::kUnsupported);
  EXPECT_EQ(compile_regex(std::string(20'000, 'a'), byte_trie()).error().code, Code::kTooLarge);
  std::string deep(500, '(');
  EXPECT_EQ(compile_regex(deep + std::string(500, ')'), byte_trie()).error().code, Code::kTooLarge);
}

TEST(Gbnf, ReadsWhatItsAuthorsWrite) {
  auto grammar = compile_gbnf(R"g(# arithmetic
root  ::= (expr "=" ws term "\n")+
expr  ::= term ([-+*/] term)*
term  ::= ident | num
  | "(" ws expr ")" ws
ident ::= [a-z] [a-z0-9_]* ws
num   ::= [0-9]{1,3} ws
ws    ::= [ \t\n]*
)g",
                              byte_trie());
  ASSERT_TRUE(grammar) << grammar.error().message;
  EXPECT_TRUE(takes(**grammar, "a+b=12\n"));
  EXPECT_TRUE(takes(**grammar, "(x1 *2)-3 = y\nq=1\n"));
  EXPECT_FALSE(takes(**grammar, "a+=12\n"));
  EXPECT_FALSE(takes(**grammar, "a=1234\n"));
  EXPECT_FALSE(takes(**grammar, "a=1"));
  auto unicode = compile_gbnf("root ::= [^\\x00-\\x7F]{2} . \"\\u00e9\\\"\"", byte_trie());
  ASSERT_TRUE(unicode) << unicode.error().message;
  EXPECT_TRUE(takes(**unicode, "äé\né\""));
  EXPECT_FALSE(takes(**unicode, "äa\né\""));
  // Lists by recursion do not pile up: a hundred thousand bytes are no more than one.
  auto recursive = compile_gbnf("root ::= \"\" | \"a\" root", byte_trie());
  ASSERT_TRUE(recursive);
  EXPECT_TRUE(takes(**recursive, std::string(100'000, 'a')));
  auto nested = compile_gbnf("root ::= \"(\" root* \")\"", byte_trie());
  EXPECT_TRUE(takes(**nested, std::string(20'000, '(') + std::string(20'000, ')')));
  EXPECT_FALSE(takes(**nested, std::string(20'000, '(') + std::string(19'999, ')')));
}

TEST(Gbnf, ErrorsNameTheLine) {
  for (auto [text, says] : {std::pair{"root ::= \"a\"\nx ::= (", "line 2"}, {"x ::= \"a\"", "'root'"}, {"root ::= y", "'y'"}, {"root ::= root \"a\" | \"b\"", "left recursion"},
                            {"root ::= a\na ::= b? a \"x\" | \"y\"\nb ::= \"b\"", "left recursion"}, {"root ::= \"a\" root", "fits"}, {"root ::= \"a\nb\"", "line 1"}, {"root ::= [a", "line 1"},
                            {"root := \"a\"", "::="}, {"root ::= \"a\"\nroot ::= \"b\"", "twice"}, {"root ::= \"\\q\"", "escape"}, {"root ::= \"a\"{3,1}", "wrong way"}}) {
    auto grammar = compile_gbnf(text, byte_trie());
    ASSERT_FALSE(grammar) << text;
    EXPECT_NE(grammar.error().message.find(says), std::string::npos) << text << ": " << grammar.error().message;
  }
}

// The trie, the groups and the cache against reading every token byte by byte.
TEST(Masks, AreWhatTheAutomatonSays) {
  auto trie = gpt2_trie();
  if (!trie) GTEST_SKIP() << "no vocabulary";
  std::mt19937_64 random(5);
  for (const char* schema : {R"({"type":"object","properties":{"a":{"type":"string","maxLength":30},"n":{"type":"integer","maximum":2000},"l":{"type":"array","items":{"type":"string","minLength":3},"minItems":2}},"required":["a","n","l"]})",
                             R"({"type":"string","minLength":9,"maxLength":40})", R"({"type":"string","pattern":"^(ab?){3,30}$"})"}) {
    auto grammar = compile_json_schema(schema, trie);
    ASSERT_TRUE(grammar);
    for (int i = 0; i < 3; ++i) {
      Automaton automaton((*grammar)->program());
      Automaton::State state = automaton.start();
      for (int step = 0; step < 40 && automaton.may_go_on(state); ++step) {
        TokenMask mask(trie->vocabulary());
        (*grammar)->allow(automaton, state, mask);
        std::vector<int32_t> allowed;
        for (int32_t t = 0; t < static_cast<int32_t>(trie->vocabulary()); ++t) {
          const std::string_view text = trie->text(t);
          Automaton::State to = text.empty() ? Automaton::kDead : state;
          for (size_t i = 0; i < text.size() && to != Automaton::kDead; ++i) to = automaton.next(to, static_cast<uint8_t>(text[i]));
          const bool end = std::ranges::find(trie->ends(), t) != trie->ends().end();
          ASSERT_EQ(mask.allowed(t), to != Automaton::kDead || (end && automaton.may_end(state))) << schema << " '" << trie->text(t) << "'";
          if (to != Automaton::kDead) allowed.push_back(t);
        }
        for (char c : trie->text(allowed[random() % allowed.size()])) state = automaton.next(state, static_cast<uint8_t>(c));
        if (step % 10 == 9) state = automaton.compact(state);
      }
    }
  }
}

TEST(Masks, AreQuick) {
  auto trie = gpt2_trie();
  if (!trie) GTEST_SKIP() << "no vocabulary";
  std::mt19937_64 random(9);
  for (const char* schema : {"{}", R"({"type":"string","maxLength":10000})", R"({"type":"string","maxLength":60})", R"({"type":"array","items":{"type":"object","properties":{"id":{"type":"integer"},"name":{"type":"string"},"kind":{"enum":["a","b"]},"at":{"type":"string","format":"date-time"}},"required":["id","name","at"]}})"}) {
    const auto begun = std::chrono::steady_clock::now();
    auto grammar = compile_json_schema(schema, trie);
    ASSERT_TRUE(grammar);
    const double compiled = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
    std::vector<double> times;
    for (int i = 0; i < 10; ++i) {
      GrammarConstraint constraint(*grammar);
      for (int step = 0; step < 60 && !constraint.finished(); ++step) {
        TokenMask mask(trie->vocabulary());
        const auto from = std::chrono::steady_clock::now();
        constraint.allow(mask);
        times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - from).count());
        const int32_t token = any_allowed(mask, *trie, random);
        if (token < 0 || !constraint.accept(token)) break;
      }
    }
    std::ranges::sort(times);
    std::printf("%.60s: compiled in %.2f ms; masks: median %.3f ms, 90 %% %.3f ms, 99 %% %.3f ms, longest %.3f ms\n", schema, compiled, times[times.size() / 2],
                times[times.size() * 9 / 10], times[times.size() * 99 / 100], times.back());
  }
}

// Texts that blow other engines up: each is refused with a reason, or takes little time for every mask.
TEST(Limits, NothingTakesLong) {
  auto trie = gpt2_trie();
  if (!trie) trie = byte_trie();
  std::string big_enum = R"({"enum":["x")", many = R"({"type":"object","properties":{"p0":{})", wide = R"({"anyOf":[{"type":"null"})", deep, crossed = R"({"allOf":[)", required;
  for (int i = 0; i < 5000; ++i) big_enum += ",\"value number " + std::to_string(i * 7919) + "\"";
  for (int i = 1; i < 1000; ++i) many += ",\"p" + std::to_string(i) + R"(":{"type":"string","maxLength":500})";
  for (int i = 0; i < 800; ++i) wide += R"(,{"type":"object","properties":{"kind":{"const":"k)" + std::to_string(i) + R"("},"v":{"type":"integer"}},"required":["kind","v"]})";
  for (int i = 0; i < 60; ++i) deep += R"({"type":"array","items":)";
  deep += "{}" + std::string(60, '}');
  for (int i = 0; i < 12; ++i) crossed += (i ? "," : "") + std::string(R"({"anyOf":[{"type":"object"},{"type":"object","required":["a"]},{"type":"object","required":["b"]}]})");
  struct Try {
    std::string name;
    Compiled made;
  };
  auto timed = [&](std::string name, const std::function<Compiled()>& make) {
    const auto from = std::chrono::steady_clock::now();
    Compiled made = make();
    const double took = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - from).count();
    std::printf("%-12s compiled in %.1f ms%s", name.c_str(), took, made ? "" : (": " + made.error().message.substr(0, 100) + "\n").c_str());
    if (!made) return;
    std::mt19937_64 random(2);
    double longest = 0, all = 0;
    uint64_t most = 0;  // of the automaton's work for a mask: time without the machine
    int steps = 0;
    Automaton automaton((*made)->program());
    auto state = automaton.start();
    for (; steps < 60 && automaton.may_go_on(state); ++steps) {
      TokenMask mask(trie->vocabulary());
      const auto begun = std::chrono::steady_clock::now();
      const uint64_t before = automaton.work();
      (*made)->allow(automaton, state, mask);
      most = std::max(most, automaton.work() - before);
      const double this_one = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
      longest = std::max(longest, this_one), all += this_one;
      const int32_t token = any_allowed(mask, *trie, random);
      ASSERT_GE(token, 0) << name;
      for (char c : trie->text(token)) state = automaton.next(state, static_cast<uint8_t>(c));
      ASSERT_NE(state, Automaton::kDead) << name;
      if (automaton.large()) state = automaton.compact(state);
    }
    std::printf("; masks: mean %.2f ms, longest %.2f ms, most work %llu\n", all / std::max(1, steps), longest, static_cast<unsigned long long>(most));
    EXPECT_LE(most, 4 * (CompiledGrammar::kMaskWork + Automaton::kMaxVisits)) << name;
  };
  auto schema = [&](const std::string& text) { return [&trie, text] { return compile_json_schema(text, trie); }; };
  auto regex = [&](const std::string& text) { return [&trie, text] { return compile_regex(text, trie); }; };
  auto gbnf = [&](const std::string& text) { return [&trie, text] { return compile_gbnf(text, trie); }; };
  ASSERT_TRUE(compile_json_schema(deep, trie));
  timed("enum", schema(big_enum + "]}"));
  timed("properties", schema(many + "}}"));
  timed("anyOf", schema(wide + "]}"));
  timed("deep", schema(deep));
  timed("crossed", schema(crossed + "]}"));
  // Half a million combinations are refused before the first is read: by the list that makes them, not by the one that was too many.
  const auto refused = compile_json_schema(crossed + "]}", trie);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kTooLarge);
  EXPECT_NE(refused.error().message.find("#/allOf/0/anyOf: with what stands beside it makes more than 20000 schemas"), std::string::npos) << refused.error().message;
  timed("counts", regex("(((a{0,1000}){0,1000}b?){0,1000}c?){0,1000}"));
  timed("ambiguous", regex("(a|a|aa|aaa|a{0,9})*(a|b)*(a|b|c)*a{50}"));
  timed("dots", regex(".*a.{60}.*b.{60}"));
  timed("optionals", regex("(a?){500}a{500}"));
  timed("alternatives", gbnf("root ::= x x x x x x\nx ::= y | y y | y y y | \"q\"\ny ::= [a-z]{1,50} | \"a\" y? | [a-m]* [n-z]*"));
  timed("palindromes", gbnf("root ::= \"a\" root \"a\" | \"b\" root \"b\" | [ab]?"));
}

}  // namespace
}  // namespace ajar::engine
