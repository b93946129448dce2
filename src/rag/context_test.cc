#include "rag/context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "rag/ask.h"
#include "rag/fake_embedder.h"
#include "rag/rag_test_helper.h"

namespace ajar::rag {
namespace {

using ::testing::HasSubstr;

const Reader kEverything{.everything = true};

std::string long_document() {
  std::string text;
  for (int i = 0; i < 12; ++i) text += "# Part " + std::to_string(i) + "\n\nIt rose by " + std::to_string(i) + " per cent.\n\n";
  return text;
}

TEST(Context, IsFoundByItAndNeverQuoted) {
  const TestFolder folder;
  CollectionOptions options;
  options.embedder = fake_embedder();
  std::atomic<size_t> asked = 0;
  options.context = ContextWriter{.name = "cheap", .write = [&](const ContextQuestion& question) -> Result<std::string> {
                                    ++asked;
                                    EXPECT_EQ(question.payer, "key:k");
                                    EXPECT_THAT(context_prompt(question), HasSubstr("per cent"));
                                    return "<note>\nAbout the zebrafish market in " + question.chunk.substr(0, 7) + "\nmore";
                                  }};
  auto collection = Collection::open(folder.path() + "/c", options);
  ASSERT_TRUE(collection);
  DocumentInput input{.id = "d", .name = "d.md", .bytes = long_document(), .payer = "key:k"};
  const auto added = (*collection)->add(input);
  ASSERT_TRUE(added);
  EXPECT_EQ(asked, added->chunks);
  EXPECT_EQ((*collection)->add(input)->outcome, Outcome::kUnchanged);
  const auto vector = fake_embedder().embed(std::vector<std::string>{"zebrafish market"});
  const auto hits = (*collection)->search({.text = "zebrafish market", .embedding = *vector, .reader = kEverything, .limit = 3});
  ASSERT_TRUE(hits);
  ASSERT_FALSE(hits->empty());
  const Hit& hit = hits->front();
  EXPECT_TRUE(hit.words);
  EXPECT_TRUE(hit.meaning);
  EXPECT_THAT(hit.context, HasSubstr("About the zebrafish market"));
  EXPECT_EQ(hit.text.find("zebrafish"), std::string::npos);
  const auto whole = (*collection)->text("d", kEverything);
  EXPECT_EQ(whole->find("zebrafish"), std::string::npos);
  EXPECT_EQ(whole->substr(hit.begin, hit.end - hit.begin), hit.text);
  const auto answer = ask(**collection, {.text = "zebrafish market rose", .reader = kEverything});
  ASSERT_TRUE(answer);
  for (const AnswerSentence& sentence : answer->sentences) EXPECT_EQ(sentence.text.find("zebrafish"), std::string::npos);
  // Opened anew and embedded anew it is still there.
  collection->reset();
  options.context.reset(), options.embedder = fake_embedder(32, "other");
  collection = Collection::open(folder.path() + "/c", options);
  ASSERT_TRUE((*collection)->reembed());
  EXPECT_FALSE((*collection)->search({.text = "zebrafish", .reader = kEverything})->empty());
}

TEST(Context, WhatFailsIsSaidAndMadeGoodLater) {
  const TestFolder folder;
  CollectionOptions options;
  std::atomic<size_t> asked = 0, left = 5;
  options.context = ContextWriter{.name = "cheap", .at_once = 2, .write = [&](const ContextQuestion&) -> Result<std::string> {
                                    ++asked;
                                    if (left == 0) return fail(Code::kUnavailable, "nobody is there");
                                    --left;
                                    return "A line about zebrafish.";
                                  }};
  options.context->at_once = 1;
  const DocumentInput input{.id = "d", .name = "d.md", .bytes = long_document()};
  {
    auto collection = Collection::open(folder.path() + "/c", options);
    ASSERT_TRUE(collection);
    const auto added = (*collection)->add(input);
    ASSERT_TRUE(added) << added.error().message;
    EXPECT_EQ(added->chunks, 12u);
    EXPECT_THAT((*collection)->document("d", kEverything)->note, HasSubstr("7 of 12 chunks have no line of context (cheap: nobody is there)"));
    EXPECT_EQ((*collection)->search({.text = "zebrafish", .reader = kEverything, .limit = 50})->size(), 5u);
    EXPECT_EQ((*collection)->search({.text = "cent", .reader = kEverything, .limit = 50})->size(), 12u);
  }
  asked = 0, left = 1000;
  auto collection = Collection::open(folder.path() + "/c", options);
  ASSERT_TRUE(collection);
  EXPECT_EQ((*collection)->add(input)->outcome, Outcome::kReplaced);
  EXPECT_EQ(asked, 7u);
  EXPECT_EQ((*collection)->document("d", kEverything)->note, "");
  EXPECT_EQ((*collection)->search({.text = "zebrafish", .reader = kEverything, .limit = 50})->size(), 12u);
  EXPECT_EQ((*collection)->add(input)->outcome, Outcome::kUnchanged);
}

TEST(Context, OneLineOfAReply) {
  EXPECT_EQ(context_line("\n<answer>\nSure, here it is:\n  The valve,\t explained.  \nmore"), "The valve, explained.");
  EXPECT_EQ(context_line(" \n"), "");
  EXPECT_LE(context_line(std::string(3000, 'x')).size(), kMaxContextLine);
  const std::string umlauts = [] {
    std::string out;
    for (int i = 0; i < 40'000; ++i) out += "ü";
    return out;
  }();
  EXPECT_TRUE(around_chunk(umlauts, 40'001, 40'101).size() <= kMaxContextAround + 200);
  EXPECT_EQ(around_chunk("short", 0, 5), "short");
}

TEST(Preview, ShowsWhatWouldBeStored) {
  const auto seen = preview({.id = "d", .name = "d.md", .bytes = long_document()}, {});
  ASSERT_TRUE(seen);
  ASSERT_EQ(seen->chunks.size(), 12u);
  EXPECT_EQ(seen->read.format, "md");
  EXPECT_GT(seen->tokens[0], 3u);
}

}  // namespace
}  // namespace ajar::rag
