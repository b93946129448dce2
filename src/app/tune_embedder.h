#pragma once
// What `ajar tune task` and `ajar bench` learn from: a model of embeddings of this process, as the server will ask it.

#include <memory>

#include "provider/model_host.h"
#include "tune/task_trainer.h"

namespace ajar::app {

// How many of its first layers a text passes where nobody says (engine::Encoder::run). A kernel learns as much from half of an encoder as from all
// of it (docs/task-models.md), if the embedding is the mean of the tokens: in one token alone it comes together late.
int usual_layers(const engine::Encoder& encoder, bool linear);

// Rows of length 1; word vectors beside them where a kernel can learn from these and they are not all there is. The model, one of
// embeddings, is kept as long as this is. kTooLarge: a text is too long; says which.
tune::Embedder tune_embedder(std::shared_ptr<LoadedModel> model, int layers, bool linear = false);

}  // namespace ajar::app
