#pragma once
// Embeddings as APIs other than OpenAI's give them: a list of lists of numbers.

#include "core/embedding.h"
#include "json/read.h"

namespace ajar::wire {

// Appends one row. kUpstream: something that is not a finite number, or a row of another length.
Status read_embedding_row(const json::Value& row, EmbeddingReply& reply);
// All rows of a list.
Status read_embedding_rows(const json::Value& rows, EmbeddingReply& reply);

}  // namespace ajar::wire
