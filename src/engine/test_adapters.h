#pragma once
// For tests: adapters of random numbers for every matrix of a model's layers, as GGUF files and PEFT folders, and models with
// such an adapter merged into their weights.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <tuple>

#include "engine/checkpoint.h"
#include "engine/gguf.h"
#include "engine/gguf_writer.h"
#include "engine/test_files.h"

namespace ajar::engine {

struct TestPair {
  std::string base;  // "blk.0.attn_q.weight"
  int64_t columns, rows, rank;
  std::vector<float> a, b;  // [experts][rank][columns], [experts][rows][rank]
  int64_t experts = 1;      // whose matrices the base's tensor holds
};

inline std::vector<TestPair> random_pairs(const Checkpoint& checkpoint, int64_t rank, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.05f);
  std::vector<TestPair> out;
  for (const Tensor& tensor : checkpoint.tensors()) {
    if (!tensor.name.starts_with("blk.") || !tensor.name.ends_with(".weight") || tensor.name.ends_with("norm.weight")) continue;
    TestPair pair{tensor.name, tensor.shape[0], tensor.shape[1], rank, {}, {}, tensor.shape[2]};
    for (int64_t i = 0; i < pair.experts * rank * pair.columns; ++i) pair.a.push_back(normal(random));
    for (int64_t i = 0; i < pair.experts * rank * pair.rows; ++i) pair.b.push_back(normal(random));
    out.push_back(std::move(pair));
  }
  return out;
}

// Those of experts one by one: "blk.0.ffn_up.3.weight".
inline std::vector<TestPair> one_by_one(const std::vector<TestPair>& pairs) {
  std::vector<TestPair> out;
  for (const TestPair& pair : pairs) {
    const size_t stack = pair.base.find("_exps");
    if (stack == std::string::npos) {
      out.push_back(pair);
      continue;
    }
    const int64_t a = pair.rank * pair.columns, b = pair.rank * pair.rows;
    for (int64_t e = 0; e < pair.experts; ++e)
      out.push_back({pair.base.substr(0, stack) + "." + std::to_string(e) + ".weight", pair.columns, pair.rows, pair.rank,
                     {pair.a.begin() + e * a, pair.a.begin() + (e + 1) * a}, {pair.b.begin() + e * b, pair.b.begin() + (e + 1) * b}});
  }
  return out;
}

inline void put_floats(GgufWriter& writer, const std::vector<float>& values) {
  ASSERT_TRUE(writer.write(std::as_bytes(std::span(values))));
}

inline void write_gguf_adapter(const std::string& path, const std::string& architecture, float alpha, const std::vector<TestPair>& pairs) {
  GgufWriter writer;
  writer.string("general.type", "adapter");
  writer.string("general.architecture", architecture);
  writer.string("adapter.type", "lora");
  writer.f32("adapter.lora.alpha", alpha);
  for (const TestPair& pair : pairs) {
    if (!pair.a.empty()) writer.tensor(pair.base + ".lora_a", Dtype::kF32, {pair.columns, pair.rank, pair.experts, 1});
    if (!pair.b.empty()) writer.tensor(pair.base + ".lora_b", Dtype::kF32, {pair.rank, pair.rows, pair.experts, 1});
  }
  ASSERT_TRUE(writer.begin(path, GgufWriter::Existing::kReplace));
  for (const TestPair& pair : pairs) {
    put_floats(writer, pair.a);
    put_floats(writer, pair.b);
  }
  auto done = writer.finish();
  ASSERT_TRUE(done) << done.error().message;
}

// PEFT's name of a layer's "ffn_up" or "ffn_up.3".
inline std::string peft_module(const std::string& matrix, bool mixtral) {
  const std::pair<const char*, const char*> names[] = {
      {"attn_q", "self_attn.q_proj"}, {"attn_k", "self_attn.k_proj"}, {"attn_v", "self_attn.v_proj"}, {"attn_output", "self_attn.o_proj"},
      {"attn_qkv", "self_attn.qkv_proj"}, {"ffn_gate", "mlp.gate_proj"}, {"ffn_up", "mlp.up_proj"}, {"ffn_down", "mlp.down_proj"},
      {"ffn_gate_inp", mixtral ? "block_sparse_moe.gate" : "mlp.gate"}, {"ffn_gate_inp_shexp", "mlp.shared_expert_gate"},
      {"ffn_gate_shexp", "mlp.shared_expert.gate_proj"}, {"ffn_up_shexp", "mlp.shared_expert.up_proj"}, {"ffn_down_shexp", "mlp.shared_expert.down_proj"}};
  for (auto [from, to] : names)
    if (matrix == from) return to;
  const std::tuple<const char*, const char*, const char*> experts[] = {
      {"ffn_gate.", "gate_proj", "w1"}, {"ffn_down.", "down_proj", "w2"}, {"ffn_up.", "up_proj", "w3"}};
  for (auto [from, qwen, own] : experts)
    if (matrix.starts_with(from))
      return (mixtral ? "block_sparse_moe.experts." : "mlp.experts.") + matrix.substr(std::strlen(from)) + "." + (mixtral ? own : qwen);
  return matrix;
}

// As PEFT names them. `head_dim` above 0: the rows of Q and K are put from GGUF's pairs into halves.
inline std::string peft_tensors(const std::vector<TestPair>& pairs, int64_t head_dim, bool mixtral, const std::string& extra = "") {
  std::string json = "{", data;
  auto add = [&](const std::string& name, int64_t rows, int64_t columns, const std::vector<float>& values) {
    json += (json.size() > 1 ? "," : "") + ("\"" + name) + "\":{\"dtype\":\"F32\",\"shape\":[" + std::to_string(rows) + "," + std::to_string(columns) +
            "],\"data_offsets\":[" + std::to_string(data.size()) + "," + std::to_string(data.size() + values.size() * 4) + "]}";
    data.append(reinterpret_cast<const char*>(values.data()), values.size() * 4);
  };
  for (const TestPair& pair : one_by_one(pairs)) {
    size_t dot = pair.base.find('.', 4);
    std::string layer = pair.base.substr(4, dot - 4), matrix = pair.base.substr(dot + 1, pair.base.rfind('.') - dot - 1);
    const std::string module = "base_model.model.model.layers." + layer + "." + peft_module(matrix, mixtral);
    std::vector<float> b = pair.b;
    if (head_dim > 0 && (matrix == "attn_q" || matrix == "attn_k"))
      for (int64_t h = 0; h < pair.rows / head_dim; ++h)
        for (int64_t s = 0; s < 2; ++s)
          for (int64_t j = 0; j < head_dim / 2; ++j)
            std::copy_n(pair.b.begin() + (h * head_dim + 2 * j + s) * pair.rank, pair.rank, b.begin() + (h * head_dim + s * head_dim / 2 + j) * pair.rank);
    add(module + ".lora_A.weight", pair.rank, pair.columns, pair.a);
    add(module + ".lora_B.weight", pair.rows, pair.rank, b);
  }
  if (!extra.empty()) add(extra, 1, 1, {1.0f});
  json += "}";
  uint64_t size = json.size();
  return std::string(reinterpret_cast<const char*>(&size), 8) + json + data;
}

// The model of a GGUF file of F32 with W + scale * B * A for every pair.
inline void write_merged(const std::string& from, const std::string& to, double scale, const std::vector<TestPair>& pairs) {
  const std::string bytes = slurp(from);
  auto metadata = GgufMetadata::read(bytes);
  ASSERT_TRUE(metadata);
  auto tensors = metadata->tensors();
  ASSERT_TRUE(tensors);
  GgufWriter writer;
  for (const GgufEntry& entry : metadata->entries()) writer.copy(entry);
  for (const GgufTensor& tensor : *tensors) writer.tensor(tensor.name, tensor.dtype, tensor.shape);
  ASSERT_TRUE(writer.begin(to, GgufWriter::Existing::kReplace));
  for (const GgufTensor& tensor : *tensors) {
    auto pair = std::ranges::find(pairs, tensor.name, &TestPair::base);
    if (pair == pairs.end()) {
      ASSERT_TRUE(writer.write(std::as_bytes(std::span(tensor.bytes))));
      continue;
    }
    std::vector<float> w(tensor.bytes.size() / 4);
    std::memcpy(w.data(), tensor.bytes.data(), tensor.bytes.size());
    const int64_t columns = pair->columns, rank = pair->rank;
    std::vector<double> more(static_cast<size_t>(columns));
    double* sum = more.data();  // by pointers: nothing here is optimised
    for (int64_t r = 0; r < pair->experts * pair->rows; ++r) {
      const float *a = pair->a.data() + r / pair->rows * rank * columns, *b = pair->b.data() + r * rank;
      std::ranges::fill(more, 0.0);
      for (int64_t k = 0; k < rank; ++k, a += columns) {
        const double weight = b[k];
        for (int64_t c = 0; c < columns; ++c) sum[c] += weight * a[c];
      }
      float* row = w.data() + r * columns;
      for (int64_t c = 0; c < columns; ++c) row[c] += static_cast<float>(scale * sum[c]);
    }
    put_floats(writer, w);
  }
  ASSERT_TRUE(writer.finish());
}

}  // namespace ajar::engine
