#pragma once
// For tests: adapters of random numbers for every dense matrix of a model, as GGUF files and PEFT folders, and models with such
// an adapter merged into their weights.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "engine/checkpoint.h"
#include "engine/gguf.h"
#include "engine/gguf_writer.h"
#include "engine/test_files.h"

namespace ajar::engine {

struct TestPair {
  std::string base;  // "blk.0.attn_q.weight"
  int64_t columns, rows, rank;
  std::vector<float> a, b;  // [rank][columns], [rows][rank]
};

inline std::vector<TestPair> random_pairs(const Checkpoint& checkpoint, int64_t rank, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.05f);
  std::vector<TestPair> out;
  for (const Tensor& tensor : checkpoint.tensors()) {
    bool dense = tensor.name.starts_with("blk.") && tensor.name.ends_with(".weight") && tensor.shape[1] > 1 && tensor.shape[2] == 1;
    if (!dense || tensor.name.find("inp") != std::string::npos) continue;
    TestPair pair{tensor.name, tensor.shape[0], tensor.shape[1], rank, {}, {}};
    for (int64_t i = 0; i < rank * pair.columns; ++i) pair.a.push_back(normal(random));
    for (int64_t i = 0; i < rank * pair.rows; ++i) pair.b.push_back(normal(random));
    out.push_back(std::move(pair));
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
    if (!pair.a.empty()) writer.tensor(pair.base + ".lora_a", Dtype::kF32, {pair.columns, pair.rank, 1, 1});
    if (!pair.b.empty()) writer.tensor(pair.base + ".lora_b", Dtype::kF32, {pair.rank, pair.rows, 1, 1});
  }
  ASSERT_TRUE(writer.begin(path, GgufWriter::Existing::kReplace));
  for (const TestPair& pair : pairs) {
    put_floats(writer, pair.a);
    put_floats(writer, pair.b);
  }
  auto done = writer.finish();
  ASSERT_TRUE(done) << done.error().message;
}

// As PEFT names them. `head_dim` above 0: the rows of Q and K are put from GGUF's pairs into halves.
inline std::string peft_tensors(const std::vector<TestPair>& pairs, int64_t head_dim, const std::string& extra = "") {
  const std::pair<const char*, const char*> names[] = {
      {"attn_q", "self_attn.q_proj"}, {"attn_k", "self_attn.k_proj"}, {"attn_v", "self_attn.v_proj"}, {"attn_output", "self_attn.o_proj"},
      {"attn_qkv", "self_attn.qkv_proj"}, {"ffn_gate", "mlp.gate_proj"}, {"ffn_up", "mlp.up_proj"}, {"ffn_down", "mlp.down_proj"}};
  std::string json = "{", data;
  auto add = [&](const std::string& name, int64_t rows, int64_t columns, const std::vector<float>& values) {
    json += (json.size() > 1 ? "," : "") + ("\"" + name) + "\":{\"dtype\":\"F32\",\"shape\":[" + std::to_string(rows) + "," + std::to_string(columns) +
            "],\"data_offsets\":[" + std::to_string(data.size()) + "," + std::to_string(data.size() + values.size() * 4) + "]}";
    data.append(reinterpret_cast<const char*>(values.data()), values.size() * 4);
  };
  for (const TestPair& pair : pairs) {
    size_t dot = pair.base.find('.', 4);
    std::string layer = pair.base.substr(4, dot - 4), matrix = pair.base.substr(dot + 1, pair.base.rfind('.') - dot - 1);
    std::string module;
    for (auto [from, to] : names)
      if (matrix == from) module = "base_model.model.model.layers." + layer + "." + to;
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
    for (int64_t r = 0; r < pair->rows; ++r)
      for (int64_t c = 0; c < pair->columns; ++c) {
        double sum = 0;
        for (int64_t k = 0; k < pair->rank; ++k) sum += double(pair->b[size_t(r * pair->rank + k)]) * pair->a[size_t(k * pair->columns + c)];
        w[size_t(r * pair->columns + c)] += static_cast<float>(scale * sum);
      }
    put_floats(writer, w);
  }
  ASSERT_TRUE(writer.finish());
}

}  // namespace ajar::engine
