#include "app/tune_embedder.h"

#include <cmath>

namespace ajar::app {
namespace {

Result<std::vector<float>> unit_rows(LoadedModel& model, int layers, std::span<const std::string> texts) {
  constexpr size_t kStep = 64;
  const auto dim = size_t(model.encoder->dimension());
  std::vector<float> out;
  out.reserve(texts.size() * dim);
  for (size_t from = 0; from < texts.size(); from += kStep) {
    std::vector<engine::EncoderInput> inputs;
    for (size_t i = from; i < std::min(texts.size(), from + kStep); ++i) {
      auto& tokens = inputs.emplace_back().tokens;
      model.tokenizer->encode_whole(texts[i], tokens);
      if (int64_t(tokens.size()) > model.encoder->context()) {
        return fail(Code::kTooLarge, "row " + std::to_string(i + 1) + " has " + std::to_string(tokens.size()) + " tokens; the embedder takes " +
                                         std::to_string(model.encoder->context()));
      }
    }
    AJAR_ASSIGN(const auto rows, model.encoder->run(inputs, layers));
    for (size_t r = 0; r < inputs.size(); ++r) {
      double square = 0;
      for (size_t i = 0; i < dim; ++i) square += double(rows[r * dim + i]) * rows[r * dim + i];
      const float scale = square > 0 ? float(1 / std::sqrt(square)) : 0;
      for (size_t i = 0; i < dim; ++i) out.push_back(rows[r * dim + i] * scale);
    }
  }
  return out;
}

}  // namespace

int usual_layers(const engine::Encoder& encoder, bool linear) {
  const auto& config = encoder.model().config();
  return linear || config.pooling != engine::Pooling::kMean ? 0 : config.layers / 2;
}

tune::Embedder tune_embedder(std::shared_ptr<LoadedModel> model, int layers) {
  const auto width = uint32_t(model->encoder->dimension());
  return {.width = width, .embed = [model = std::move(model), layers](std::span<const std::string> texts) { return unit_rows(*model, layers, texts); }};
}

}  // namespace ajar::app
