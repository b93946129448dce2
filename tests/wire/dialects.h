#pragma once
// What the runner knows of the dialects: one line per dialect in dialects.cc.

#include <memory>
#include <string_view>

#include "core/embedding.h"
#include "wire/dialect.h"
#include "wire/framer.h"

namespace ajar::wiretest {

// The far side: how a request is written to a provider and its answer read.
struct Upstream {
  std::string_view name;  // `target = ...`
  bool named_events;      // its SSE events carry `event: <type of the data>`
  Result<wire::WireRequest> (*write_request)(const Request&, const wire::TargetInfo&);
  Error (*read_error)(int status, std::string_view content_type, std::string_view body);
  std::unique_ptr<wire::ReplyDecoder> (*new_decoder)();
  // Null where the dialect has no embeddings.
  Result<wire::WireRequest> (*write_embedding_request)(const EmbeddingRequest&,
                                                       const wire::TargetInfo&);
  Result<EmbeddingReply> (*read_embedding_reply)(std::string_view body);
  wire::Framing framing = wire::Framing::kSse;  // of `reply chunks`
};

const Upstream* find_upstream(std::string_view name);
// The near side: `front = ...`, by dialect_name().
const wire::Front* find_front(std::string_view name);

}  // namespace ajar::wiretest
