// A whole reply as a GenerateContentResponse, and the dialect's two fronts.
// https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
#include "json/write.h"
#include "wire/fields.h"
#include "wire/gemini/encoder.h"
#include "wire/gemini/gemini.h"
#include "wire/gemini/reply_out.h"
#include "wire/gemini/signature.h"

namespace ajar::wire::gemini {
namespace {

using PartKind = Part::Kind;

// The signature of Gemini's that follows a part which is no thought, and belongs to it.
std::string_view own_signature(const std::vector<Part>& parts, size_t& at) {
  if (at + 1 >= parts.size()) return {};
  const Part& next = parts[at + 1];
  if (next.kind != PartKind::kThought || !next.text.empty() || next.redacted || next.signature.empty() ||
      next.origin != DialectId::kGemini)
    return {};
  ++at;
  return next.signature;
}

std::string write_parts(const Reply& reply, const Choice& choice) {
  std::string out;
  for (size_t at = 0; at < choice.parts.size(); ++at) {
    const Part& part = choice.parts[at];
    switch (part.kind) {
      case PartKind::kText:
      case PartKind::kRefusal:
        add_text(out, part.text, false, own_signature(choice.parts, at));
        break;
      case PartKind::kThought:
        add_text(out, part.text, !part.text.empty() || part.redacted,
                 mark_signature(part.origin, part.redacted, part.redacted ? part.data : part.signature));
        break;
      case PartKind::kToolCall: {
        const bool own = part.origin == DialectId::kGemini;
        add_call(out, part.name, part.arguments, part.id, own ? std::string_view(part.signature) : std::string_view(),
                 reply.origin == DialectId::kGemini);
        break;
      }
      case PartKind::kImage:
      case PartKind::kAudio:
      case PartKind::kFile:
        add_media(out, part.media_type, part.data, own_signature(choice.parts, at));
        break;
      case PartKind::kOpaque:
        if (part.origin != DialectId::kGemini) break;
        if (!out.empty()) out.push_back(',');
        out += part.raw;
        break;
      case PartKind::kToolResult:
        break;  // not something a model says
    }
  }
  return out;
}

}  // namespace

std::string write_reply(const Reply& reply, const ReplyOptions& options) {
  const bool own = reply.origin == DialectId::kGemini;
  std::string out;
  json::Writer w(out);
  RawMembers feedback;
  w.begin_object();
  w.key("candidates");
  w.begin_array();
  for (size_t c = 0; c < reply.choices.size(); ++c) {
    const Choice& choice = reply.choices[c];
    if (own && has_member(choice.extra, "promptFeedback")) {
      feedback = choice.extra;
      continue;
    }
    w.begin_object();
    w.raw_field("content", "{\"parts\":[" + write_parts(reply, choice) + "],\"role\":\"model\"}");
    w.field("finishReason",
            finish_reason(choice.finish, own ? std::string_view(choice.native_finish) : std::string_view()));
    w.field("index", int64_t(c));
    if (!choice.logprobs.empty()) w.raw_field("logprobsResult", logprobs_result(choice.logprobs));
    if (own) w.members(choice.extra);
    w.end_object();
  }
  w.end_array();
  w.members(feedback);
  w.key("usageMetadata");
  write_usage(w, reply.usage, own ? reply.usage_extra : RawMembers());
  w.field("modelVersion", reply.model.empty() ? options.model : reply.model);
  if (const std::string& id = reply.id.empty() ? options.id : reply.id; !id.empty()) w.field("responseId", id);
  if (own) w.members(reply.extra);
  w.end_object();
  return out;
}

namespace {

constexpr Front kFront = {.id = DialectId::kGemini,
                          .endpoint = "generate_content",
                          .stream_type = "text/event-stream; charset=utf-8",
                          .id_header = {},
                          .read_request = read_request,
                          .new_encoder = [](ReplyOptions options) -> std::unique_ptr<ReplyEncoder> {
                            return std::make_unique<Encoder>(std::move(options), false);
                          },
                          .write_reply = write_reply,
                          .write_error = write_error};

constexpr Front array_of(Front front) {
  front.stream_type = "application/json; charset=utf-8";
  front.new_encoder = [](ReplyOptions options) -> std::unique_ptr<ReplyEncoder> {
    return std::make_unique<Encoder>(std::move(options), true);
  };
  return front;
}
constexpr Front kArrayFront = array_of(kFront);

}  // namespace

const Front& front() { return kFront; }
const Front& array_front() { return kArrayFront; }

std::string write_count(int64_t tokens) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("totalTokens", tokens);
  w.end_object();
  return out;
}

namespace {

void model(json::Writer& w, std::string_view name) {
  w.begin_object();
  w.field("name", "models/" + std::string(name));
  w.field("baseModelId", name);
  w.field("version", "1");
  w.field("displayName", name);
  w.raw_field("supportedGenerationMethods",
              R"(["generateContent","streamGenerateContent","countTokens","embedContent","batchEmbedContents"])");
  w.end_object();
}

}  // namespace

std::string write_models(const std::vector<std::string>& names) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.key("models");
  w.begin_array();
  for (const std::string& name : names) model(w, name);
  w.end_array();
  w.end_object();
  return out;
}

std::string write_model(std::string_view name) {
  std::string out;
  json::Writer w(out);
  model(w, name);
  return out;
}

}  // namespace ajar::wire::gemini
