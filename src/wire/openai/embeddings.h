#pragma once
// OpenAI Embeddings and Models. Spec: https://platform.openai.com/docs/api-reference/embeddings

#include <vector>

#include "core/embedding.h"
#include "wire/dialect.h"

namespace ajar::wire::openai {

Result<EmbeddingRequest> read_embedding_request(std::string_view body);
Result<WireRequest> write_embedding_request(const EmbeddingRequest& request, const TargetInfo& target);
Result<EmbeddingReply> read_embedding_reply(std::string_view body);
std::string write_embedding_reply(const EmbeddingReply& reply, const EmbeddingRequest& request);

struct ModelEntry {
  std::string id;
  int64_t created = 0;
  std::string owned_by;
};
std::string write_models(const std::vector<ModelEntry>& models);
std::string write_model(const ModelEntry& model);

}  // namespace ajar::wire::openai
