#include "engine/tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "engine/bpe.h"
#include "engine/gguf.h"
#include "engine/pipeline_tokenizer.h"
#include "engine/stream_decoder.h"

namespace ajar::engine {
namespace {

namespace fs = std::filesystem;

fs::path models() {
  const char* shared = std::getenv("AJAR_SHARED");
  return (shared ? fs::path(shared) : fs::path(AJAR_SOURCE_DIR) / "../shared/data") / "models";
}

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<int32_t> ids_in(std::string_view text) {
  std::vector<int32_t> ids;
  int64_t value = -1;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      value = (value < 0 ? 0 : value * 10) + (c - '0');
    } else if (value >= 0) {
      ids.push_back(int32_t(value));
      value = -1;
    }
  }
  if (value >= 0) ids.push_back(int32_t(value));
  return ids;
}

// RFC 4180 records.
std::vector<std::vector<std::string>> read_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1);
  std::string cell;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') cell += c;
      else if (i + 1 < text.size() && text[i + 1] == '"') cell += text[++i];
      else quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',' || c == '\n') {
      rows.back().push_back(std::move(cell));
      cell.clear();
      if (c == '\n') rows.emplace_back();
    } else if (c != '\r') {
      cell += c;
    }
  }
  return rows;
}

std::vector<int32_t> encode(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<int32_t> ids;
  tokenizer.encode(text, ids);
  return ids;
}

class Tiktoken : public testing::TestWithParam<const char*> {};

TEST_P(Tiktoken, EncodesTheRecordedTexts) {
  const fs::path folder = models() / "tiktoken";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not at hand";
  const std::string family = GetParam();
  const auto tokenizer = load_tiktoken(folder / (family + "_base.tiktoken"));
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const auto rows = read_csv(slurp(folder / (family + "_base_encodings.csv")));
  size_t checked = 0;
  for (const auto& row : rows) {
    if (row.size() < 2 || row[0] == "input") continue;
    EXPECT_EQ(encode(**tokenizer, row[0]), ids_in(row[1])) << row[0];
    EXPECT_EQ((*tokenizer)->decode(ids_in(row[1])), row[0]);
    ++checked;
  }
  EXPECT_GT(checked, 50u);
}
INSTANTIATE_TEST_SUITE_P(Families, Tiktoken, testing::Values("r50k", "p50k", "cl100k", "o200k"));

constexpr std::string_view kVocabularies[] = {"bert-bge", "falcon", "gpt-2", "llama-spm", "mpt", "phi-3"};

fs::path vocabulary_of(std::string_view family) {
  // Phi-3's is Llama's with marks added, so it makes the same ids of the same texts.
  const std::string name(family == "llama-spm" ? "phi-3" : family);
  return models() / "vocab" / ("ggml-vocab-" + name + ".gguf");
}

class GgufVocabulary : public testing::TestWithParam<std::string_view> {};

TEST_P(GgufVocabulary, EncodesTheRecordedTexts) {
  const fs::path file = vocabulary_of(GetParam());
  if (!fs::exists(file)) GTEST_SKIP() << file << " is not at hand";
  const auto tokenizer = load_gguf_tokenizer(file);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const std::string recorded = (models() / "vocab" / ("ggml-vocab-" + std::string(GetParam()) + ".gguf")).string();
  std::string inputs = slurp(recorded + ".inp");
  std::istringstream outputs(slurp(recorded + ".out"));
  constexpr std::string_view kSeparator = "\n__ggml_vocab_test__\n";
  size_t checked = 0;
  for (std::string line; std::getline(outputs, line); ++checked) {
    const size_t end = std::min(inputs.find(kSeparator), inputs.size());
    const std::string text = inputs.substr(0, end);
    inputs.erase(0, std::min(end + kSeparator.size(), inputs.size()));
    EXPECT_EQ(encode(**tokenizer, text), ids_in(line)) << "«" << text << "»";
    if (GetParam() != "bert-bge") {  // which forgets case, accents and spaces
      EXPECT_EQ((*tokenizer)->decode(encode(**tokenizer, text)), text);
    }
  }
  EXPECT_GT(checked, 40u);
}
INSTANTIATE_TEST_SUITE_P(Files, GgufVocabulary, testing::ValuesIn(kVocabularies));

// Recorded texts whose vocabulary is not at hand: they check nothing until it is.
TEST(GgufVocabularies, AllThatAreAtHandAreChecked) {
  const fs::path folder = models() / "vocab";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not at hand";
  std::string without;
  for (const auto& file : fs::directory_iterator(folder)) {
    const std::string name = file.path().filename();
    if (!name.ends_with(".gguf.inp")) continue;
    const std::string family = name.substr(11, name.size() - 11 - 9);
    if (!fs::exists(vocabulary_of(family))) without += " " + family;
    else EXPECT_NE(std::ranges::find(kVocabularies, family), std::end(kVocabularies)) << family;
  }
  if (!without.empty()) GTEST_SKIP() << "no vocabulary for" << without;
}

TEST(Tokenizer, RoundTripsBytesOfAnyKind) {
  const fs::path file = models() / "tiktoken/cl100k_base.tiktoken";
  if (!fs::exists(file)) GTEST_SKIP() << file << " is not at hand";
  const auto tokenizer = load_tokenizer(file);
  ASSERT_TRUE(tokenizer);
  std::string text;
  for (int i = 0; i < 5'000; ++i) text.push_back(char(i * 7919 >> 3));
  EXPECT_EQ((*tokenizer)->decode(encode(**tokenizer, text)), text);
  // A run that someone made long on purpose must not take quadratic time: 400,000 letters end within the test's limit.
  const std::string run(400'000, 'a');
  EXPECT_EQ((*tokenizer)->decode(encode(**tokenizer, run)), run);
}

// A vocabulary small enough to follow by hand.
PipelineParts toy_pipeline(BpeParts parts) {
  PipelineParts out;
  out.model = make_bpe(std::move(parts));
  out.pretokenizer = *Pretokenizer::of_family("gpt-2");
  return out;
}
std::shared_ptr<const Tokenizer> toy_tokenizer(BpeParts parts) { return make_tokenizer(toy_pipeline(std::move(parts))); }

BpeParts toy(bool ranked_merges) {
  BpeParts parts;
  for (int byte = 0; byte < 256; ++byte) {
    const char c = char(byte);
    parts.vocabulary.add(byte, {&c, 1});
  }
  parts.vocabulary.add(256, "ab");
  parts.vocabulary.add(257, "bc");
  parts.vocabulary.add(258, "abc");
  if (ranked_merges) {
    parts.merges[uint64_t('b') << 32 | 'c'] = {0, 257};
    parts.merges[uint64_t('a') << 32 | 'b'] = {1, 256};
    parts.merges[uint64_t('a') << 32 | 257] = {2, 258};
  }
  return parts;
}

TEST(Bpe, MergesTheLowestRankFirst) {
  EXPECT_EQ(encode(*toy_tokenizer(toy(true)), "abcab"), (std::vector<int32_t>{258, 256}));
  EXPECT_EQ(encode(*toy_tokenizer(toy(false)), "abx"), (std::vector<int32_t>{256, 'x'}));
}

TEST(Bpe, LongAndShortPiecesMergeAlike) {
  const auto tokenizer = toy_tokenizer(toy(true));
  std::string text;
  for (int i = 0; i < 40; ++i) text += i % 3 ? "abc" : "bca";
  std::vector<int32_t> parts;
  for (const char c : text) parts.push_back(uint8_t(c));
  // By hand: all bc, then all ab, then a+bc.
  const auto merge = [&](int32_t a, int32_t b, int32_t to) {
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      if (parts[i] != a || parts[i + 1] != b) continue;
      parts[i] = to;
      parts.erase(parts.begin() + long(i) + 1);
    }
  };
  merge('b', 'c', 257);
  merge('a', 'b', 256);
  merge('a', 257, 258);
  EXPECT_EQ(encode(*tokenizer, text), parts);
}

TEST(Bpe, CutsOutWholeTokensFirst) {
  auto parts = toy(true);
  parts.vocabulary.add(259, "<x>");
  parts.vocabulary.add(260, "<x><x>");
  auto pipeline = toy_pipeline(std::move(parts));
  pipeline.whole = {{"<x>", 259}, {"<x><x>", 260}};
  EXPECT_EQ(encode(*make_tokenizer(std::move(pipeline)), "ab<x>ab<x><x>c"), (std::vector<int32_t>{256, 259, 256, 260, 'c'}));
}

TEST(Files, FaultsNameTheFileAndThePlace) {
  const fs::path folder = fs::temp_directory_path() / ("ajar-tokenizer-" + std::to_string(getpid()));
  fs::create_directories(folder);
  const auto write = [&](const char* name, std::string_view text) {
    std::ofstream(folder / name, std::ios::binary) << text;
    return (folder / name).string();
  };
  const auto message = [](const auto& result) { return result ? std::string("loaded") : result.error().message; };
  EXPECT_NE(message(load_tokenizer(folder / "none")).find("No such file"), std::string::npos);
  EXPECT_NE(message(load_tokenizer(folder)).find("tokenizer.json: No such file"), std::string::npos);
  EXPECT_NE(message(load_tokenizer(write("x.tiktoken", "IQ== 0\n"))).find("family"), std::string::npos);
  EXPECT_NE(message(load_tokenizer(write("o200k_base.tiktoken", "IQ== 0\nIg== one\n"))).find(":2:"), std::string::npos);
  EXPECT_NE(message(load_tokenizer(write("cl100k.tiktoken", "IQ== 0\n"))).find("byte 0 has no rank"), std::string::npos);
  EXPECT_NE(message(load_tokenizer(write("a.gguf", "GGUF\3"))).find("ends inside its header"), std::string::npos);
  using namespace std::string_literals;
  const std::string head = "GGUF\3\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0"s;
  EXPECT_NE(message(load_tokenizer(write("b.gguf", head + "\xff\xff\xff\xff\xff\xff\xff\xff"))).find("key"),
            std::string::npos);
  const std::string key = "\1\0\0\0\0\0\0\0k"s;
  EXPECT_NE(message(load_tokenizer(write("c.gguf", head + key + "\x09\0\0\0\x08\0\0\0\xff\xff\xff\xff\xff\xff\xff\x7f"s)))
                .find("longer than the file"), std::string::npos);
  EXPECT_NE(message(load_tokenizer(write("d.gguf", head + key + "\x04\0\0\0\1\0\0\0"s))).find("no vocabulary"),
            std::string::npos);
  fs::remove_all(folder);
}

TEST(Tokenizer, ControlTokensAreCutOutOfTemplatesOnly) {
  auto pipeline = toy_pipeline(toy(true));
  pipeline.controls = {{"<|im_end|>", 300}, {"<s>", 301}};
  pipeline.special = {.bos = 301, .add_bos = true};
  const auto tokenizer = make_tokenizer(std::move(pipeline));
  EXPECT_EQ(encode(*tokenizer, "<s>").size(), 3u);
  std::vector<int32_t> ids;
  tokenizer->encode_with_controls("<s>abc<|im_end|>a", ids);
  EXPECT_EQ(ids, (std::vector<int32_t>{301, 258, 300, 'a'}));
  EXPECT_TRUE(tokenizer->is_control(300));
  EXPECT_FALSE(tokenizer->is_control(256));
  EXPECT_EQ(tokenizer->piece(300), "<|im_end|>");
  EXPECT_EQ(tokenizer->find("<s>"), 301);
  EXPECT_EQ(tokenizer->find("ab"), 256);
  EXPECT_EQ(tokenizer->find("zzz"), -1);
  EXPECT_EQ(tokenizer->decode(ids), "abca");
  EXPECT_EQ(tokenizer->size(), 302u);
  EXPECT_TRUE(tokenizer->special().ends_generation(300));
  EXPECT_FALSE(tokenizer->special().ends_generation(301));
  ids.clear();
  tokenizer->encode_whole("a", ids);
  EXPECT_EQ(ids, (std::vector<int32_t>{301, 'a'}));
}

TEST(StreamDecoder, HoldsBackWhatIsNotWhole) {
  const auto tokenizer = toy_tokenizer(toy(true));
  const auto steps = [&](std::string_view bytes) {
    StreamDecoder decoder(*tokenizer);
    std::string out;
    for (const char c : bytes) {
      decoder.add(uint8_t(c), out);
      out += '|';
    }
    decoder.finish(out);
    return out;
  };
  EXPECT_EQ(steps("a\xe2\x82\xac" "b"), "a|||\xe2\x82\xac|b|");
  EXPECT_EQ(steps("\xf0\x9f\x9a\x80"), "|||\xf0\x9f\x9a\x80|");
  EXPECT_EQ(steps("\xe2\x82"), "||\xef\xbf\xbd");
  EXPECT_EQ(steps("\xe2\x82x"), "||\xef\xbf\xbdx|");
  EXPECT_EQ(steps("\x80\xff"), "\xef\xbf\xbd|\xef\xbf\xbd|");
  StreamDecoder decoder(*tokenizer, true);
  std::string out;
  for (const char c : std::string_view("  a b")) decoder.add(uint8_t(c), out);
  EXPECT_EQ(out, " a b");
  auto pipeline = toy_pipeline(toy(true));
  pipeline.controls = {{"<|channel|>", 300}};
  const auto with_controls = make_tokenizer(std::move(pipeline));
  StreamDecoder spelling(*with_controls);
  out.clear();
  for (const int32_t id : {int32_t('a'), 0xe2}) spelling.add(id, out);
  spelling.add(300, out);
  spelling.spell(300, out);
  EXPECT_EQ(out, "a\xef\xbf\xbd<|channel|>");
}

TEST(Pretokenizer, KnowsItsFamilies) {
  const auto split = [](std::string_view family, std::string_view text) {
    Pieces pieces;
    (*Pretokenizer::of_family(family))->split(text, true, pieces);
    std::string out;
    for (const auto piece : pieces.views) out.append(piece).append("|");
    return out;
  };
  EXPECT_EQ(split("cl100k", "It's 12345  days\n\n"), "It|'s| |123|45| | days|\n\n|");
  EXPECT_EQ(split("qwen2", "a 12"), "a| |1|2|");
  EXPECT_EQ(split("o200k", "HelloWORLD's"), "Hello|WORLD's|");
  EXPECT_EQ(split("gpt-2", "x  y"), "x| | y|");
  EXPECT_FALSE(Pretokenizer::of_family("nobody's"));
  EXPECT_FALSE(Pretokenizer::make(std::vector<std::string>{"(unclosed"}));
}

}  // namespace
}  // namespace ajar::engine
