#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/tokenizer.h"
#include "json/read.h"

namespace ajar::engine {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<int32_t>;

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

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("ajar-hf-" + std::to_string(getpid()))) { fs::create_directories(path_); }
  ~Folder() { fs::remove_all(path_); }
  void write(const char* name, std::string_view text) const { std::ofstream(path_ / name, std::ios::binary) << text; }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

Ids encode(const Tokenizer& tokenizer, std::string_view text, bool controls = true) {
  Ids ids;
  if (controls) tokenizer.encode_with_controls(text, ids); else tokenizer.encode(text, ids);
  return ids;
}

// Every kind of step and model, against what Hugging Face's library made of the same texts.
TEST(HfTokenizer, EncodesAsItsAuthorsDo) {
  const std::string text = slurp(fs::path(AJAR_SOURCE_DIR) / "tests/tokenizers/small.json");
  json::Document document;
  const auto root = document.parse_object(text);
  ASSERT_TRUE(root);
  const Folder folder;
  size_t checked = 0;
  const auto list = *json::as_array(*json::find(*root, "tokenizers"));
  for (const json::Value item : list) {
    const auto object = *json::as_object(item);
    const std::string name(json::string_or(object, "name"));
    folder.write("tokenizer.json", json::raw(*json::find(object, "tokenizer")));
    const auto tokenizer = load_tokenizer(folder.path());
    ASSERT_TRUE(tokenizer) << name << ": " << tokenizer.error().message;
    const auto cases = *json::as_array(*json::find(object, "cases"));
    for (const json::Value one : cases) {
      const auto expected_case = *json::as_object(one);
      Ids expected;
      const auto ids = *json::as_array(*json::find(expected_case, "ids"));
      for (const json::Value id : ids) expected.push_back(int32_t(*json::as_int(id)));
      const std::string_view input = json::string_or(expected_case, "text");
      EXPECT_EQ(encode(**tokenizer, input), expected) << name << " of «" << input << "»";
      ++checked;
    }
  }
  EXPECT_GT(checked, 500u);
}

struct Vector {
  std::string_view text;
  Ids ids;
};

// Recorded from Hugging Face's tokenizers 0.23.
TEST(HfTokenizer, MiniLm) {
  const fs::path folder = models() / "minilm-tokenizer";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not at hand";
  const auto tokenizer = load_tokenizer(folder);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const Vector vectors[] = {
      {"Once upon a time, there was a little girl named Lily.", {2320, 2588, 1037, 2051, 1010, 2045, 2001, 1037, 2210, 2611, 2315, 7094, 1012}},
      {"Hello,   World! It's 12345.", {7592, 1010, 2088, 999, 2009, 1005, 1055, 13138, 19961, 1012}},
      {"naïve café über 世界 🌍", {15743, 7668, 19169, 1745, 100, 100}},
      {"the unbelievable antidisestablishmentarianism", {1996, 23653, 3424, 10521, 4355, 7875, 13602, 3672, 12199, 2964}},
      {"  lead and trail  ", {2599, 1998, 4446}},
      {"line\nbreak\ttab", {2240, 3338, 21628}},
      {"ÀÉÎ ﬁ ½ x²", {29347, 2072, 1984, 1092, 1060, 10701}},
      {"don't [MASK] <unk> me", {2123, 1005, 1056, 103, 1026, 4895, 2243, 1028, 2033}},
      {"안녕하세요 Привет", {1463, 30006, 30021, 29992, 30010, 30025, 30005, 30006, 29997, 30009, 29999, 30013, 1194, 16856, 10325, 25529, 15290, 22919}},
  };
  for (const Vector& v : vectors) EXPECT_EQ(encode(**tokenizer, v.text), v.ids) << v.text;
  const SpecialTokens& special = (*tokenizer)->special();
  EXPECT_EQ(special.cls, 101);
  EXPECT_EQ(special.sep, 102);
  EXPECT_EQ(special.bos, 101);
  EXPECT_EQ(special.eos, 102);
  EXPECT_EQ(special.pad, 0);
  EXPECT_EQ(special.unk, 100);
  EXPECT_EQ(special.mask, 103);
  Ids whole;
  (*tokenizer)->encode_whole("hello world", whole);
  EXPECT_EQ(whole, (Ids{101, 7592, 2088, 102}));
  EXPECT_EQ((*tokenizer)->decode(whole), "hello world");
  // What a user writes is no command.
  const Ids plain = encode(**tokenizer, "[MASK]", false);
  EXPECT_EQ(std::ranges::count(plain, 103), 0);
}

TEST(HfTokenizer, TinyStories) {
  const fs::path folder = models() / "tinystories-656k";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not at hand";
  for (const fs::path& path : {folder, folder / "tokenizer.json"}) {
    const auto tokenizer = load_tokenizer(path);
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    const Vector vectors[] = {
      {"Once upon a time, there was a little girl named Lily.", {80, 147, 201, 282, 215, 286, 598, 629, 10}},
      {"Hello,   World! It's 12345.", {80, 1443, 80, 80, 48, 117, 555, 271, 1504, 12, 13, 14, 15, 16, 10}},
      {"naïve café über 世界 🌍", {80, 557, 0, 218, 295, 58, 0, 80, 0, 1824, 0, 80, 0}},
      {"the unbelievable antidisestablishmentarianism", {108, 148, 164, 158, 745, 1822, 1568, 121, 61, 178, 1138, 54, 158, 169, 65, 443, 101, 61, 116, 61, 322}},
      {"  lead and trail  ", {80, 80, 80, 656, 1619, 925, 835, 80}},
      {"line\nbreak\ttab", {80, 64, 96, 57, 3, 1229, 63, 0, 292, 54}},
      {"ÀÉÎ ﬁ ½ x²", {80, 0, 80, 0, 80, 0, 80, 76, 0}},
      {"don't [MASK] <unk> me", {80, 849, 0, 38, 26, 44, 36, 0, 0, 80, 452}},
      {"안녕하세요 Привет", {80, 0, 80, 0}},
    };
    for (const Vector& v : vectors) EXPECT_EQ(encode(**tokenizer, v.text), v.ids) << v.text;
    const SpecialTokens& special = (*tokenizer)->special();
    EXPECT_EQ(special.bos, 1);
    EXPECT_EQ(special.eos, 2);
    EXPECT_TRUE(special.add_bos);
    EXPECT_FALSE(special.add_eos);
    EXPECT_TRUE(special.ends_generation(2));
    EXPECT_EQ((*tokenizer)->decode(encode(**tokenizer, "Once upon a time")), "Once upon a time");
    EXPECT_EQ((*tokenizer)->piece(1), "<|start_story|>");
    EXPECT_TRUE((*tokenizer)->is_control(1));
  }
}

TEST(HfTokenizer, SaysWhatItDoesNotHave) {
  const Folder folder;
  const auto message = [&](std::string_view text) {
    folder.write("tokenizer.json", text);
    const auto loaded = load_tokenizer(folder.path());
    return loaded ? std::string("loaded") : std::string(code_name(loaded.error().code)) + ": " + loaded.error().message;
  };
  const std::string model = R"("model":{"type":"WordPiece","vocab":{"a":0},"unk_token":"a"})";
  EXPECT_EQ(message("{" + model + "}"), "loaded");
  EXPECT_NE(message(R"({"normalizer":{"type":"Rot13"},)" + model + "}").find("unsupported: "), std::string::npos);
  EXPECT_NE(message(R"({"normalizer":{"type":"Rot13"},)" + model + "}").find("'Rot13'"), std::string::npos);
  EXPECT_NE(message(R"({"pre_tokenizer":{"type":"UnicodeScripts"},)" + model + "}").find("'UnicodeScripts'"), std::string::npos);
  EXPECT_NE(message(R"({"pre_tokenizer":{"type":"Split","pattern":{"Regex":"(x"}},)" + model + "}").find("(x"), std::string::npos);
  EXPECT_NE(message(R"({"model":{"type":"WordLevel","vocab":{}}})").find("'WordLevel'"), std::string::npos);
  EXPECT_NE(message(R"({"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}})").find("'a'"), std::string::npos);
  EXPECT_NE(message(R"({"model":{"type":"BPE","vocab":{"a":1},"merges":["a"]}})").find("merge 0"), std::string::npos);
  EXPECT_NE(message(R"({"model":{"type":"BPE","vocab":{"a":99999999999},"merges":[]}})").find("'a'"), std::string::npos);
  EXPECT_NE(message("{").find("tokenizer.json"), std::string::npos);
  EXPECT_NE(message("[]").find("tokenizer.json"), std::string::npos);
}

}  // namespace
}  // namespace ajar::engine
