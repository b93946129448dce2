// POST /v2/embed. https://docs.cohere.com/reference/embed
#include <algorithm>

#include "json/read.h"
#include "json/write.h"
#include "wire/cohere/cohere.h"
#include "wire/cohere/path.h"
#include "wire/embedding_rows.h"
#include "wire/fields.h"
#include "wire/outbound.h"

namespace ajar::wire::cohere {

Result<WireRequest> write_embedding_request(const EmbeddingRequest& request, const TargetInfo& target) {
  if (!request.tokens.empty()) return fail(Code::kUnsupported, "the target embeds texts, not token ids", "input");
  if (request.texts.empty()) return invalid("input", "there is nothing to embed");
  WireRequest out;
  json::Writer w(out.body);
  w.begin_object();
  w.field("model", target.model);
  w.key("texts");
  w.begin_array();
  for (const std::string& text : request.texts) w.string(text);
  w.end_array();
  w.raw_field("embedding_types", R"(["float"])");
  if (request.dimensions) w.field("output_dimension", *request.dimensions);
  json::Document document;
  bool typed = false;
  if (const auto members = document.parse_object("{" + request.extra + "}")) {
    for (const auto field : *members) {
      const bool ours = field.key == "input_type" || field.key == "truncate";
      if (ours && target.keep_unknown) w.raw_field(field.key, json::raw(field.value));
      else drop(out.dropped, field.key);
      typed = typed || (ours && target.keep_unknown && field.key == "input_type");
    }
  }
  if (!typed) w.field("input_type", "search_document");
  if (!request.user.empty()) drop(out.dropped, "user");
  w.end_object();
  out.path = api_path(target, "/embed");
  return out;
}

Result<EmbeddingReply> read_embedding_reply(std::string_view body) {
  json::Document document;
  const auto object = document.parse_object(body);
  if (!object) return fail(Code::kUpstream, "the provider's answer is not JSON: " + object.error().message);
  const auto inner = [](const json::Object& in, std::string_view key) {
    const auto value = json::find(in, key);
    return value ? json::as_object(*value) : std::nullopt;
  };
  const auto types = inner(*object, "embeddings");
  const auto rows = types ? json::find(*types, "float") : std::nullopt;
  if (!rows) return fail(Code::kUpstream, "the provider's answer has no embeddings of floats");
  EmbeddingReply reply;
  AJAR_TRY(read_embedding_rows(*rows, reply));
  const auto meta = inner(*object, "meta");
  if (const auto billed = meta ? inner(*meta, "billed_units") : std::nullopt) {
    reply.usage.input = std::clamp<int64_t>(json::int_or(*billed, "input_tokens"), 0, int64_t(1) << 50);
    reply.usage.reported = true;
  }
  return reply;
}

}  // namespace ajar::wire::cohere
