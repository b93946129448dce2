// SentencePiece models in GGUF files against SentencePiece itself: tests/tokenizers/make_spm.py recorded them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "engine/tokenizer.h"
#include "json/read.h"

namespace ajar::engine {
namespace {

namespace fs = std::filesystem;

// A GGUF file of metadata alone.
class Gguf {
 public:
  void text(std::string_view key, std::string_view value) { entry(key, 8), string(value); }
  void flag(std::string_view key, bool value) { entry(key, 7), body_ += char(value); }
  void number(std::string_view key, uint32_t value) { entry(key, 4), raw(value); }
  void array(std::string_view key, uint32_t type, uint64_t count) { entry(key, 9), raw(type), raw(count); }
  void string(std::string_view value) { raw(uint64_t(value.size())), body_ += value; }
  template <class T>
  void raw(T value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    body_.append(bytes, sizeof(T));
  }
  std::string bytes() {
    Gguf head;
    head.body_ = "GGUF";
    head.raw(uint32_t(3)), head.raw(uint64_t(0)), head.raw(entries_);
    return head.body_ + body_;
  }

 private:
  void entry(std::string_view key, uint32_t type) { string(key), raw(type), ++entries_; }
  std::string body_;
  uint64_t entries_ = 0;
};

TEST(SentencePiece, GgufModelsEncodeAsItDoes) {
  std::ifstream in(fs::path(AJAR_SOURCE_DIR) / "tests/tokenizers/spm.json", std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  json::Document document;
  const auto root = document.parse_object(text.str());
  ASSERT_TRUE(root);
  const fs::path path = fs::temp_directory_path() / ("ajar-spm-" + std::to_string(getpid()) + ".gguf");
  const auto models = *json::as_array(*json::find(*root, "models"));
  size_t checked = 0;
  for (const json::Value item : models) {
    const auto model = *json::as_object(item);
    const auto list = [&](const char* key) { return *json::as_array(*json::find(model, key)); };
    Gguf gguf;
    gguf.text("tokenizer.ggml.model", json::string_or(model, "model"));
    gguf.array("tokenizer.ggml.tokens", 8, list("tokens").size());
    for (const json::Value token : list("tokens")) gguf.string(*json::as_string(token));
    gguf.array("tokenizer.ggml.scores", 6, list("scores").size());
    for (const json::Value score : list("scores")) gguf.raw(float(*json::as_double(score)));
    gguf.array("tokenizer.ggml.token_type", 5, list("types").size());
    for (const json::Value type : list("types")) gguf.raw(int32_t(*json::as_int(type)));
    const auto map = *base64_decode(json::string_or(model, "charsmap"));
    if (!map.empty()) {
      gguf.array("tokenizer.ggml.precompiled_charsmap", 1, map.size());
      for (const char c : map) gguf.raw(c);
    }
    gguf.flag("tokenizer.ggml.add_space_prefix", *json::as_bool(*json::find(model, "add_space_prefix")));
    gguf.flag("tokenizer.ggml.remove_extra_whitespaces", *json::as_bool(*json::find(model, "remove_extra_whitespaces")));
    gguf.number("tokenizer.ggml.unknown_token_id", 0);
    gguf.number("tokenizer.ggml.bos_token_id", 1);
    gguf.number("tokenizer.ggml.eos_token_id", 2);
    std::ofstream(path, std::ios::binary) << gguf.bytes();
    const auto tokenizer = load_tokenizer(path);
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    for (const json::Value one : list("cases")) {
      const auto object = *json::as_object(one);
      std::vector<int32_t> expected, ids;
      const auto wanted = *json::as_array(*json::find(object, "ids"));
      for (const json::Value id : wanted) expected.push_back(int32_t(*json::as_int(id)));
      const std::string_view input = json::string_or(object, "text");
      (*tokenizer)->encode(input, ids);
      EXPECT_EQ(ids, expected) << json::string_or(model, "name") << " of «" << input << "»";
      ++checked;
    }
    EXPECT_EQ((*tokenizer)->special().eos, 2);
    EXPECT_TRUE((*tokenizer)->special().ends_generation(2));
    EXPECT_TRUE((*tokenizer)->is_control(1));
  }
  fs::remove(path);
  EXPECT_GT(checked, 90u);
}

}  // namespace
}  // namespace ajar::engine
