#include "wire/embedding_rows.h"

#include <cmath>

namespace ajar::wire {

Status read_embedding_row(const json::Value& row, EmbeddingReply& reply) {
  const auto numbers = json::as_array(row);
  if (!numbers) return fail(Code::kUpstream, "an embedding of the provider's is not a list of numbers");
  size_t dim = 0;
  for (const json::Value number : *numbers) {
    const auto real = json::as_double(number);
    if (!real || !std::isfinite(float(*real))) {
      return fail(Code::kUpstream, "an embedding of the provider's holds something that is not a number");
    }
    reply.values.push_back(float(*real));
    ++dim;
  }
  if (dim == 0 || (reply.dim != 0 && dim != reply.dim)) {
    return fail(Code::kUpstream, "the provider's embeddings differ in length");
  }
  reply.dim = dim;
  return {};
}

Status read_embedding_rows(const json::Value& rows, EmbeddingReply& reply) {
  const auto list = json::as_array(rows);
  if (!list) return fail(Code::kUpstream, "the provider's answer has no embeddings");
  for (const json::Value row : *list) AJAR_TRY(read_embedding_row(row, reply));
  return {};
}

}  // namespace ajar::wire
