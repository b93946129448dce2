#pragma once
// For the programs here that measure with real embeddings: the engine's encoder, and a file that keeps what it made.

#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "engine/encoder.h"
#include "engine/tokenizer.h"

namespace ajar::bench {

// Embeds with the model at `path`. Texts longer than the model takes are cut. Not for more threads than one.
class CachedEmbedder {
 public:
  static Result<std::unique_ptr<CachedEmbedder>> make(const std::string& path, const std::string& cache, int threads, int layers = engine::kAllLayers) {
    std::unique_ptr<CachedEmbedder> out(new CachedEmbedder);
    AJAR_ASSIGN(auto checkpoint, engine::Checkpoint::open(path));
    AJAR_ASSIGN(out->tokenizer_, engine::load_tokenizer(path));
    auto pool = std::make_shared<engine::ComputePool>(threads);
    AJAR_ASSIGN(auto model, engine::Model::load(checkpoint, *pool, {.progress = {}, .round_floats = true}));  // as the server does
    AJAR_ASSIGN(out->encoder_, engine::Encoder::make(model, pool));
    out->path_ = cache.empty() || layers == engine::kAllLayers ? cache : cache + "." + std::to_string(layers);
    out->layers_ = layers;
    out->read();
    return out;
  }
  ~CachedEmbedder() { write(); }

  uint32_t width() const { return static_cast<uint32_t>(encoder_->dimension()); }

  // What is kept neither helps nor learns of this.
  Result<std::vector<float>> embed_anew(const std::string& text, int layers) {
    std::vector<float> row;
    AJAR_TRY(compute(text, layers, row));
    return row;
  }

  // Nor of this.
  Result<std::vector<float>> word_vectors(std::span<const std::string> texts) {
    std::vector<float> out, row;
    for (const std::string& text : texts) {
      AJAR_TRY(compute(text, 0, row));
      out.insert(out.end(), row.begin(), row.end());
    }
    return out;
  }

  Result<std::vector<float>> embed(std::span<const std::string> texts) {
    std::vector<float> out;
    for (const std::string& text : texts) {
      auto& row = rows_[sha256_hex(text)];
      if (row.empty()) {
        AJAR_TRY(compute(text, layers_, row));
        changed_ = true;
      }
      out.insert(out.end(), row.begin(), row.end());
    }
    return out;
  }

 private:
  CachedEmbedder() = default;

  Status compute(const std::string& text, int layers, std::vector<float>& row) {
    std::vector<engine::EncoderInput> input(1);
    tokenizer_->encode_whole(text, input[0].tokens);
    if (input[0].tokens.size() > static_cast<size_t>(encoder_->context())) input[0].tokens.resize(static_cast<size_t>(encoder_->context()));
    AJAR_ASSIGN(row, encoder_->run(input, layers));
    double square = 0;
    for (const float x : row) square += static_cast<double>(x) * x;
    for (float& x : row) x = static_cast<float>(x / std::sqrt(square));
    return {};
  }

  void read() {
    std::FILE* file = path_.empty() ? nullptr : std::fopen(path_.c_str(), "rb");
    if (file == nullptr) return;
    char key[64];
    std::vector<float> row(width());
    while (std::fread(key, 1, 64, file) == 64 && std::fread(row.data(), 4, row.size(), file) == row.size())
      rows_[std::string(key, 64)] = row;
    std::fclose(file);
  }
  void write() const {
    std::FILE* file = path_.empty() || !changed_ ? nullptr : std::fopen(path_.c_str(), "wb");
    if (file == nullptr) return;
    for (const auto& [key, row] : rows_) std::fwrite(key.data(), 1, 64, file), std::fwrite(row.data(), 4, row.size(), file);
    std::fclose(file);
  }

  std::shared_ptr<const engine::Tokenizer> tokenizer_;
  std::unique_ptr<engine::Encoder> encoder_;
  std::string path_;
  int layers_ = engine::kAllLayers;
  std::map<std::string, std::vector<float>> rows_;
  bool changed_ = false;
};

}  // namespace ajar::bench
