#include "gateway/token_model.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/tokenizer.h"
#include "json/read.h"

namespace ajar {
namespace {

namespace fs = std::filesystem;

fs::path shared() {
  const char* given = std::getenv("AJAR_SHARED");
  return given ? fs::path(given) : fs::path(AJAR_SOURCE_DIR) / "../shared/data";
}

// Counts as the header says, one byte after the other.
TextFeatures counted_slowly(std::string_view text) {
  TextFeatures f;
  enum Kind { kNone, kLetter, kDigit, kSpace, kBlank, kMark, kHigh } before = kNone;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = uint8_t(text[i]);
    const Kind kind = (c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c < 0x80 ? kLetter
                      : c >= '0' && c <= '9'                            ? kDigit
                      : c == ' '                                        ? kSpace
                      : c < ' '                                         ? kBlank
                      : c >= 0x80                                       ? kHigh
                                                                        : kMark;
    const bool starts = kind != before;
    if (kind == kLetter) f[TextFeatures::kWords] += starts, f[TextFeatures::kUpper] += c <= 'Z';
    if (kind == kDigit) f[TextFeatures::kDigitRuns] += starts, f[TextFeatures::kDigits] += 1;
    if (kind == kMark) f[TextFeatures::kMarkRuns] += starts, f[TextFeatures::kMarks] += 1;
    if (kind == kBlank) f[TextFeatures::kBlankRuns] += starts;
    if (kind == kSpace) f[TextFeatures::kDoubleSpaces] += !starts;
    if (c >= 0xc2 && c <= 0xc9) f[TextFeatures::kLatin2] += 1;
    if (c >= 0xca && c <= 0xdf) f[TextFeatures::kOther2] += 1;
    if (c >= 0xe0 && c <= 0xe2) f[TextFeatures::kIndic3] += 1;
    if (c >= 0xe3 && c <= 0xe9) f[TextFeatures::kCjk3] += 1;
    if (c >= 0xea && c <= 0xef) f[TextFeatures::kHangul3] += 1;
    if (c >= 0xf0) f[TextFeatures::kFour] += 1;
    before = kind;
  }
  return f;
}

TEST(TextFeatures, CountsWhatStandsThere) {
  const std::string unit =
      "Hello, World! 12345 x\n\n\tdéjà vu — Привет мир 世界 안녕 🌍  {\"a\": [1, 2.5]} CamelCase_snake  ";
  std::string text;
  for (int i = 0; i < 9; ++i) {
    TextFeatures fast;
    fast.add_text(text);
    TextFeatures slow = counted_slowly(text);
    slow[TextFeatures::kLongLetters] = fast[TextFeatures::kLongLetters];
    EXPECT_EQ(fast.values, slow.values) << text.size();
    text += unit;
  }
  TextFeatures word;
  word.add_text("abcdefgh");
  EXPECT_EQ(word[TextFeatures::kLongLetters], 4);
}

struct Sample {
  TextFeatures features;
  int64_t tokens;
};

std::vector<Sample> samples_of(const fs::path& file, const engine::Tokenizer& tokenizer, size_t length) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  const std::string all = text.str();
  std::vector<Sample> out;
  for (size_t at = 0; at + length < all.size() && out.size() < 400; at += length) {
    const std::string_view piece = std::string_view(all).substr(at, length);
    Sample sample{.tokens = int64_t(tokenizer.count(piece)) + 7};
    sample.features.add_text(piece);
    sample.features[TextFeatures::kMessages] = 1;
    sample.features[TextFeatures::kRequest] = 1;
    out.push_back(sample);
  }
  return out;
}

// What the issue asks for: after 50 calls the reported error on text is at most 5 %, for tokenizers of all kinds.
class Learns : public testing::TestWithParam<const char*> {};

TEST_P(Learns, WithinFivePercentAfterFiftyCalls) {
  const fs::path file = shared() / "models" / GetParam();
  const fs::path texts[] = {shared() / "eval/gsm8k/test.jsonl", shared() / "eval/ifeval/input_data.jsonl",
                            shared() / "eval/humaneval-multilingual/humaneval-rs.jsonl",
                            shared() / "eval/xquad/xquad.es.json"};
  if (!fs::exists(file) || !fs::exists(texts[0])) GTEST_SKIP() << file << " is not at hand";
  const auto tokenizer = engine::load_tokenizer(file);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  for (const fs::path& text : texts) {
    const auto samples = samples_of(text, **tokenizer, 1'200);
    ASSERT_GT(samples.size(), 150u) << text;
    TokenModel model;
    double error = 0;
    for (size_t i = 0; i < samples.size(); ++i) {
      if (i >= 50) {
        error += std::abs(double(model.estimate(samples[i].features)) / double(samples[i].tokens) - 1);
      }
      model.learn(samples[i].features, samples[i].tokens);
    }
    error /= double(samples.size() - 50);
    EXPECT_LE(error, 0.05) << text;
    EXPECT_LE(model.quality().error, 0.05) << text;
    RecordProperty(text.stem().string(), std::to_string(error));
  }
}
INSTANTIATE_TEST_SUITE_P(Tokenizers, Learns,
                         testing::Values("tiktoken/o200k_base.tiktoken", "tiktoken/cl100k_base.tiktoken",
                                         "tiktoken/r50k_base.tiktoken", "vocab/ggml-vocab-phi-3.gguf",
                                         "vocab/ggml-vocab-falcon.gguf"));

TEST(TokenModel, StandsNonsense) {
  TokenModel model;
  TextFeatures f;
  f.add_text("A question of ordinary length, asked in ordinary words.");
  f[TextFeatures::kMessages] = f[TextFeatures::kRequest] = 1;
  const int64_t before = model.estimate(f);
  model.learn(f, 1'000'000);  // not of this text
  model.learn(f, 0);
  EXPECT_EQ(model.estimate(f), before);
  TextFeatures other;
  other.add_text("Другой вопрос, 12 слов и 世界");
  other[TextFeatures::kMessages] = other[TextFeatures::kRequest] = 1;
  const int64_t untaught = model.estimate(other);
  for (int i = 0; i < 40'000; ++i) {  // the same request for ever says nothing of another
    model.learn(f, before + i % 3);
    if (i % 250 == 0) ASSERT_NEAR(double(model.estimate(other)), double(untaught), 5) << i;
  }
  f.media_tokens = 1'600;
  model.learn(f, 50);
  EXPECT_GE(model.estimate(f), 1'600);
}

}  // namespace
}  // namespace ajar
