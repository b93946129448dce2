#include "engine/hf_config.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/checkpoint.h"
#include "engine/model_check.h"
#include "engine/test_files.h"

namespace ajar::engine {
namespace {

class HfFolder : public testing::Test {
 protected:
  void write(const std::string& name, std::string_view text) const { folder_.write(name, text); }
  void tensors(const std::string& file, const Shapes& shapes, const std::string& dtype = "BF16", size_t shift = 0) const {
    folder_.write(file, safetensors_of(shapes, dtype, shift));
  }
  std::shared_ptr<const Checkpoint> open() const {
    auto opened = Checkpoint::open(folder_.path());
    if (!opened) ADD_FAILURE() << opened.error().message;
    return opened ? *opened : nullptr;
  }
  std::string fault() const {
    const auto opened = Checkpoint::open(folder_.path());
    return opened ? "good" : opened.error().message;
  }

  const Folder folder_;
};

const Shapes kLlama = expanded({
    {"model.embed_tokens.weight", {96, 64}}, {"model.norm.weight", {64}}, {"model.layers.{L}.input_layernorm.weight", {64}},
    {"model.layers.{L}.post_attention_layernorm.weight", {64}}, {"model.layers.{L}.self_attn.q_proj.weight", {64, 64}},
    {"model.layers.{L}.self_attn.k_proj.weight", {32, 64}}, {"model.layers.{L}.self_attn.v_proj.weight", {32, 64}},
    {"model.layers.{L}.self_attn.o_proj.weight", {64, 64}}, {"model.layers.{L}.mlp.gate_proj.weight", {128, 64}},
    {"model.layers.{L}.mlp.up_proj.weight", {128, 64}}, {"model.layers.{L}.mlp.down_proj.weight", {64, 128}}});
const std::string kLlamaConfig =
    R"("model_type":"llama","hidden_size":64,"intermediate_size":128,"num_attention_heads":4,"num_key_value_heads":2,
       "num_hidden_layers":2,"vocab_size":96,"max_position_embeddings":131072,"rms_norm_eps":1e-5,"rope_theta":500000.0)";

TEST_F(HfFolder, Llama3) {
  write("config.json", "{" + kLlamaConfig + R"(,"tie_word_embeddings":true,"rope_scaling":{"factor":32.0,"high_freq_factor":4.0,
        "low_freq_factor":1.0,"original_max_position_embeddings":8192,"rope_type":"llama3"}})");
  tensors("model.safetensors", kLlama);
  write("README.md", "---\nlanguage:\n- en\nlicense: llama3.2\n---\n# A model\n");
  write("tokenizer_config.json", R"({"model_max_length":1000000000000000019884624838656,"chat_template":"{{ \"1234567890123456789012\" }}"})");
  const auto checkpoint = open();
  ASSERT_TRUE(checkpoint);
  const ModelConfig& c = checkpoint->config();
  EXPECT_EQ(c.architecture, "llama");
  EXPECT_EQ(c.licence, "llama3.2");
  EXPECT_EQ(c.head_dim, 16);
  EXPECT_EQ(c.rope.kind, RopeKind::kHalves);
  EXPECT_EQ(c.rope.scaling, RopeScaling::kLlama3);
  ASSERT_EQ(c.rope.factors.size(), 8u);
  EXPECT_EQ(c.rope.factors[0], 1.0f);
  EXPECT_EQ(c.rope.factors[7], 32.0f);
  EXPECT_GT(c.rope.factors[4], 1.0f);  // between the two bounds
  EXPECT_LT(c.rope.factors[4], 32.0f);
  EXPECT_EQ(checkpoint->chat_template(), "{{ \"1234567890123456789012\" }}");
  EXPECT_EQ(shape_text(checkpoint->find("blk.1.attn_k.weight")->shape), "64 x 32");
  EXPECT_EQ(checkpoint->find("blk.1.attn_k.weight")->dtype, Dtype::kBF16);
}

TEST_F(HfFolder, ShardsAndFaults) {
  write("config.json", "{" + kLlamaConfig + "}");
  EXPECT_NE(fault().find("neither model.safetensors nor"), std::string::npos);
  tensors("model-1.safetensors", Shapes(kLlama.begin(), kLlama.begin() + 7), "F32");
  tensors("model-2.safetensors", Shapes(kLlama.begin() + 7, kLlama.end()), "F16", 3);  // not aligned
  const auto index = [&](const std::string& second) {
    write("model.safetensors.index.json",
          R"({"weight_map":{"model.norm.weight":"model-1.safetensors","b":")" + second + "\"}}");
  };
  index("../model-2.safetensors");
  EXPECT_NE(fault().find("the file of b is not one of this folder"), std::string::npos);
  index("none.safetensors");
  EXPECT_NE(fault().find("No such file"), std::string::npos);
  index("model-1.safetensors");
  EXPECT_NE(fault().find("is missing"), std::string::npos);
  index("model-2.safetensors");
  const auto checkpoint = open();
  ASSERT_TRUE(checkpoint);
  for (const Tensor& tensor : checkpoint->tensors()) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.bytes.data()) % size_t(dtype_info(tensor.dtype).block_bytes), 0u);
    if (tensor.dtype == Dtype::kF16) EXPECT_EQ(tensor.bytes[0], std::byte{0x3c});
  }
  for (const auto& [json, what] : std::initializer_list<std::pair<std::string, std::string>>{
           {"{", "config.json"},
           {"{}", "the model type '' is not supported; those that are: llama, mistral"},
           {R"({"model_type":"gpt2"})", "the model type 'gpt2' is not supported"},
           {"{" + kLlamaConfig + R"(,"quantization_config":{}})", "quantised folders"},
           {R"({"model_type":"llama"})", "vocab_size is missing"},
           {"{" + kLlamaConfig + R"(,"head_dim":"x"})", "head_dim is not a whole number"},
           {"{" + kLlamaConfig + R"(,"head_dim":17})", "odd"},
           {"{" + kLlamaConfig + R"(,"hidden_act":"relu"})", "the activation 'relu'"},
           {"{" + kLlamaConfig + R"(,"head_dim":32})", "where the configuration says 64 x 128"},
           {"{" + kLlamaConfig + R"(,"rope_scaling":{"type":"odd","factor":2}})", "scaling 'odd'"},
           {"{" + kLlamaConfig + R"(,"rope_scaling":{"rope_type":"llama3","factor":2,"low_freq_factor":4,"high_freq_factor":1}})", "in order"},
           {"{" + kLlamaConfig + R"(,"rope_scaling":{"type":"longrope","long_factor":[1,2],"short_factor":[1,2]}})", "2 factors"},
       }) {
    write("config.json", json);
    EXPECT_NE(fault().find(what), std::string::npos) << fault();
  }
}

TEST_F(HfFolder, TiedUnderTheOtherName) {
  Shapes shapes = kLlama;
  shapes[0].first = "lm_head.weight";
  tensors("model.safetensors", shapes);
  write("config.json", "{" + kLlamaConfig + "}");
  EXPECT_NE(fault().find("token_embd.weight is missing"), std::string::npos);
  write("config.json", "{" + kLlamaConfig + R"(,"tie_word_embeddings":true})");
  EXPECT_NE(open()->find("token_embd.weight"), nullptr);
}

TEST_F(HfFolder, UnknownTensors) {
  Shapes shapes = kLlama;
  shapes.emplace_back("model.layers.0.self_attn.rotary_emb.inv_freq", std::vector<int64_t>{8});
  tensors("model.safetensors", shapes);
  write("config.json", "{" + kLlamaConfig + "}");
  EXPECT_TRUE(open());
  shapes.emplace_back("model.layers.0.self_attn.q_proj.qweight", std::vector<int64_t>{8});
  tensors("model.safetensors", shapes);
  EXPECT_NE(fault().find("no llama model that is known has the tensor model.layers.0.self_attn.q_proj.qweight"), std::string::npos);
}

TEST_F(HfFolder, Mixtral) {
  write("config.json", "{" + kLlamaConfig + R"(,"model_type":"x","num_local_experts":4,"num_experts_per_tok":2,"sliding_window":4096})");
  Shapes shapes;
  for (const auto& row : kLlama) {
    if (row.first.find(".mlp.") == std::string::npos) shapes.push_back(row);
  }
  for (auto& row : expanded({{"model.layers.{L}.block_sparse_moe.gate.weight", {4, 64}},
                             {"model.layers.{L}.block_sparse_moe.experts.{E}.w1.weight", {128, 64}},
                             {"model.layers.{L}.block_sparse_moe.experts.{E}.w2.weight", {64, 128}},
                             {"model.layers.{L}.block_sparse_moe.experts.{E}.w3.weight", {128, 64}}})) {
    shapes.push_back(row);
  }
  tensors("model.safetensors", shapes);
  const auto checkpoint = open();  // the first of two model_types holds
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(checkpoint->config().experts, 4);
  EXPECT_EQ(checkpoint->config().expert_feed_forward, 128);
  EXPECT_TRUE(checkpoint->config().normalize_expert_weights);
  EXPECT_EQ(checkpoint->config().sliding_window, 4096);
  EXPECT_EQ(shape_text(checkpoint->find("blk.1.ffn_down.3.weight")->shape), "128 x 64");
}

TEST_F(HfFolder, Qwen2Moe) {
  write("config.json", R"({"model_type":"qwen2_moe","hidden_size":64,"intermediate_size":256,"num_attention_heads":4,"num_key_value_heads":2,
       "num_hidden_layers":2,"vocab_size":96,"max_position_embeddings":8192,"num_experts":4,"num_experts_per_tok":2,
       "moe_intermediate_size":32,"shared_expert_intermediate_size":48,"sliding_window":100,"use_sliding_window":false,
       "rope_parameters":{"rope_theta":1000000.0,"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":2048}})");
  Shapes shapes;
  for (const auto& row : kLlama) {
    if (row.first.find(".mlp.") == std::string::npos) shapes.push_back(row);
  }
  // Experts as newer files have them: all of a layer in two tensors.
  for (auto& row : expanded({{"model.layers.{L}.self_attn.q_proj.bias", {64}}, {"model.layers.{L}.self_attn.k_proj.bias", {32}},
                             {"model.layers.{L}.self_attn.v_proj.bias", {32}}, {"model.layers.{L}.mlp.gate.weight", {4, 64}},
                             {"model.layers.{L}.mlp.experts.gate_up_proj", {4, 64, 64}},
                             {"model.layers.{L}.mlp.experts.down_proj", {4, 64, 32}},
                             {"model.layers.{L}.mlp.shared_expert.gate_proj.weight", {48, 64}},
                             {"model.layers.{L}.mlp.shared_expert.up_proj.weight", {48, 64}},
                             {"model.layers.{L}.mlp.shared_expert.down_proj.weight", {64, 48}},
                             {"model.layers.{L}.mlp.shared_expert_gate.weight", {1, 64}}})) {
    shapes.push_back(row);
  }
  tensors("model.safetensors", shapes);
  const auto checkpoint = open();
  ASSERT_TRUE(checkpoint);
  const ModelConfig& c = checkpoint->config();
  EXPECT_FALSE(c.normalize_expert_weights);
  EXPECT_EQ(c.sliding_window, 0);
  EXPECT_EQ(c.shared_feed_forward, 48);
  EXPECT_EQ(c.rope.scaling, RopeScaling::kYarn);
  EXPECT_EQ(c.rope.base, 1e6f);
  EXPECT_NEAR(c.rope.attention_factor, 1 + 0.1 * std::log(4), 1e-6);
  const Tensor *gate = checkpoint->find("blk.0.ffn_gate.1.weight"), *up = checkpoint->find("blk.0.ffn_up.1.weight");
  EXPECT_EQ(shape_text(gate->shape), "64 x 32");
  EXPECT_EQ(gate->bytes.data() + gate->bytes.size(), up->bytes.data());
}

TEST_F(HfFolder, Gemma3ThatSees) {
  write("config.json", R"({"model_type":"gemma3","text_config":{"model_type":"gemma3_text","hidden_size":64,"intermediate_size":128,
       "num_hidden_layers":2,"vocab_size":96,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":32,"sliding_window":512,
       "sliding_window_pattern":2,"rope_scaling":{"factor":8.0,"rope_type":"linear"}},"vision_config":{}})");
  Shapes shapes = expanded({{"language_model.model.embed_tokens.weight", {96, 64}}, {"language_model.model.norm.weight", {64}},
                            {"vision_tower.vision_model.x.weight", {4}}, {"multi_modal_projector.y", {4}}});
  const std::string layer = "language_model.model.layers.{L}.";
  for (auto& row : expanded({{layer + "input_layernorm.weight", {64}}, {layer + "post_attention_layernorm.weight", {64}},
                             {layer + "pre_feedforward_layernorm.weight", {64}}, {layer + "post_feedforward_layernorm.weight", {64}},
                             {layer + "self_attn.q_proj.weight", {128, 64}}, {layer + "self_attn.k_proj.weight", {64, 64}},
                             {layer + "self_attn.v_proj.weight", {64, 64}}, {layer + "self_attn.o_proj.weight", {64, 128}},
                             {layer + "self_attn.q_norm.weight", {32}}, {layer + "self_attn.k_norm.weight", {32}},
                             {layer + "mlp.gate_proj.weight", {128, 64}}, {layer + "mlp.up_proj.weight", {128, 64}},
                             {layer + "mlp.down_proj.weight", {64, 128}}})) {
    shapes.push_back(row);
  }
  tensors("model.safetensors", shapes);
  const auto checkpoint = open();
  ASSERT_TRUE(checkpoint);
  const ModelConfig& c = checkpoint->config();
  EXPECT_TRUE(c.norm_plus_one);
  EXPECT_EQ(c.activation, Activation::kGeluTanh);
  EXPECT_EQ(c.embedding_scale, 8);
  EXPECT_EQ(c.attention_scale, 1.0f / 16);
  EXPECT_EQ(c.local_layer, (std::vector<bool>{true, false}));
  EXPECT_EQ(c.rope.base, 1e6f);
  EXPECT_EQ(c.rope.local_base, 1e4f);
  EXPECT_EQ(c.rope.factor, 8);
  EXPECT_EQ(c.context, 131072);
  EXPECT_NE(checkpoint->find("blk.0.post_ffw_norm.weight"), nullptr);
}

TEST_F(HfFolder, Phi3WithLongRope) {
  write("config.json", R"({"model_type":"phi3","hidden_size":64,"intermediate_size":128,"num_attention_heads":4,"num_key_value_heads":2,
       "num_hidden_layers":2,"vocab_size":96,"max_position_embeddings":131072,"original_max_position_embeddings":4096,
       "partial_rotary_factor":0.75,"rms_norm_eps":1e-5,"rope_theta":10000.0,"sliding_window":null,
       "rope_scaling":{"type":"longrope","long_factor":[1,2,3,4,5,6],"short_factor":[1,1,1,1,1,1]}})");
  tensors("model.safetensors", expanded({
      {"model.embed_tokens.weight", {96, 64}}, {"model.norm.weight", {64}}, {"lm_head.weight", {96, 64}},
      {"model.layers.{L}.input_layernorm.weight", {64}}, {"model.layers.{L}.post_attention_layernorm.weight", {64}},
      {"model.layers.{L}.self_attn.qkv_proj.weight", {128, 64}}, {"model.layers.{L}.self_attn.o_proj.weight", {64, 64}},
      {"model.layers.{L}.mlp.gate_up_proj.weight", {256, 64}}, {"model.layers.{L}.mlp.down_proj.weight", {64, 128}}}));
  const auto checkpoint = open();
  ASSERT_TRUE(checkpoint);
  const ModelConfig& c = checkpoint->config();
  EXPECT_EQ(c.rope.dims, 12);
  EXPECT_EQ(c.rope.scaling, RopeScaling::kLongRope);
  EXPECT_EQ(c.rope.long_factors[5], 6);
  EXPECT_NEAR(c.rope.attention_factor, std::sqrt(1 + std::log(32.0) / std::log(4096.0)), 1e-6);
  EXPECT_EQ(shape_text(checkpoint->find("blk.0.ffn_up.weight")->shape), "64 x 256");
}

TEST_F(HfFolder, BertThatRanks) {
  const std::string layer = "bert.encoder.layer.{L}.";
  Shapes shapes = expanded({
      {"bert.embeddings.word_embeddings.weight", {96, 64}}, {"bert.embeddings.position_embeddings.weight", {128, 64}},
      {"bert.embeddings.token_type_embeddings.weight", {2, 64}}, {"bert.embeddings.LayerNorm.gamma", {64}},
      {"bert.embeddings.LayerNorm.beta", {64}}, {"bert.embeddings.position_ids", {1, 128}},
      {layer + "attention.self.query.weight", {64, 64}}, {layer + "attention.self.query.bias", {64}},
      {layer + "attention.self.key.weight", {64, 64}}, {layer + "attention.self.key.bias", {64}},
      {layer + "attention.self.value.weight", {64, 64}}, {layer + "attention.self.value.bias", {64}},
      {layer + "attention.output.dense.weight", {64, 64}}, {layer + "attention.output.dense.bias", {64}},
      {layer + "attention.output.LayerNorm.weight", {64}}, {layer + "attention.output.LayerNorm.bias", {64}},
      {layer + "intermediate.dense.weight", {128, 64}}, {layer + "intermediate.dense.bias", {128}},
      {layer + "output.dense.weight", {64, 128}}, {layer + "output.dense.bias", {64}},
      {layer + "output.LayerNorm.weight", {64}}, {layer + "output.LayerNorm.bias", {64}},
      {"bert.pooler.dense.weight", {64, 64}}, {"bert.pooler.dense.bias", {64}},
      {"classifier.weight", {1, 64}}, {"classifier.bias", {1}}});
  const std::string members = R"("hidden_size":64,"intermediate_size":128,"num_attention_heads":4,"num_hidden_layers":2,
       "vocab_size":96,"max_position_embeddings":128,"type_vocab_size":2,"layer_norm_eps":1e-12,"hidden_act":"gelu")";
  write("config.json", R"({"model_type":"bert","architectures":["BertForSequenceClassification"],"id2label":{"0":"LABEL_0"},)" + members + "}");
  tensors("model.safetensors", shapes, "F32");
  auto checkpoint = open();
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(checkpoint->config().pooling, Pooling::kRank);
  EXPECT_EQ(checkpoint->config().labels.size(), 1u);
  EXPECT_EQ(checkpoint->config().rope.kind, RopeKind::kNone);
  EXPECT_FALSE(checkpoint->config().causal);
  EXPECT_NE(checkpoint->find("cls.weight"), nullptr);
  EXPECT_EQ(shape_text(checkpoint->find("cls.output.weight")->shape), "64");
  EXPECT_NE(checkpoint->find("blk.1.layer_output_norm.bias"), nullptr);
  // The same without a head: the pooler is of no use.
  shapes.resize(shapes.size() - 2);
  tensors("model.safetensors", shapes, "F32");
  write("config.json", R"({"model_type":"bert","architectures":["BertModel"],)" + members + "}");
  write("1_Pooling/config.json", R"({"pooling_mode_cls_token":false,"pooling_mode_mean_tokens":true})");
  checkpoint = open();
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(checkpoint->config().pooling, Pooling::kMean);
  EXPECT_EQ(checkpoint->find("cls.weight"), nullptr);
}

}  // namespace
}  // namespace ajar::engine
