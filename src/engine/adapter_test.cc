#include "engine/adapter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "engine/decoder.h"
#include "engine/random_model.h"
#include "engine/test_adapters.h"
#include "engine/test_decoder.h"
#include "engine/testing.h"

namespace ajar::engine {
namespace {

struct Base {
  Folder folder;
  ComputePool pool{2};
  std::shared_ptr<const Checkpoint> checkpoint;
  std::shared_ptr<const Model> model;

  explicit Base(const std::string& shape, Dtype dtype = Dtype::kF32) {
    auto random = random_shape(shape);
    random->dtype = dtype;
    EXPECT_TRUE(write_random_model(*random, folder.at("base.gguf")));
    checkpoint = *Checkpoint::open(folder.at("base.gguf"));
    model = *Model::load(checkpoint, pool);
  }
  const ModelConfig& config() const { return model->config(); }

  std::string gguf(const std::vector<TestPair>& pairs, float alpha, const std::string& name = "adapter.gguf") const {
    write_gguf_adapter(folder.at(name), config().architecture, alpha, pairs);
    return folder.at(name);
  }
  std::string peft(const std::vector<TestPair>& pairs, const std::string& config_json, const std::string& extra = "", const std::string& name = "peft") const {
    folder.write(name + "/adapter_config.json", config_json);
    const int64_t head_dim = config().rope.kind == RopeKind::kInterleaved ? config().head_dim : 0;
    folder.write(name + "/adapter_model.safetensors", peft_tensors(pairs, head_dim, config().architecture == "llama", extra));
    return folder.at(name);
  }
  std::shared_ptr<const Adapter> load(const std::string& path) const {
    auto adapter = Adapter::load(path, *model);
    EXPECT_TRUE(adapter) << adapter.error().message;
    return adapter ? *adapter : nullptr;
  }
};

// One sequence per adapter, all in the same batches, each `piece` tokens at a time; the rows of one batch take turns in length.
std::vector<Logits> run(const Model& model, ComputePool& pool, const std::vector<const Adapter*>& adapters, MultiplierOptions options = {}, int tokens = 24,
                        int piece = 9) {
  const ModelConfig& c = model.config();
  KvPool cache = *KvPool::make(c, KvPool::page_bytes(c) * 16);
  Decoder decoder(std::shared_ptr<const Model>(std::shared_ptr<void>(), &model), pool, options, c.context);
  std::vector<KvSequence> sequences(adapters.size());
  for (auto& sequence : sequences)
    for (int i = 0; i < tokens; i += kPageTokens) sequence.pages.push_back(cache.take());
  std::vector<Logits> out(adapters.size());
  for (int at = 0; at < tokens; at += piece) {
    std::vector<Row> rows;
    for (size_t s = 0; s < adapters.size(); ++s)
      for (int i = at; i < std::min(tokens, at + piece); ++i) rows.push_back({(i * 7919 + 13) % c.vocab, i, &sequences[s], true, adapters[s]});
    const float* logits = decoder.forward(rows, cache);
    for (size_t r = 0; r < rows.size(); ++r) {
      const float* line = logits + static_cast<int64_t>(r) * decoder.logit_stride();
      out[static_cast<size_t>(rows[r].sequence - sequences.data())].emplace_back(line, line + c.vocab);
    }
  }
  return out;
}

std::string config_of(int rank, double alpha, const std::string& more = "") {
  return R"({"peft_type":"LORA","r":)" + std::to_string(rank) + R"(,"lora_alpha":)" + std::to_string(alpha) +
         R"(,"target_modules":["q_proj","o_proj"])" + more + "}";
}

class Adapters : public testing::TestWithParam<std::string> {};

TEST_P(Adapters, SayWhatMergedWeightsSay) {
  Base base(GetParam());
  for (int64_t rank : {1, 8, 20}) {
    auto pairs = random_pairs(*base.checkpoint, rank, 5);
    write_merged(base.folder.at("base.gguf"), base.folder.at("merged.gguf"), 2, pairs);
    auto merged = Model::load(*Checkpoint::open(base.folder.at("merged.gguf")), base.pool);
    ASSERT_TRUE(merged) << merged.error().message;
    auto adapter = base.load(base.gguf(pairs, static_cast<float>(2 * rank)));
    ASSERT_TRUE(adapter);
    EXPECT_EQ(adapter->rank(), rank);
    Logits exact = run(**merged, base.pool, {nullptr})[0];
    EXPECT_LT(difference(run(*base.model, base.pool, {adapter.get()})[0], exact), 2e-3) << "rank " << rank;
    EXPECT_GT(difference(run(*base.model, base.pool, {nullptr})[0], exact), 2e-2) << "rank " << rank;
    if (base.config().architecture == "phi3") continue;  // PEFT's names of its fused matrices differ
    auto peft = base.load(base.peft(pairs, config_of(static_cast<int>(rank), 2.0 * static_cast<double>(rank))));
    ASSERT_TRUE(peft);
    Logits a = run(*base.model, base.pool, {peft.get()})[0], b = run(*base.model, base.pool, {adapter.get()})[0];
    EXPECT_EQ(difference(a, b), 0) << "rank " << rank;
  }
}

// Returns what they say together.
std::vector<Logits> expect_same_alone(Base& base, const std::vector<const Adapter*>& adapters) {
  MultiplierOptions options{.deterministic = true};
  auto together = run(*base.model, base.pool, adapters, options);
  for (size_t s = 0; s < adapters.size(); ++s) {
    Logits alone = run(*base.model, base.pool, {adapters[s]}, options, 24, 1)[0];
    for (size_t t = 0; t < alone.size(); ++t)
      EXPECT_EQ(0, std::memcmp(alone[t].data(), together[s][t].data(), alone[t].size() * sizeof(float))) << "sequence " << s << ", token " << t;
  }
  return together;
}

TEST_P(Adapters, TogetherSayWhatTheySayAlone) {
  for (Dtype dtype : {Dtype::kF16, Dtype::kQ8_0}) {
    Base base(GetParam(), dtype);
    auto one = base.load(base.gguf(random_pairs(*base.checkpoint, 8, 1), 16, "1.gguf"));
    auto two = base.load(base.gguf(random_pairs(*base.checkpoint, 33, 2), 16, "2.gguf"));
    auto together = expect_same_alone(base, {one.get(), nullptr, two.get(), one.get(), nullptr, two.get()});
    EXPECT_GT(difference(together[0], together[1]), 1e-2);
    EXPECT_GT(difference(together[2], together[0]), 1e-2);
  }
}

std::string family(const testing::TestParamInfo<std::string>& info) { return info.param.substr(5); }
INSTANTIATE_TEST_SUITE_P(, Adapters,
                         testing::Values("tiny-llama", "tiny-qwen2", "tiny-qwen3", "tiny-gemma3", "tiny-phi3", "tiny-mixtral", "tiny-qwen2moe"), family);

void refuses(const Base& base, const std::string& path, Code code, std::initializer_list<const char*> words) {
  auto adapter = Adapter::load(path, *base.model);
  ASSERT_FALSE(adapter);
  EXPECT_EQ(adapter.error().code, code) << adapter.error().message;
  for (const char* word : words) EXPECT_NE(adapter.error().message.find(word), std::string::npos) << word << " is not in: " << adapter.error().message;
}

class Mixtures : public testing::TestWithParam<std::string> {};

TEST_P(Mixtures, ExpertsLeftOutAreNotAdapted) {
  Base base(GetParam());
  auto all = random_pairs(*base.checkpoint, 8, 5);
  auto some = one_by_one(all);
  std::erase_if(some, [](const TestPair& pair) { return pair.base.find(".1.weight") != std::string::npos || pair.base.starts_with("blk.1.ffn_"); });
  for (TestPair& pair : all)
    if (pair.experts > 1) std::fill_n(pair.b.begin() + pair.rows * pair.rank, pair.rows * pair.rank, 0.0f);
  std::erase_if(all, [](const TestPair& pair) { return pair.base.starts_with("blk.1.ffn_"); });
  write_merged(base.folder.at("base.gguf"), base.folder.at("merged.gguf"), 2, all);
  Logits exact = reference_logits(**Checkpoint::open(base.folder.at("merged.gguf")), some_tokens(24, base.config().vocab));
  auto gguf = base.load(base.gguf(some, 16)), peft = base.load(base.peft(some, config_of(8, 16)));
  ASSERT_TRUE(gguf && peft);
  auto both = run(*base.model, base.pool, {gguf.get(), peft.get(), nullptr});
  EXPECT_LT(difference(both[0], exact), 2e-3);
  EXPECT_LT(difference(both[1], exact), 2e-3);
  EXPECT_GT(difference(both[2], exact), 2e-2);
}

// Of those that an expert gathers, rows with nothing for it, or for no expert, stand between the others.
TEST_P(Mixtures, RowsKeepTheirAdaptersAmongExperts) {
  Base base(GetParam(), Dtype::kQ8_0);
  const auto pairs = random_pairs(*base.checkpoint, 8, 1);
  auto only = [&](auto wanted, const std::string& name) {
    auto some = one_by_one(pairs);
    std::erase_if(some, [&](const TestPair& pair) { return !wanted(pair.base); });
    return base.load(base.gguf(some, 16, name));
  };
  auto attention = only([](const std::string& name) { return name.find("attn") != std::string::npos; }, "attention.gguf");
  auto experts = only([](const std::string& name) { return name.ends_with(".2.weight") || name.ends_with(".3.weight"); }, "experts.gguf");
  auto downs = only([](const std::string& name) { return name.find("ffn_down.") != std::string::npos; }, "downs.gguf");
  ASSERT_TRUE(attention && experts && downs);
  auto said = expect_same_alone(base, {experts.get(), nullptr, downs.get(), attention.get(), experts.get()});
  for (size_t s : {0, 2, 3}) EXPECT_GT(difference(said[s], said[1]), 1e-3) << s;
}

TEST_P(Mixtures, WrongFilesAreRefused) {
  Base base(GetParam());
  const auto good = random_pairs(*base.checkpoint, 8, 1);
  auto refused = [&](const char* matrix, auto change, Code code, std::initializer_list<const char*> words) {
    auto pairs = good;
    auto pair = std::ranges::find(pairs, std::string("blk.0.") + matrix + ".weight", &TestPair::base);
    ASSERT_NE(pair, pairs.end()) << matrix;
    change(pairs, *pair);
    refuses(base, base.gguf(pairs, 8), code, words);
  };
  using Pairs = std::vector<TestPair>;
  refused("ffn_up_exps", [](Pairs&, TestPair& p) { p.experts = 3, p.a.resize(3 * 8 * 256), p.b.resize(p.b.size() / 4 * 3); }, Code::kInvalid,
          {"ffn_up_exps.weight.lora_a", "3 matrices", "adapts 4", "another model"});
  refused("ffn_up_exps", [](Pairs&, TestPair& p) { p.columns = 128, p.a.resize(p.a.size() / 2); }, Code::kInvalid,
          {"ffn_up_exps.weight.lora_a", "128 x 8", "256 x ", "another model"});
  refused("ffn_down_exps", [](Pairs&, TestPair& p) { p.rows = 128, p.b.resize(p.b.size() / 2); }, Code::kInvalid, {"ffn_down_exps.weight.lora_b", "8 x 128"});
  refused("ffn_gate_exps", [](Pairs&, TestPair& p) { p.b.clear(); }, Code::kInvalid, {"ffn_gate_exps", "counterpart"});
  refused("ffn_gate_exps", [](Pairs&, TestPair& p) { p.a.back() = NAN; }, Code::kInvalid, {"ffn_gate_exps.weight.lora_a", "not finite"});
  refused("ffn_gate_exps", [](Pairs&, TestPair& p) { p.base = "blk.0.ffn_gate_up_exps.weight"; }, Code::kUnsupported, {"ffn_gate_up_exps"});
  refused("ffn_gate_inp", [](Pairs&, TestPair& p) { p.rows = 5, p.b.resize(5 * 8); }, Code::kInvalid, {"ffn_gate_inp.weight.lora_b", "8 x 5", "256 x 4"});
  refused("attn_output", [](Pairs&, TestPair& p) { p.base = "blk.0.ffn_up.weight"; }, Code::kInvalid,
          {"ffn_up.weight.lora_a", "does not have", "another model"});
  refused("attn_output", [](Pairs&, TestPair& p) { p.base = "blk.0.ffn_up.4.weight"; }, Code::kInvalid, {"ffn_up.4.weight.lora_a", "expert 4", "4 experts"});
  refused("attn_output", [](Pairs&, TestPair& p) { p.base = "blk.0.ffn_norm.weight"; }, Code::kUnsupported, {"ffn_norm", "norms"});
  refused("ffn_up_exps", [](Pairs& all, TestPair& p) { all.push_back(one_by_one({p})[2]); }, Code::kInvalid, {"ffn_up", "another adapts already"});
  refuses(base, base.peft(one_by_one(good), config_of(8, 8), "base_model.model.model.layers.0.mlp.experts.9.up_proj.lora_A.weight"), Code::kInvalid,
          {"experts.9.up_proj", "expert 9", "4 experts"});
  refuses(base, base.peft(good, config_of(8, 8), "base_model.model.model.layers.0.mlp.experts.base_layer.lora_A.weight"), Code::kUnsupported,
          {"experts.base_layer"});
  refuses(base, base.peft(good, config_of(8, 8, R"(,"target_parameters":["mlp.experts.down_proj"])")), Code::kUnsupported, {"target_parameters"});
}

INSTANTIATE_TEST_SUITE_P(, Mixtures, testing::Values("tiny-mixtral", "tiny-qwen2moe"), family);

TEST(Adapter, RootScale) {
  Base base("tiny-llama");
  auto pairs = random_pairs(*base.checkpoint, 16, 3);
  auto plain = base.load(base.peft(pairs, config_of(16, 32)));
  auto root = base.load(base.peft(pairs, config_of(16, 8, R"(,"use_rslora":true)"), "", "root"));
  EXPECT_EQ(difference(run(*base.model, base.pool, {plain.get()})[0], run(*base.model, base.pool, {root.get()})[0]), 0);
  EXPECT_NE(plain->identity(), root->identity());
}

// The tensors of a "llama" GGUF file as Hugging Face lays them out: other names, and the rows of Q and K in halves.
void write_hf_folder(const Base& base, const std::string& name) {
  const ModelConfig& c = base.config();
  const std::pair<const char*, const char*> names[] = {
      {"attn_q", "self_attn.q_proj"}, {"attn_k", "self_attn.k_proj"}, {"attn_v", "self_attn.v_proj"}, {"attn_output", "self_attn.o_proj"},
      {"ffn_gate", "mlp.gate_proj"}, {"ffn_up", "mlp.up_proj"}, {"ffn_down", "mlp.down_proj"}, {"attn_norm", "input_layernorm"},
      {"ffn_norm", "post_attention_layernorm"}};
  std::string json = "{", data;
  for (const Tensor& tensor : base.checkpoint->tensors()) {
    std::string hf = tensor.name == "token_embd.weight" ? "model.embed_tokens.weight" : tensor.name == "output_norm.weight" ? "model.norm.weight" : "";
    bool turned = tensor.name.find("attn_q.") != std::string::npos || tensor.name.find("attn_k.") != std::string::npos;
    if (hf.empty()) {
      size_t dot = tensor.name.find('.', 4);
      for (auto [from, to] : names)
        if (tensor.name.substr(dot + 1) == from + std::string(".weight")) hf = "model.layers." + tensor.name.substr(4, dot - 4) + "." + to + ".weight";
    }
    if (hf.empty()) continue;  // rope_freqs
    std::string bytes(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
    const size_t row = static_cast<size_t>(tensor.columns()) * 4, half = static_cast<size_t>(c.head_dim / 2);
    if (turned)
      for (size_t r = 0; r < static_cast<size_t>(tensor.rows()); ++r) {
        size_t i = r % (2 * half), to = r - i + i % 2 * half + i / 2;
        std::memcpy(bytes.data() + to * row, tensor.bytes.data() + r * row, row);
      }
    std::string shape = tensor.rows() > 1 ? std::to_string(tensor.rows()) + "," + std::to_string(tensor.columns()) : std::to_string(tensor.columns());
    json += (json.size() > 1 ? "," : "") + ("\"" + hf) + "\":{\"dtype\":\"F32\",\"shape\":[" + shape + "],\"data_offsets\":[" + std::to_string(data.size()) +
            "," + std::to_string(data.size() + bytes.size()) + "]}";
    data += bytes;
  }
  json += "}";
  uint64_t size = json.size();
  base.folder.write(name + "/model.safetensors", std::string(reinterpret_cast<const char*>(&size), 8) + json + data);
  auto n = [](auto value) { return std::to_string(value); };
  base.folder.write(name + "/config.json", R"({"architectures":["LlamaForCausalLM"],"model_type":"llama","tie_word_embeddings":true,"hidden_act":"silu","vocab_size":)" +
                                               n(c.vocab) + R"(,"hidden_size":)" + n(c.embedding) + R"(,"intermediate_size":)" + n(c.feed_forward) +
                                               R"(,"num_hidden_layers":)" + n(c.layers) + R"(,"num_attention_heads":)" + n(c.heads) +
                                               R"(,"num_key_value_heads":)" + n(c.kv_heads) + R"(,"max_position_embeddings":)" + n(c.context) +
                                               R"(,"rms_norm_eps":)" + n(c.norm_epsilon) + R"(,"rope_theta":)" + n(c.rope.base) + "}");
}

// Either kind of file on either kind of model: rows of Q and K are put where the model has them.
TEST(Adapter, BothKindsFitBothKindsOfModels) {
  Base base("tiny-llama");
  if (base.checkpoint->find("rope_freqs.weight") != nullptr || !base.config().rope.factors.empty()) GTEST_SKIP() << "its rotation has factors";
  write_hf_folder(base, "hf");
  auto folder = Checkpoint::open(base.folder.at("hf"));
  ASSERT_TRUE(folder) << folder.error().message;
  ASSERT_NE((*folder)->config().rope.kind, base.config().rope.kind);
  auto twin = Model::load(*folder, base.pool);
  ASSERT_TRUE(twin) << twin.error().message;
  auto pairs = random_pairs(*base.checkpoint, 8, 9);
  auto from_gguf = Adapter::load(base.gguf(pairs, 16), **twin), from_peft = Adapter::load(base.peft(pairs, config_of(8, 16)), **twin);
  ASSERT_TRUE(from_gguf) << from_gguf.error().message;
  ASSERT_TRUE(from_peft) << from_peft.error().message;
  Logits exact = run(*base.model, base.pool, {base.load(base.gguf(pairs, 16)).get()})[0];
  auto both = run(**twin, base.pool, {from_gguf->get(), from_peft->get(), nullptr});
  EXPECT_LT(difference(both[0], exact), 2e-3);
  EXPECT_LT(difference(both[1], exact), 2e-3);
  EXPECT_GT(difference(both[2], exact), 2e-2);
}

TEST(Adapter, ThoseOfOtherModelsAreRefused) {
  Base base("tiny-llama");
  const auto good = random_pairs(*base.checkpoint, 8, 1);
  auto changed = [&](auto change) {
    auto pairs = good;
    change(pairs);
    return base.gguf(pairs, 8);
  };
  refuses(base, changed([](auto& p) { p[0].columns = 128, p[0].a.resize(8 * 128); }), Code::kInvalid, {"lora_a", "128 x 8", "256 x 256", "another model"});
  refuses(base, changed([](auto& p) { p[0].rows = 100, p[0].b.resize(8 * 100); }), Code::kInvalid, {"lora_b", "8 x 100", "256 x 256", "another model"});
  refuses(base, changed([](auto& p) { p[0].base = "blk.7.attn_q.weight"; }), Code::kInvalid, {"layer 7", "3 layers"});
  refuses(base, changed([](auto& p) { p[0].b.clear(); }), Code::kInvalid, {"counterpart"});
  refuses(base, changed([](auto& p) { p[0].a[17] = NAN; }), Code::kInvalid, {"not finite", "lora_a"});
  refuses(base, changed([](auto& p) { p[0].base = "token_embd.weight"; }), Code::kUnsupported, {"token_embd.weight.lora_a", "embeddings"});
  refuses(base, changed([](auto& p) { p[0].base = "blk.0.ffn_up_exps.weight"; }), Code::kInvalid, {"ffn_up_exps", "does not have", "another model"});
  refuses(base, changed([](auto& p) { p.clear(); }), Code::kInvalid, {"no tensors"});
  refuses(base, base.gguf(random_pairs(*base.checkpoint, 257, 1), 8), Code::kInvalid, {"257", "256"});
  refuses(base, base.folder.at("base.gguf"), Code::kInvalid, {"no adapter"});
  refuses(base, base.folder.at("nowhere.gguf"), Code::kNotFound, {"nowhere.gguf"});
  write_gguf_adapter(base.folder.at("q.gguf"), "qwen2", 8, good);
  refuses(base, base.folder.at("q.gguf"), Code::kInvalid, {"qwen2", "llama"});
  Base mixture("tiny-mixtral");
  refuses(mixture, mixture.gguf({good.begin(), good.end()}, 8), Code::kInvalid, {"ffn_", "does not have", "another model"});
  refuses(base, base.gguf(random_pairs(*mixture.checkpoint, 8, 1), 8), Code::kInvalid, {"ffn_", "does not have", "another model"});
}

TEST(Adapter, PeftFoldersAreReadWithCare) {
  Base base("tiny-llama");
  const auto good = random_pairs(*base.checkpoint, 8, 1);
  refuses(base, base.peft(good, config_of(16, 8)), Code::kInvalid, {"rank 8", "16"});
  refuses(base, base.peft(good, config_of(8, 8, R"(,"use_dora":true)")), Code::kUnsupported, {"use_dora"});
  refuses(base, base.peft(good, R"({"peft_type":"IA3"})"), Code::kUnsupported, {"IA3"});
  refuses(base, base.peft(good, R"({"r":8,"lora_alpha":8,"target_modules":["lm_head"]})"), Code::kInvalid, {"lm_head"});
  refuses(base, base.peft(good, "{"), Code::kInvalid, {"adapter_config.json"});
  refuses(base, base.peft(good, config_of(8, 8), "base_model.model.model.embed_tokens.lora_embedding_A"), Code::kUnsupported, {"embed_tokens"});
  refuses(base, base.peft(good, config_of(8, 8), "base_model.model.model.layers.0.mlp.experts.3.up_proj.lora_A.weight"), Code::kInvalid,
          {"experts.3", "0 experts"});
  Folder empty;
  refuses(base, empty.path(), Code::kNotFound, {"adapter_config.json"});
}

TEST(Adapter, CutFilesAreErrors) {
  Base base("tiny-llama");
  auto pairs = random_pairs(*base.checkpoint, 2, 1);
  const std::string gguf = slurp(base.gguf(pairs, 8));
  const std::string safetensors = slurp(base.peft(pairs, config_of(2, 8)) + "/adapter_model.safetensors");
  for (size_t part = 0; part < 97; ++part) {
    auto cut = Adapter::load(base.folder.write("cut.gguf", gguf.substr(0, gguf.size() * part / 97)), *base.model);
    EXPECT_FALSE(cut) << part;
    base.folder.write("peft/adapter_model.safetensors", safetensors.substr(0, safetensors.size() * part / 97));
    EXPECT_FALSE(Adapter::load(base.folder.at("peft"), *base.model)) << part;
  }
}

}  // namespace
}  // namespace ajar::engine
