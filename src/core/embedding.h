#pragma once
// A request for embeddings and its answer, in our words.

#include <optional>
#include <string>
#include <vector>

#include "core/event.h"
#include "core/request.h"

namespace ajar {

struct EmbeddingRequest {
  DialectId dialect = DialectId::kOpenAiChat;
  std::string model;
  std::vector<std::string> texts;              // either texts ...
  std::vector<std::vector<int64_t>> tokens;    // ... or token ids, never both
  bool input_is_single = false;                // the client sent one string or one token list
  bool base64 = false;                         // encoding_format: base64 of little-endian float32
  std::optional<int64_t> dimensions;
  std::string user;
  RawMembers extra;

  size_t rows() const { return texts.empty() ? tokens.size() : texts.size(); }
};

// Row-major matrix, rows x dim; order of the inputs kept; all rows or an error.
struct EmbeddingReply {
  std::string model;
  size_t dim = 0;
  std::vector<float> values;
  Usage usage;
  RawMembers extra;

  size_t rows() const { return dim == 0 ? 0 : values.size() / dim; }
};

}  // namespace ajar
