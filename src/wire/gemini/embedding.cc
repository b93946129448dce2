// :batchEmbedContents. https://ai.google.dev/api/embeddings#method:-models.batchembedcontents
#include <cmath>

#include "json/read.h"
#include "json/write.h"
#include "wire/fields.h"
#include "wire/gemini/gemini.h"
#include "wire/gemini/path.h"
#include "wire/gemini/reply.h"
#include "wire/outbound.h"

namespace ajar::wire::gemini {

Result<WireRequest> write_embedding_request(const EmbeddingRequest& request,
                                            const TargetInfo& target) {
  if (!request.tokens.empty()) {
    return fail(Code::kUnsupported, "the target embeds texts, not token ids", "input");
  }
  if (request.texts.empty()) return invalid("input", "there is nothing to embed");
  WireRequest out;
  const std::string model =
      target.model.find('/') == std::string::npos ? "models/" + target.model : target.model;
  json::Writer w(out.body);
  w.begin_object();
  w.key("requests");
  w.begin_array();
  for (const std::string& text : request.texts) {
    w.begin_object();
    w.field("model", model);
    w.key("content");
    w.begin_object();
    w.key("parts");
    w.begin_array();
    w.begin_object();
    w.field("text", text);
    w.end_object();
    w.end_array();
    w.end_object();
    if (request.dimensions) w.field("outputDimensionality", *request.dimensions);
    if (request.dialect == DialectId::kGemini && target.keep_unknown) w.members(request.extra);
    w.end_object();
  }
  w.end_array();
  w.end_object();
  if (!request.user.empty()) drop(out.dropped, "user");
  if (request.dialect != DialectId::kGemini || !target.keep_unknown) {
    for (const std::string& name : member_names(request.extra)) drop(out.dropped, name);
  }
  out.path = model_path(target) + ":batchEmbedContents";
  return out;
}

Result<EmbeddingReply> read_embedding_reply(std::string_view body) {
  json::Document document;
  const auto value = document.parse(body);
  if (!value)
    return fail(Code::kUpstream, "the provider's answer is not JSON: " + value.error().message);
  if (const auto error = find_error(*value)) return std::unexpected(error_of(*error, 0));
  const auto object = json::as_object(*value);
  const auto found = object ? json::find(*object, "embeddings") : std::nullopt;
  const auto rows = found ? json::as_array(*found) : std::nullopt;
  if (!rows) return fail(Code::kUpstream, "the provider's answer has no embeddings");
  EmbeddingReply reply;
  for (const json::Value item : *rows) {
    const auto row = json::as_object(item);
    const auto list = row ? json::find(*row, "values") : std::nullopt;
    const auto numbers = list ? json::as_array(*list) : std::nullopt;
    if (!numbers) return fail(Code::kUpstream, "an embedding of the provider's has no values");
    size_t dim = 0;
    for (const json::Value number : *numbers) {
      const auto real = json::as_double(number);
      if (!real || !std::isfinite(float(*real))) {
        return fail(Code::kUpstream,
                    "an embedding of the provider's holds something that is not a number");
      }
      reply.values.push_back(float(*real));
      ++dim;
    }
    if (dim == 0 || (reply.dim != 0 && dim != reply.dim)) {
      return fail(Code::kUpstream, "the provider's embeddings differ in length");
    }
    reply.dim = dim;
  }
  if (const auto metadata = json::find(*object, "usageMetadata")) {
    if (const auto counts = json::as_object(*metadata)) {
      reply.usage = usage_of(*counts);
      reply.usage.output = 0;
      reply.usage.clamp();
    }
  }
  return reply;
}

}  // namespace ajar::wire::gemini
