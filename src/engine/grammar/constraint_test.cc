// Constraints of replies: thoughts before, marks within, whole engines whose model says anything.
#include "engine/grammar/constraint.h"

#include <gtest/gtest.h>

#include <future>

#include "engine/grammar/cache.h"
#include "engine/grammar/testing.h"
#include "engine/random_model.h"
#include "engine/testing.h"

namespace ajar::engine {
namespace {

constexpr std::string_view kPerson =
    R"({"type":"object","properties":{"name":{"type":"string","maxLength":12},"age":{"type":"integer","minimum":0,"maximum":150},"tags":{"type":"array","items":{"enum":["a","bb","ccc"]},"maxItems":3}},"required":["name","age","tags"],"additionalProperties":false})";

bool allows(Constraint& constraint, const TokenTrie& trie, int32_t token) {
  TokenMask mask(trie.vocabulary());
  constraint.allow(mask);
  return mask.allowed(token);
}

bool say(Constraint& constraint, std::string_view text) {
  for (char c : text)
    if (!constraint.accept(static_cast<uint8_t>(c))) return false;
  return true;
}

TEST(Constraint, EndsExactlyWhereTheTextMayEnd) {
  auto trie = byte_trie();
  GrammarConstraint number(*compile_json_schema(R"({"type":"integer","maximum":99,"minimum":0})", trie));
  EXPECT_FALSE(allows(number, *trie, 256));
  ASSERT_TRUE(say(number, "4"));
  EXPECT_TRUE(allows(number, *trie, 256));
  EXPECT_TRUE(allows(number, *trie, '2'));
  EXPECT_FALSE(number.finished());
  ASSERT_TRUE(say(number, "2"));
  EXPECT_TRUE(number.finished());
  EXPECT_FALSE(say(number, "2"));
}

TEST(Constraint, ThoughtsAreFreeAndMayNotEndTheReply) {
  auto trie = byte_trie();
  auto grammar = *compile_json_schema(R"({"type":"boolean"})", trie, true);
  GrammarConstraint open(grammar, {.end = "</think>", .open = true});
  ASSERT_TRUE(say(open, "anything, <</think >{\" "));
  EXPECT_FALSE(allows(open, *trie, 256));
  EXPECT_TRUE(allows(open, *trie, 'x'));
  ASSERT_TRUE(say(open, "</</think>\n\n"));
  EXPECT_TRUE(allows(open, *trie, 't'));
  EXPECT_FALSE(allows(open, *trie, 'x'));
  ASSERT_TRUE(say(open, "true"));
  EXPECT_TRUE(open.finished());
}

TEST(Constraint, TokensThatEndAThoughtMustBeginTheAnswer) {
  auto trie = gpt2_trie();
  if (!trie) GTEST_SKIP() << "no vocabulary";
  GrammarConstraint constraint(*compile_json_schema(R"({"type":"object"})", trie, true), {.end = "</think>", .open = true});
  std::vector<int32_t> ids;
  trie->tokenizer().encode("so </think", ids);
  for (int32_t id : ids) ASSERT_TRUE(constraint.accept(id));
  EXPECT_TRUE(allows(constraint, *trie, trie->tokenizer().find(">")));
  EXPECT_TRUE(allows(constraint, *trie, trie->tokenizer().find("a")));
  EXPECT_FALSE(allows(constraint, *trie, trie->tokenizer().find("><")));
  EXPECT_FALSE(allows(constraint, *trie, trie->tokenizer().find(">(")));
}

TEST(Constraint, ForcedTokensAreTheTokenizersOwn) {
  auto trie = gpt2_trie();
  if (!trie) GTEST_SKIP() << "no vocabulary";
  GrammarConstraint constraint(*compile_json_schema(R"({"type":"object","properties":{"description_of_it":{"type":"null"}},"required":["description_of_it"]})", trie));
  ASSERT_TRUE(constraint.accept(trie->tokenizer().find("{\"")));
  std::vector<int32_t> forced;
  constraint.forced(forced);
  ASSERT_FALSE(forced.empty());
  std::string text;
  for (int32_t id : forced) {
    text += trie->text(id);
    ASSERT_TRUE(constraint.accept(id));
  }
  EXPECT_EQ(text, "description_of_it");
}

TEST(Constraint, GrammarsAreSharedAndForgotten) {
  GrammarCache cache;
  int made = 0;
  auto get = [&](int i) {
    return *cache.get(std::to_string(i), [&] { return ++made, compile_json_object(byte_trie()); });
  };
  auto first = get(0);
  EXPECT_EQ(get(0), first);
  EXPECT_EQ(made, 1);
  for (int i = 1; i <= static_cast<int>(GrammarCache::kMost); ++i) get(i);
  EXPECT_NE(get(0), first);
  EXPECT_FALSE(cache.get("x", [] { return compile_regex("(", byte_trie()); }));
}

TEST(Constraint, WhateverTheModelSaysTheReplyIsValid) {
  TemporaryFolder folder;
  auto shape = random_shape("tiny-llama");
  ASSERT_TRUE(shape);
  shape->dtype = Dtype::kF32;
  ASSERT_TRUE(write_random_model(*shape, folder.path("m.gguf")));
  ComputePool pool(1);
  std::shared_ptr<const Model> model = *Model::load(*Checkpoint::open(folder.path("m.gguf")), pool);
  auto tokenizer = load_gguf_tokenizer(folder.path("m.gguf"));
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  auto engine = Engine::start(model, *tokenizer, std::make_shared<ComputePool>(2), {.context = 512, .prefill_tokens = 13});
  ASSERT_TRUE(engine) << engine.error().message;
  auto trie = TokenTrie::make(*tokenizer, static_cast<size_t>(model->config().vocab));
  json::Document schema, document;
  const json::Value root = *schema.parse(kPerson);
  auto person = compile_json_schema(kPerson, trie);
  ASSERT_TRUE(person) << person.error().message;
  auto word = compile_regex("(yes|no|may be){1,3}", trie);
  ASSERT_TRUE(word) << word.error().message;
  std::vector<std::future<std::string>> replies;
  for (int i = 0; i < 12; ++i) {
    auto promise = std::make_shared<std::promise<std::string>>();
    auto text = std::make_shared<std::string>();
    replies.push_back(promise->get_future());
    Generation want;
    want.prompt = {1, 2, 3 + i};
    want.sampling = {.temperature = i % 4 == 3 ? 0.0f : 1.5f, .seed = static_cast<uint64_t>(i)};
    want.max_tokens = 300;
    if (i % 3 != 2) want.constraint = std::make_unique<GrammarConstraint>(i % 3 == 0 ? *person : *word);
    want.on_token = [text, trie](const Sampled& s) { *text += trie->text(s.token); };
    want.on_done = [=](FinishReason reason, const GenerationStats&, Error) {
      if (reason == FinishReason::kStop || i % 3 == 2) promise->set_value(std::move(*text));
      else promise->set_value("<not finished>" + *text);
    };
    ASSERT_TRUE((*engine)->submit(std::move(want)));
  }
  for (size_t i = 0; i < replies.size(); ++i) {
    const std::string reply = replies[i].get();
    if (i % 3 == 0) {
      auto value = document.parse(reply);
      ASSERT_TRUE(value) << reply;
      EXPECT_EQ(violation(root, *value, root), "");
    } else if (i % 3 == 1) {
      EXPECT_TRUE(takes(**word, reply)) << reply;
    }
  }
}

}  // namespace
}  // namespace ajar::engine
