// POST /api/embed. https://github.com/ollama/ollama/blob/main/docs/api.md#generate-embeddings
#include "json/write.h"
#include "wire/fields.h"
#include "wire/ollama/ollama.h"
#include "wire/ollama/path.h"
#include "wire/outbound.h"

namespace ajar::wire::ollama {

Result<WireRequest> write_embedding_request(const EmbeddingRequest& request, const TargetInfo& target) {
  if (!request.tokens.empty()) return fail(Code::kUnsupported, "the target embeds texts, not token ids", "input");
  if (request.texts.empty()) return invalid("input", "there is nothing to embed");
  WireRequest out;
  json::Writer w(out.body);
  w.begin_object();
  w.field("model", target.model);
  w.key("input");
  w.begin_array();
  for (const std::string& text : request.texts) w.string(text);
  w.end_array();
  if (request.dimensions) w.field("dimensions", *request.dimensions);
  if (!request.user.empty()) drop(out.dropped, "user");
  if (request.dialect == DialectId::kOllama && target.keep_unknown) {
    w.members(request.extra);
  } else {
    for (const std::string& name : member_names(request.extra)) drop(out.dropped, name);
  }
  w.end_object();
  out.path = api_path(target, "/embed");
  return out;
}

}  // namespace ajar::wire::ollama
