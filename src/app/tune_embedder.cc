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

bool takes_mean(const engine::Encoder& encoder) { return encoder.model().config().pooling == engine::Pooling::kMean; }

}  // namespace

int usual_layers(const engine::Encoder& encoder, bool linear) {
  return linear || !takes_mean(encoder) ? engine::kAllLayers : encoder.model().config().layers / 2;
}

tune::Embedder tune_embedder(std::shared_ptr<LoadedModel> model, int layers, bool linear) {
  const auto passing = [&model](int first) {
    return [model, first](std::span<const std::string> texts) { return unit_rows(*model, first, texts); };
  };
  tune::Embedder out{.width = uint32_t(model->encoder->dimension()), .embed = passing(layers), .word_vectors = {}};
  if (layers != 0 && !linear && takes_mean(*model->encoder)) out.word_vectors = passing(0);
  return out;
}

}  // namespace ajar::app
