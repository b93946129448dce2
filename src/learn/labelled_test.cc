#include "learn/labelled.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>

namespace ajar::learn {
namespace {

std::string refusal_of(std::string_view bytes) {
  const auto rows = parse_labelled(bytes, "f");
  return rows ? "" : rows.error().message;
}

TEST(Labelled, Csv) {
  const auto rows = parse_labelled("id,Text,category\n1,\"Where is\nmy \"\"card\"\"?\",card\r\n\n2,b,x\n", "f");
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 2);
  EXPECT_EQ(rows->at(0).text, "Where is\nmy \"card\"?");
  EXPECT_EQ(rows->at(0).label, "card");
  EXPECT_EQ(rows->at(1).label, "x");
  const auto bare = parse_labelled("where is it,card\nhello,greeting", "f");
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->size(), 2);
}

TEST(Labelled, JsonLinesWithAnswersOfAnyKind) {
  const auto rows = parse_labelled("{\"text\":\"a\",\"label\":\"x\"}\n\n{\"prompt\":\"b\",\"label\":{\"urgent\":true}}\n", "f");
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(rows->at(1).text, "b");
  EXPECT_EQ(rows->at(1).label, "{\"urgent\":true}");
  ASSERT_TRUE(parse_labelled("{\"text\":\"a\",\"label\":3}", "f")) << "one line";
}

TEST(Labelled, JsonArraysAndSplits) {
  const auto array = parse_labelled("[[\"a\",\"x\"],{\"text\":\"b\",\"label\":\"y\"}]", "f");
  ASSERT_TRUE(array) << array.error().message;
  EXPECT_EQ(array->at(1).label, "y");
  const auto splits = parse_labelled("{\"train\":[[\"a\",\"x\"]],\"val\":[[\"b\",\"y\"]]}", "f");
  ASSERT_TRUE(splits) << splits.error().message;
  EXPECT_EQ(splits->at(1).split, "val");
}

TEST(Labelled, ErrorsNameFileAndLine) {
  EXPECT_EQ(refusal_of(""), "f: no rows");
  EXPECT_EQ(refusal_of("text,label\na,x\nb"), "f:3: 1 columns, expected 2");
  EXPECT_EQ(refusal_of("a,b,c\n1,2,3"), "f:1: 3 columns and no header with 'text' and 'label'");
  EXPECT_EQ(refusal_of("text,label\n\"open,x\n"), "f:2: a quote that never closes");
  EXPECT_EQ(refusal_of("text,label\n\"a\"b,x\n"), "f:2: text after a closing quote");
  EXPECT_EQ(refusal_of("text,label\na,\n"), "f:2: the label is empty");
  EXPECT_EQ(refusal_of("text,label\n,x\n"), "f:2: the text is empty");
  EXPECT_EQ(refusal_of("text,label\n\xff,x\n"), "f:2: not UTF-8");
  EXPECT_EQ(refusal_of("{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\"}\n"), "f:2: no label");
  EXPECT_NE(refusal_of("{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\n").find("f:2: "), std::string::npos);
  EXPECT_EQ(refusal_of("[[\"a\",\"x\"],[1,\"x\"]]"), "f: [1]: no text");
  EXPECT_EQ(refusal_of("{\"train\":3}"), "f: 'train' is no array of rows");
  EXPECT_FALSE(read_labelled("/nowhere/data.csv"));
}

TEST(Labelled, RealFiles) {
  const char* shared = std::getenv("AJAR_SHARED");
  const std::string folder = (shared ? std::string(shared) : std::string(AJAR_SOURCE_DIR) + "/../shared/data") + "/eval/intent/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no intent data: set AJAR_SHARED";
  const auto banking = read_labelled(folder + "banking77_train.csv");
  ASSERT_TRUE(banking) << banking.error().message;
  EXPECT_EQ(banking->rows.size(), 10'003);
  std::set<std::string> labels;
  for (const auto& row : banking->rows) labels.insert(row.label);
  EXPECT_EQ(labels.size(), 77);
  const auto clinc = read_labelled(folder + "clinc150.json");
  ASSERT_TRUE(clinc) << clinc.error().message;
  EXPECT_EQ(clinc->rows.size(), 18'200);
}

}  // namespace
}  // namespace ajar::learn
