// :batchEmbedContents. https://ai.google.dev/api/embeddings#method:-models.batchembedcontents
#include <algorithm>

#include "json/read.h"
#include "json/write.h"
#include "wire/embedding_rows.h"
#include "wire/fields.h"
#include "wire/gemini/gemini.h"
#include "wire/gemini/path.h"
#include "wire/gemini/reply.h"
#include "wire/outbound.h"

namespace ajar::wire::gemini {
namespace {

void list_dropped(const EmbeddingRequest& request, const TargetInfo& target, WireRequest& out) {
  if (!request.user.empty()) drop(out.dropped, "user");
  if (request.dialect == DialectId::kGemini && target.keep_unknown) return;
  for (const std::string& name : member_names(request.extra)) drop(out.dropped, name);
}

// Vertex AI has its own form. https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api
Result<WireRequest> write_prediction_request(const EmbeddingRequest& request, const TargetInfo& target) {
  WireRequest out;
  json::Writer w(out.body);
  w.begin_object();
  w.key("instances");
  w.begin_array();
  for (const std::string& text : request.texts) {
    w.begin_object();
    w.field("content", text);
    w.end_object();
  }
  w.end_array();
  if (request.dimensions) w.raw_field("parameters", "{\"outputDimensionality\":" + std::to_string(*request.dimensions) + "}");
  w.end_object();
  list_dropped(request, target, out);
  out.path = model_path(target) + ":predict";
  return out;
}

Status read_values(const json::Value& holder, EmbeddingReply& reply) {
  const auto row = json::as_object(holder);
  const auto values = row ? json::find(*row, "values") : std::nullopt;
  if (!values) return fail(Code::kUpstream, "an embedding of the provider's has no values");
  return read_embedding_row(*values, reply);
}

// {"predictions":[{"embeddings":{"values":[…],"statistics":{"token_count":6}}}]}
Result<EmbeddingReply> read_predictions(const json::Array& predictions) {
  EmbeddingReply reply;
  for (const json::Value item : predictions) {
    const auto prediction = json::as_object(item);
    const auto embeddings = prediction ? json::find(*prediction, "embeddings") : std::nullopt;
    if (!embeddings) return fail(Code::kUpstream, "a prediction of the provider's has no embeddings");
    AJAR_TRY(read_values(*embeddings, reply));
    const auto statistics = json::find(*json::as_object(*embeddings), "statistics");
    const auto counts = statistics ? json::as_object(*statistics) : std::nullopt;
    if (!counts || !json::find(*counts, "token_count")) continue;
    reply.usage.input += std::clamp<int64_t>(json::int_or(*counts, "token_count"), 0, int64_t(1) << 40);
    reply.usage.reported = true;
  }
  reply.usage.clamp();
  return reply;
}

}  // namespace

Result<WireRequest> write_embedding_request(const EmbeddingRequest& request,
                                            const TargetInfo& target) {
  if (!request.tokens.empty()) {
    return fail(Code::kUnsupported, "the target embeds texts, not token ids", "input");
  }
  if (request.texts.empty()) return invalid("input", "there is nothing to embed");
  if (target.preset == "vertex") return write_prediction_request(request, target);
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
  list_dropped(request, target, out);
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
  if (const auto predictions = object ? json::find(*object, "predictions") : std::nullopt; predictions && predictions->is_array()) {
    return read_predictions(*json::as_array(*predictions));
  }
  const auto found = object ? json::find(*object, "embeddings") : std::nullopt;
  const auto rows = found ? json::as_array(*found) : std::nullopt;
  if (!rows) return fail(Code::kUpstream, "the provider's answer has no embeddings");
  EmbeddingReply reply;
  for (const json::Value item : *rows) {
    AJAR_TRY(read_values(item, reply));
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
