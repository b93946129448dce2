#pragma once
// The outbound side of every dialect as one row of functions: the only place that lists them.

#include <memory>

#include "core/embedding.h"
#include "wire/dialect.h"
#include "wire/framer.h"

namespace ajar {

struct Dialect {
  DialectId id;
  Result<wire::WireRequest> (*write_request)(const Request&, const wire::TargetInfo&);
  Error (*read_error)(int status, std::string_view content_type, std::string_view body);
  std::unique_ptr<wire::ReplyDecoder> (*new_decoder)();
  // Null where the API has no embeddings.
  Result<wire::WireRequest> (*write_embedding_request)(const EmbeddingRequest&, const wire::TargetInfo&);
  Result<EmbeddingReply> (*read_embedding_reply)(std::string_view body);
  // How it streams where the server calls it application/json. Other framings are told by their content type.
  wire::Framing json_framing = wire::Framing::kNone;
};

const Dialect& dialect_of(DialectId id);

}  // namespace ajar
