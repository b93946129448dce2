#include "app/hub.h"

#include <gtest/gtest.h>

namespace ajar::app {
namespace {

std::string parsed(std::string_view text, std::string_view hub = "") {
  const auto name = parse_model_name(text, hub);
  return name ? name->hub + "|" + name->repo + "|" + name->wanted : "refused";
}

TEST(Hub, ReadsModelNames) {
  EXPECT_EQ(parsed("org/name"), "https://huggingface.co|org/name|");
  EXPECT_EQ(parsed("org/name:Q4_K_M"), "https://huggingface.co|org/name|Q4_K_M");
  EXPECT_EQ(parsed("org/na.me-1_x:sub/file.gguf"), "https://huggingface.co|org/na.me-1_x|sub/file.gguf");
  EXPECT_EQ(parsed("hf.co/org/name"), "https://huggingface.co|org/name|");
  EXPECT_EQ(parsed("mirror.example/org/name:F16"), "https://mirror.example|org/name|F16");
  EXPECT_EQ(parsed("http://127.0.0.1:8000/org/name:F16"), "http://127.0.0.1:8000|org/name|F16");
  EXPECT_EQ(parsed("org/name", "https://mirror.example/"), "https://mirror.example|org/name|");
  for (const char* bad : {"", "name", "a/b/c", "../x", "org/..", "org/.x", "org/na me", "org/name:", "org/name:../x", "org/name:/x",
                          "org/name:a\\b", "ftp://host/org/name", "https://host", "..//a/b", "org/na\nme"}) {
    EXPECT_EQ(parsed(bad), "refused") << bad;
  }
  EXPECT_EQ(parse_model_name("org/name", "")->folder(), "org--name");
}

std::string chosen(const std::vector<std::string>& names, std::string_view wanted) {
  HubModel model;
  for (const std::string& name : names) model.files.push_back({.name = name, .size = 1});
  const auto files = choose_files(model, wanted);
  if (!files) return "error: " + files.error().message;
  std::string out;
  for (const HubFile& file : *files) out += (out.empty() ? "" : " ") + file.name;
  return out;
}

TEST(Hub, ChoosesFiles) {
  const std::vector<std::string> many = {"README.md", "M-IQ2_XXS.gguf", "M-Q8_0.gguf", "M-Q4_K_M.gguf", "M-Q4_K_M_L.gguf", "mmproj-M-f16.gguf",
                                         "bf16/M-BF16-00002-of-00002.gguf", "bf16/M-BF16-00001-of-00002.gguf"};
  EXPECT_EQ(chosen(many, ""), "M-Q4_K_M.gguf");
  EXPECT_EQ(chosen(many, "q8_0"), "M-Q8_0.gguf");
  EXPECT_EQ(chosen(many, "IQ2_XXS"), "M-IQ2_XXS.gguf");
  EXPECT_EQ(chosen(many, "BF16"), "bf16/M-BF16-00001-of-00002.gguf bf16/M-BF16-00002-of-00002.gguf");
  EXPECT_EQ(chosen(many, "bf16/M-BF16-00001-of-00002.gguf"), "bf16/M-BF16-00001-of-00002.gguf bf16/M-BF16-00002-of-00002.gguf");
  EXPECT_EQ(chosen(many, "README.md"), "README.md");
  EXPECT_NE(chosen(many, "Q5_K_M").find("has no 'Q5_K_M'; it has M-IQ2_XXS.gguf"), std::string::npos);
  EXPECT_EQ(chosen({"x-f16.gguf", "x.q5_k_m.gguf", "x-q8_0.gguf"}, ""), "x.q5_k_m.gguf");
  EXPECT_EQ(chosen({"whatever.gguf"}, ""), "whatever.gguf");
  EXPECT_NE(chosen({"a-IQ1_S.gguf", "b-IQ2_S.gguf"}, "").find("name one of"), std::string::npos);
  EXPECT_EQ(chosen({"config.json", "model-00001-of-00002.safetensors", "pytorch_model.bin", "onnx/model.onnx"}, ""),
            "config.json model-00001-of-00002.safetensors");
  EXPECT_NE(chosen({"config.json", "pytorch_model.bin"}, "").find("neither GGUF files nor safetensors"), std::string::npos);
}

TEST(Hub, ReadsTheAnswerOfTheApi) {
  const auto model = read_hub_model(R"({"sha":"abc","gated":"manual","cardData":{"license":"other","license_name":"gemma"},"siblings":[
      {"rfilename":".gitattributes","size":1},{"rfilename":"a/../../b","size":1},{"rfilename":"/etc/x","size":1},{"rfilename":"a\\b","size":1},
      {"rfilename":"m.gguf","size":5,"lfs":{"sha256":"ABCD","size":7}}]})");
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->licence, "gemma");
  EXPECT_TRUE(model->gated);
  ASSERT_EQ(model->files.size(), 1u);
  EXPECT_EQ(model->files[0].size, 7);
  EXPECT_EQ(model->files[0].sha256, "abcd");
  EXPECT_EQ(read_hub_model(R"({"tags":["x","license:mit"],"siblings":[]})")->licence, "mit");
  EXPECT_EQ(read_hub_model("[]").error().code, Code::kUpstream);
  EXPECT_EQ(read_hub_model(R"({"siblings":3})").error().code, Code::kUpstream);
}

}  // namespace
}  // namespace ajar::app
