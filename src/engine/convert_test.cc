#include "engine/convert.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "engine/gguf.h"
#include "engine/random_model.h"
#include "engine/test_files.h"
#include "engine/tokenizer.h"

namespace ajar::engine {
namespace {

namespace fs = std::filesystem;

fs::path models() {
  const char* shared = std::getenv("AJAR_SHARED");
  return (shared ? fs::path(shared) : fs::path(AJAR_SOURCE_DIR) / "../shared/data") / "models";
}

std::vector<float> floats_of(const Tensor* tensor) {
  if (tensor == nullptr) return ADD_FAILURE() << "no such tensor", std::vector<float>();
  std::vector<float> out(size_t(tensor->columns() * tensor->rows()));
  dequantize_row(tensor->dtype, tensor->bytes.data(), out.data(), int64_t(out.size()));
  return out;
}
double error_of_rows(const std::vector<float>& x, const std::vector<float>& y) {
  double lost = 0, all = 0;
  for (size_t i = 0; i < x.size(); ++i) lost += (x[i] - y[i]) * double(x[i] - y[i]), all += double(x[i]) * x[i];
  return std::sqrt(lost / all);
}

std::shared_ptr<const Checkpoint> opened(const std::string& path) {
  auto checkpoint = Checkpoint::open(path);
  if (!checkpoint) return ADD_FAILURE() << checkpoint.error().message, nullptr;
  return *checkpoint;
}

TEST(Convert, MixesFormats) {
  const Folder folder;
  ASSERT_TRUE(write_random_model(*random_shape("tiny-llama"), folder.at("f16.gguf")));
  const auto from = opened(folder.at("f16.gguf"));
  ASSERT_TRUE(from);
  for (const Recipe& recipe : recipes()) {
    SCOPED_TRACE(recipe.name);
    const std::string path = folder.at(std::string(recipe.name) + ".gguf");
    int64_t last = 0;
    const auto report = convert_checkpoint(*from, path, {.recipe = &recipe, .threads = 2,
                                                         .progress = [&](int64_t done, int64_t) { last = done; }});
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_GT(last, 0);
    EXPECT_TRUE(report->notes.empty());
    const auto to = opened(path);
    ASSERT_TRUE(to);
    EXPECT_EQ(to->gguf()->integer("general.file_type"), int64_t(recipe.gguf_file_type));
    EXPECT_EQ(to->gguf()->strings("tokenizer.ggml.tokens").size(), 384u);
    EXPECT_EQ(to->find("blk.0.attn_norm.weight")->dtype, Dtype::kF32);
    EXPECT_EQ(to->find("blk.0.attn_q.weight")->dtype, recipe.base);
    EXPECT_LT(error_of_rows(floats_of(from->find("blk.0.ffn_up.weight")), floats_of(to->find("blk.0.ffn_up.weight"))), 0.3);
    if (recipe.name == "Q4_K_M") {
      EXPECT_EQ(to->find("token_embd.weight")->dtype, Dtype::kQ6_K);  // tied
      EXPECT_EQ(to->find("blk.2.attn_v.weight")->dtype, Dtype::kQ6_K);
      EXPECT_EQ(to->find("blk.2.ffn_down.weight")->dtype, Dtype::kQ6_K);
      EXPECT_EQ(to->find("blk.0.ffn_down.weight")->dtype, Dtype::kQ4_K);
      // What is quantised is taken as it is, or not at all.
      const auto again = convert_checkpoint(*to, folder.at("x.gguf"), {.recipe = *find_recipe("Q8_0")});
      EXPECT_NE(again.error().message.find("quantised already"), std::string::npos);
      EXPECT_FALSE(fs::exists(folder.at("x.gguf")));
      ASSERT_TRUE(convert_checkpoint(*to, folder.at("x.gguf"), {.recipe = *find_recipe("Q8_0"), .requantize = true}));
      EXPECT_EQ(convert_checkpoint(*from, folder.at("x.gguf"), {.recipe = &recipe}).error().code, Code::kConflict);
      ASSERT_TRUE(convert_checkpoint(*from, folder.at("x.gguf"), {.recipe = &recipe, .replace = true, .threads = 1}));
      EXPECT_EQ(slurp(folder.at("x.gguf")), slurp(path));  // whatever the number of threads
    }
    fs::remove(path);
  }
  EXPECT_EQ((*find_recipe("q4_k"))->name, "Q4_K_M");
  EXPECT_NE(find_recipe("Q4").error().message.find("Q4_K_M"), std::string::npos);
}

TEST(Convert, RowsThatDoNotDivide) {
  RandomModel model = *random_shape("tiny-llama");
  model.config.embedding = 96;
  model.config.feed_forward = 320;
  model.config.layers = 1;
  const Folder folder;
  ASSERT_TRUE(write_random_model(model, folder.at("a.gguf")));
  const auto report = convert_checkpoint(*opened(folder.at("a.gguf")), folder.at("b.gguf"), {.recipe = *find_recipe("Q4_K_M")});
  ASSERT_TRUE(report);
  ASSERT_EQ(report->notes.size(), 1u);
  EXPECT_NE(report->notes[0].find("blocks of 256 do not divide"), std::string::npos);
  const auto to = opened(folder.at("b.gguf"));
  EXPECT_EQ(to->find("token_embd.weight")->dtype, Dtype::kQ8_0);
  EXPECT_EQ(to->find("blk.0.attn_q.weight")->dtype, Dtype::kQ5_0);
  EXPECT_EQ(to->find("blk.0.attn_output.weight")->dtype, Dtype::kQ4_K);  // 8 heads of 32
}

TEST(Convert, RefusesNumbersThatAreNotFinite) {
  const Folder folder;
  RandomModel model = *random_shape("tiny-llama");
  model.dtype = Dtype::kF32;
  ASSERT_TRUE(write_random_model(model, folder.at("a.gguf")));
  std::string bytes = slurp(folder.at("a.gguf"));
  const float infinite = INFINITY;
  std::memcpy(bytes.data() + bytes.size() - 4, &infinite, 4);
  folder.write("a.gguf", bytes);
  const auto report = convert_checkpoint(*opened(folder.at("a.gguf")), folder.at("b.gguf"), {.recipe = *find_recipe("Q4_0")});
  EXPECT_NE(report.error().message.find("has a number that is not finite"), std::string::npos);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST(Convert, BringsHuggingFaceIntoOrder) {
  const Folder folder;
  folder.write("config.json", R"({"model_type":"mixtral","hidden_size":64,"intermediate_size":128,"num_attention_heads":4,
      "num_key_value_heads":2,"num_hidden_layers":2,"vocab_size":96,"max_position_embeddings":512,"num_local_experts":4,
      "num_experts_per_tok":2,"rope_scaling":{"factor":8,"high_freq_factor":4,"low_freq_factor":1,
      "original_max_position_embeddings":64,"rope_type":"llama3"}})");
  folder.write("model.safetensors", safetensors_of(expanded({
      {"model.embed_tokens.weight", {96, 64}}, {"lm_head.weight", {96, 64}}, {"model.norm.weight", {64}},
      {"model.layers.{L}.input_layernorm.weight", {64}}, {"model.layers.{L}.post_attention_layernorm.weight", {64}},
      {"model.layers.{L}.self_attn.q_proj.weight", {64, 64}}, {"model.layers.{L}.self_attn.k_proj.weight", {32, 64}},
      {"model.layers.{L}.self_attn.v_proj.weight", {32, 64}}, {"model.layers.{L}.self_attn.o_proj.weight", {64, 64}},
      {"model.layers.{L}.block_sparse_moe.gate.weight", {4, 64}},
      {"model.layers.{L}.block_sparse_moe.experts.{E}.w1.weight", {128, 64}},
      {"model.layers.{L}.block_sparse_moe.experts.{E}.w2.weight", {64, 128}},
      {"model.layers.{L}.block_sparse_moe.experts.{E}.w3.weight", {128, 64}}}), "F32"));
  const auto from = opened(folder.path());
  ASSERT_TRUE(from);
  const auto report = convert_checkpoint(*from, folder.at("m.gguf"), {.recipe = *find_recipe("F32")});
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->notes.size(), 1u);
  EXPECT_NE(report->notes[0].find("the tokenizer is not carried over"), std::string::npos);
  const auto to = opened(folder.at("m.gguf"));
  ASSERT_TRUE(to);
  EXPECT_EQ(to->config().rope.kind, RopeKind::kInterleaved);
  EXPECT_EQ(to->config().rope.factors, from->config().rope.factors);
  EXPECT_EQ(to->config().experts, 4);
  // Heads of 16 rows: rows 0, 8, 1, 9, … of the source.
  const auto q = floats_of(from->find("blk.1.attn_q.weight")), paired = floats_of(to->find("blk.1.attn_q.weight"));
  EXPECT_EQ(paired[0 * 64], q[0 * 64]);
  EXPECT_EQ(paired[1 * 64 + 3], q[8 * 64 + 3]);
  EXPECT_EQ(paired[2 * 64], q[1 * 64]);
  EXPECT_EQ(paired[17 * 64], q[24 * 64]);
  EXPECT_EQ(floats_of(to->find("blk.0.attn_v.weight")), floats_of(from->find("blk.0.attn_v.weight")));
  const Tensor* stacked = to->find("blk.1.ffn_down_exps.weight");
  ASSERT_NE(stacked, nullptr);
  EXPECT_EQ(stacked->shape, (std::array<int64_t, 4>{128, 64, 4, 1}));
  const auto all = floats_of(stacked), third = floats_of(from->find("blk.1.ffn_down.2.weight"));
  EXPECT_TRUE(std::equal(third.begin(), third.end(), all.begin() + 2 * 128 * 64));
}

TEST(Convert, CarriesTokenizers) {
  const fs::path source = models() / "tinystories-656k";
  if (!fs::exists(source)) GTEST_SKIP() << source << " is not at hand";
  const Folder folder;
  const auto report = convert_checkpoint(*opened(source), folder.at("t.gguf"), {.recipe = *find_recipe("F32")});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->notes.empty());
  const auto to = opened(folder.at("t.gguf"));
  ASSERT_TRUE(to);
  const GgufMetadata& keys = *to->gguf();
  EXPECT_EQ(keys.string("tokenizer.ggml.model"), "llama");
  EXPECT_EQ(keys.integer("tokenizer.ggml.bos_token_id"), 1);
  EXPECT_EQ(keys.integer("tokenizer.ggml.eos_token_id"), 2);
  EXPECT_EQ(keys.boolean("tokenizer.ggml.add_bos_token"), true);
  const auto tokenizer = load_tokenizer(folder.at("t.gguf"));
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  // As the tokenizers library encodes it, whose decoder also takes away the first blank.
  std::vector<int32_t> ids;
  (*tokenizer)->encode("Once upon a time, there was a little girl named Lily.", ids);
  EXPECT_EQ(ids, (std::vector<int32_t>{80, 147, 201, 282, 215, 286, 598, 629, 10}));
}

TEST(Convert, CarriesKindsOfTokenizers) {
  const Folder folder;
  folder.write("config.json", R"({"model_type":"qwen2","hidden_size":64,"intermediate_size":128,"num_attention_heads":4,
      "num_key_value_heads":2,"num_hidden_layers":1,"vocab_size":8,"max_position_embeddings":512,"bos_token_id":5})");
  folder.write("model.safetensors", safetensors_of({
      {"model.embed_tokens.weight", {8, 64}}, {"model.norm.weight", {64}},
      {"model.layers.0.input_layernorm.weight", {64}}, {"model.layers.0.post_attention_layernorm.weight", {64}},
      {"model.layers.0.self_attn.q_proj.weight", {64, 64}}, {"model.layers.0.self_attn.k_proj.weight", {32, 64}},
      {"model.layers.0.self_attn.v_proj.weight", {32, 64}}, {"model.layers.0.self_attn.o_proj.weight", {64, 64}},
      {"model.layers.0.mlp.gate_proj.weight", {128, 64}}, {"model.layers.0.mlp.up_proj.weight", {128, 64}},
      {"model.layers.0.mlp.down_proj.weight", {64, 128}}}, "F32"));
  const std::string added = R"("added_tokens":[{"id":5,"content":"<s>","special":true},{"id":6,"content":"<tool>","special":false}],)";
  const auto converted = [&](const std::string& tokenizer) {
    folder.write("tokenizer.json", "{" + added + tokenizer + "}");
    return convert_checkpoint(*opened(folder.path()), folder.at("m.gguf"), {.recipe = *find_recipe("F16"), .replace = true});
  };
  auto report = converted(R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":
      "(?i:'s)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"}},{"type":"ByteLevel"}]},
      "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}}]},
      "model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":[["a","b"]]})");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->notes.empty());
  const auto bpe = opened(folder.at("m.gguf"));
  EXPECT_EQ(bpe->gguf()->string("tokenizer.ggml.pre"), "qwen2");
  EXPECT_EQ(bpe->gguf()->strings("tokenizer.ggml.merges"), (std::vector<std::string_view>{"a b"}));
  EXPECT_EQ(bpe->gguf()->integers("tokenizer.ggml.token_type"), (std::vector<int32_t>{1, 1, 1, 5, 5, 3, 4, 5}));
  EXPECT_EQ(bpe->gguf()->integer("tokenizer.ggml.bos_token_id"), 5);
  EXPECT_EQ(bpe->gguf()->boolean("tokenizer.ggml.add_bos_token"), true);
  report = converted(R"("model":{"type":"WordPiece","unk_token":"a","vocab":{"a":0,"##b":1,"c":2}})");
  ASSERT_TRUE(report);
  const auto wordpiece = opened(folder.at("m.gguf"));
  EXPECT_EQ(wordpiece->gguf()->strings("tokenizer.ggml.tokens")[0], "\u2581a");
  EXPECT_EQ(wordpiece->gguf()->strings("tokenizer.ggml.tokens")[1], "b");
  report = converted(R"("model":{"type":"Unigram","vocab":[["a",0]]})");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->notes, (std::vector<std::string>{"tokenizers of the kind 'Unigram' are not carried over"}));
  report = converted(R"("model":{"type":"BPE","vocab":{"a":8},"merges":[]})");
  EXPECT_NE(report.error().message.find("the token 'a' has no id below 8"), std::string::npos);
  report = converted(R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"odd"}},"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]})");
  ASSERT_EQ(report->notes.size(), 1u);
  EXPECT_NE(report->notes[0].find("none that is known"), std::string::npos);
}

}  // namespace
}  // namespace ajar::engine
