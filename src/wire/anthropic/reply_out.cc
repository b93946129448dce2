#include "wire/anthropic/reply_out.h"

#include "base/random.h"
#include "json/read.h"
#include "wire/anthropic/anthropic.h"
#include "wire/anthropic/origin.h"
#include "wire/anthropic/reply.h"

namespace ajar::wire::anthropic {

std::string_view stop_reason(Finish finish, std::string_view native, std::string_view stop_sequence,
                             bool has_calls) {
  if (!native.empty()) return native;
  switch (finish) {
    case Finish::kNone:
    case Finish::kStop:
      if (has_calls) return "tool_use";
      return stop_sequence.empty() ? "end_turn" : "stop_sequence";
    case Finish::kLength:
      return "max_tokens";
    case Finish::kToolCalls:
      return "tool_use";
    case Finish::kContentFilter:
    case Finish::kRefusal:
      return "refusal";
    case Finish::kPause:
      return "pause_turn";
    case Finish::kError:
      return "error";  // the API has no word for a model that stumbled, and end_turn would be untrue
  }
  return "end_turn";
}

void write_usage(json::Writer& w, const Usage& usage, const RawMembers& extra) {
  Usage shown = usage;
  bool details = false;
  if (!extra.empty()) {
    json::Document document;
    if (const auto members = document.parse_object("{" + extra + "}")) {
      details = json::find(*members, "output_tokens_details").has_value();
      shown = without_compaction(usage, *members);
    }
  }
  w.begin_object();
  w.field("input_tokens", shown.input - shown.cached_read - shown.cached_write);
  w.field("cache_creation_input_tokens", shown.cached_write);
  w.field("cache_read_input_tokens", shown.cached_read);
  w.key("cache_creation");
  w.begin_object();
  w.field("ephemeral_5m_input_tokens", shown.cached_write - shown.cached_write_1h);
  w.field("ephemeral_1h_input_tokens", shown.cached_write_1h);
  w.end_object();
  w.field("output_tokens", shown.output);
  if (shown.reasoning > 0 && !details) {
    w.key("output_tokens_details");
    w.begin_object();
    w.field("thinking_tokens", shown.reasoning);
    w.end_object();
  }
  w.members(extra);
  w.end_object();
}

void write_tool_use(json::Writer& w, std::string_view id, std::string_view name, std::string_view input,
                    std::string_view signature, DialectId origin, const RawMembers& extra, bool own) {
  w.begin_object();
  w.field("type", "tool_use");
  w.field("id", id.empty() ? new_id("toolu_") : std::string(id));
  w.field("name", name);
  w.raw_field("input", input);
  if (own) w.members(extra);
  if (!signature.empty() && origin == DialectId::kGemini) w.members(google_extra(signature));
  w.end_object();
}

void write_media(json::Writer& w, std::string_view media_type, std::string_view data) {
  w.begin_object();
  w.field("type", media_type.starts_with("image/") ? "image" : "document");
  w.key("source");
  w.begin_object();
  w.field("type", "base64");
  w.field("media_type", media_type);
  w.field("data", data);
  w.end_object();
  w.end_object();
}

namespace {

// https://docs.claude.com/en/api/errors
std::string_view error_type(Code code) {
  switch (code) {
    case Code::kInvalid:
    case Code::kMethod:
    case Code::kConflict:
    case Code::kUnsupported:
      return "invalid_request_error";
    case Code::kUnauthenticated:
      return "authentication_error";
    case Code::kBudget:
      return "billing_error";
    case Code::kForbidden:
    case Code::kFiltered:
      return "permission_error";
    case Code::kNotFound:
      return "not_found_error";
    case Code::kTooLarge:
      return "request_too_large";
    case Code::kRateLimit:
      return "rate_limit_error";
    case Code::kTimeout:
      return "timeout_error";
    case Code::kUnavailable:
      return "overloaded_error";
    case Code::kInternal:
    case Code::kUpstream:
    case Code::kCut:
    case Code::kCancelled:
      return "api_error";
  }
  return "api_error";
}

}  // namespace

void write_error_object(json::Writer& w, const Error& error) {
  w.begin_object();
  w.field("type", error_type(error.code));
  // There is no member for the field, so that the message must name it.
  const bool named = error.field.empty() || error.message.find(error.field) != std::string::npos;
  w.field("message", named ? error.message : error.field + ": " + error.message);
  w.end_object();
}

std::string write_error(const Error& error, int, std::string_view request_id) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("type", "error");
  w.key("error");
  write_error_object(w, error);
  if (!request_id.empty()) w.field("request_id", request_id);
  w.end_object();
  return out;
}

}  // namespace ajar::wire::anthropic
