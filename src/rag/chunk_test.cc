#include "rag/chunk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rag/extract.h"

namespace ajar::rag {
namespace {

TEST(Chunks, KnowWhereTheirHeadingsAre) {
  const auto read = extract_markdown("# One\n\nFirst text.\n\n## Two\n\nSecond text.\n");
  ASSERT_TRUE(read);
  size_t heads = 0;
  for (const Chunk& chunk : make_chunks(*read, {})) {
    for (const Span& head : chunk.heads) {
      const std::string text = read->text.substr(chunk.begin + head.begin, head.end - head.begin);
      EXPECT_TRUE(text == "One" || text == "Two") << text;
      ++heads;
    }
    EXPECT_EQ(read_spans(write_spans(chunk.heads)), chunk.heads);
  }
  EXPECT_EQ(heads, 2u);
  EXPECT_TRUE(read_spans("x,3,5-4,-1-2").empty());
}

std::vector<std::string> cut(std::string_view text) {
  std::vector<std::string> out;
  for (const Span& span : sentences(text)) out.emplace_back(text.substr(span.begin, span.end - span.begin));
  return out;
}

TEST(Sentences, EndWhereTheyEnd) {
  EXPECT_THAT(cut("Dr. Smith paid 3.5 million to J. Doe. He left! \"Why?\" Nobody knows..."),
              ::testing::ElementsAre("Dr. Smith paid 3.5 million to J. Doe.", "He left!", "\"Why?\"", "Nobody knows..."));
  EXPECT_THAT(cut("See fig. 3 for this. e.g. that"), ::testing::ElementsAre("See fig. 3 for this. e.g. that"));
  EXPECT_THAT(cut("¿Qué es? Una prueba.[12] Otra."), ::testing::ElementsAre("¿Qué es?", "Una prueba.[12]", "Otra."));
  EXPECT_THAT(cut("一つ。二つ！三つ"), ::testing::ElementsAre("一つ。", "二つ！", "三つ"));
  EXPECT_TRUE(cut("  \n ").empty());
}

TEST(Chunks, AreTheDocumentInOrder) {
  std::string body;
  for (int i = 0; i < 40; ++i) {
    if (i % 10 == 0) body += "# Chapter " + std::to_string(i / 10) + "\n\n";
    body += "Sentence one of paragraph " + std::to_string(i) + ". Sentence two follows it here. And a third one.\n\n";
  }
  const auto document = extract_markdown(body);
  ASSERT_TRUE(document);
  const ChunkOptions options{.tokens = 60, .parent_tokens = 150};
  const auto chunks = make_chunks(*document, options);
  ASSERT_GT(chunks.size(), 10u);
  std::string again;
  for (size_t i = 0; i < chunks.size(); ++i) {
    const Chunk& chunk = chunks[i];
    EXPECT_EQ(chunk.begin, i == 0 ? 0 : chunks[i - 1].end);
    EXPECT_LE(chunk.parent_begin, chunk.begin);
    EXPECT_GE(chunk.parent_end, chunk.end);
    const std::string text = document->text.substr(chunk.begin, chunk.end - chunk.begin);
    EXPECT_LE(estimate_tokens(text), options.tokens);
    EXPECT_LE(estimate_tokens(document->text.substr(chunk.parent_begin, chunk.parent_end - chunk.parent_begin)), options.parent_tokens + options.tokens);
    // A heading begins a chunk and never ends one.
    EXPECT_TRUE(text.find("Chapter") == std::string::npos || text.starts_with("Chapter")) << text;
    if (!text.starts_with("Chapter")) EXPECT_THAT(chunk.headings, ::testing::StartsWith("Chapter"));
    again += text;
  }
  EXPECT_EQ(again, document->text);
}

TEST(Chunks, ASentenceWithoutEndIsCutBetweenWordsOrCharacters) {
  std::string words, characters;
  for (int i = 0; i < 3000; ++i) words += "word ", characters += "水";
  for (const std::string& text : {words, characters}) {
    const auto document = extract_text(text);
    const auto chunks = make_chunks(*document, {.tokens = 100});
    EXPECT_GT(chunks.size(), 20u);
    for (const Chunk& chunk : chunks) {
      EXPECT_LE(estimate_tokens(document->text.substr(chunk.begin, chunk.end - chunk.begin)), 120u);
      EXPECT_NE(static_cast<unsigned char>(document->text[chunk.begin]) & 0xC0, 0x80);
    }
  }
}

TEST(Chunks, RowsStayWhole) {
  std::string csv = "name,city,note\n";
  for (int i = 0; i < 50; ++i) csv += "Person" + std::to_string(i) + ",Town" + std::to_string(i) + ",\"some, note\"\n";
  const auto document = extract_csv(csv);
  for (const Chunk& chunk : make_chunks(*document, {.tokens = 50})) {
    const std::string text = document->text.substr(chunk.begin, chunk.end - chunk.begin);
    EXPECT_TRUE(text.starts_with("name") || text.starts_with("city") || text.starts_with("name: ")) << text;
    EXPECT_EQ(std::count(text.begin(), text.end(), ':'), static_cast<long>(3 * std::count(text.begin(), text.end(), '\n')) + (chunk.end == document->text.size() ? 3 : 0) - (chunk.begin == 0 ? 3 : 0)) << text;
  }
}

TEST(Chunks, OfNothingAndOfHeadingsAlone) {
  EXPECT_TRUE(make_chunks({}, {}).empty());
  const auto document = extract_markdown("# A\n\n## B\n\n## C\n");
  EXPECT_EQ(make_chunks(*document, {}).size(), 1u);
}

}  // namespace
}  // namespace ajar::rag
