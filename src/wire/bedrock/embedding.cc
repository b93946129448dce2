// POST /model/{id}/invoke of the embedding models: each family has a form of its own.
// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v3.html
// https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html
#include <algorithm>

#include "base/text.h"
#include "json/read.h"
#include "json/write.h"
#include "wire/bedrock/bedrock.h"
#include "wire/bedrock/reply_parts.h"
#include "wire/embedding_rows.h"
#include "wire/fields.h"
#include "wire/outbound.h"

namespace ajar::wire::bedrock {
namespace {

void write_nova(json::Writer& w, const EmbeddingRequest& request) {
  w.field("taskType", "SINGLE_EMBEDDING");
  w.key("singleEmbeddingParams");
  w.begin_object();
  w.field("embeddingPurpose", "GENERIC_INDEX");
  if (request.dimensions) w.field("embeddingDimension", *request.dimensions);
  w.key("text");
  w.begin_object();
  w.field("truncationMode", "END");
  w.field("value", request.texts[0]);
  w.end_object();
  w.end_object();
}

void write_cohere(json::Writer& w, const EmbeddingRequest& request) {
  w.key("texts");
  w.begin_array();
  for (const std::string& text : request.texts) w.string(text);
  w.end_array();
  w.raw_field("embedding_types", R"(["float"])");
  if (request.dimensions) w.field("output_dimension", *request.dimensions);
}

}  // namespace

Result<WireRequest> write_embedding_request(const EmbeddingRequest& request, const TargetInfo& target) {
  if (!request.tokens.empty()) return fail(Code::kUnsupported, "the target embeds texts, not token ids", "input");
  if (request.texts.empty()) return invalid("input", "there is nothing to embed");
  const std::string model = to_lower(target.model);
  const bool cohere = model.find("cohere") != model.npos;
  if (!cohere && request.texts.size() > 1) {
    return fail(Code::kUnsupported, "the target embeds one text per request", "input");
  }
  WireRequest out;
  json::Writer w(out.body);
  w.begin_object();
  std::string_view purpose;
  json::Document document;
  const auto members = document.parse_object("{" + request.extra + "}");
  if (members) {
    for (const auto field : *members) {
      if (cohere && field.key == "input_type" && target.keep_unknown) purpose = json::as_string(field.value).value_or("");
      else drop(out.dropped, field.key);
    }
  }
  if (cohere) {
    write_cohere(w, request);
    w.field("input_type", purpose.empty() ? std::string_view("search_document") : purpose);
  } else if (model.find("nova") != model.npos) {
    write_nova(w, request);
  } else {
    w.field("inputText", request.texts[0]);
    if (request.dimensions) w.field("dimensions", *request.dimensions);
  }
  w.end_object();
  if (!request.user.empty()) drop(out.dropped, "user");
  out.path = target.base_path + "/model/" + percent_encode(target.model) + "/invoke";
  return out;
}

Result<EmbeddingReply> read_embedding_reply(std::string_view body) {
  json::Document document;
  const auto object = document.parse_object(body);
  if (!object) return fail(Code::kUpstream, "the provider's answer is not JSON: " + object.error().message);
  EmbeddingReply reply;
  if (const auto one = json::find(*object, "embedding")) {  // Titan
    AJAR_TRY(read_embedding_row(*one, reply));
    if (const auto count = json::find(*object, "inputTextTokenCount")) {
      reply.usage.input = std::clamp<int64_t>(json::as_int(*count).value_or(0), 0, int64_t(1) << 50);
      reply.usage.reported = true;
    }
    return reply;
  }
  const auto all = json::find(*object, "embeddings");
  if (!all) {
    if (json::find(*object, "message")) return std::unexpected(error_of(*object, "", 0));
    return fail(Code::kUpstream, "the provider's answer has no embeddings");
  }
  if (const auto types = json::as_object(*all)) {  // Cohere
    const auto rows = json::find(*types, "float");
    if (!rows) return fail(Code::kUpstream, "the provider's answer has no embeddings of floats");
    AJAR_TRY(read_embedding_rows(*rows, reply));
    return reply;
  }
  const auto list = json::as_array(*all);
  if (!list) return fail(Code::kUpstream, "the provider's answer has no embeddings");
  for (const json::Value item : *list) {  // Nova's are objects
    const auto row = json::as_object(item);
    const auto values = row ? json::find(*row, "embedding") : std::optional(item);
    if (!values) return fail(Code::kUpstream, "an embedding of the provider's has no values");
    AJAR_TRY(read_embedding_row(*values, reply));
  }
  return reply;
}

}  // namespace ajar::wire::bedrock
