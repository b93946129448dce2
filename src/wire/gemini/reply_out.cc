#include "wire/gemini/reply_out.h"

#include <initializer_list>

#include "json/read.h"
#include "wire/gemini/gemini.h"
#include "wire/outbound.h"

namespace ajar::wire::gemini {
namespace {

json::Writer next(std::string& list) {
  if (!list.empty()) list.push_back(',');
  return json::Writer(list);
}

void write_token(json::Writer& w, const json::Object& token) {
  w.begin_object();
  w.field("token", json::string_or(token, "token"));
  const auto probability = json::find(token, "logprob");
  w.field("logProbability", probability ? json::as_double(*probability).value_or(0) : 0.0);
  w.end_object();
}

struct Row {
  int code;
  std::string_view status;
};

// https://cloud.google.com/apis/design/errors#handling_errors
Row row_of(Code code) {
  switch (code) {
    case Code::kInvalid:
    case Code::kUnsupported:
    case Code::kTooLarge:
    case Code::kMethod:
      return {400, "INVALID_ARGUMENT"};
    case Code::kUnauthenticated:
      return {401, "UNAUTHENTICATED"};
    case Code::kBudget:
      return {402, "FAILED_PRECONDITION"};
    case Code::kForbidden:
    case Code::kFiltered:
      return {403, "PERMISSION_DENIED"};
    case Code::kNotFound:
      return {404, "NOT_FOUND"};
    case Code::kConflict:
      return {409, "ABORTED"};
    case Code::kRateLimit:
      return {429, "RESOURCE_EXHAUSTED"};
    case Code::kCancelled:
      return {499, "CANCELLED"};
    case Code::kInternal:
      return {500, "INTERNAL"};
    case Code::kUpstream:
    case Code::kCut:
      return {502, "UNAVAILABLE"};
    case Code::kUnavailable:
      return {503, "UNAVAILABLE"};
    case Code::kTimeout:
      return {504, "DEADLINE_EXCEEDED"};
  }
  return {500, "INTERNAL"};
}

// RetryInfo's duration: "1.500s".
std::string duration(int64_t ms) {
  std::string fraction = std::to_string(ms % 1000);
  fraction.insert(0, 3 - fraction.size(), '0');
  return std::to_string(ms / 1000) + (fraction == "000" ? "" : "." + fraction) + "s";
}

}  // namespace

void add_text(std::string& parts, std::string_view text, bool thought, std::string_view signature) {
  json::Writer w = next(parts);
  w.begin_object();
  w.field("text", text);
  if (thought) w.field("thought", true);
  if (!signature.empty()) w.field("thoughtSignature", signature);
  w.end_object();
}

void add_media(std::string& parts, std::string_view media_type, std::string_view data, std::string_view signature) {
  json::Writer w = next(parts);
  w.begin_object();
  w.key("inlineData");
  w.begin_object();
  w.field("mimeType", media_type);
  w.field("data", data);
  w.end_object();
  if (!signature.empty()) w.field("thoughtSignature", signature);
  w.end_object();
}

void add_call(std::string& parts, std::string_view name, std::string_view arguments, std::string_view id,
              std::string_view signature, bool own) {
  json::Writer w = next(parts);
  w.begin_object();
  w.key("functionCall");
  w.begin_object();
  w.field("name", name);
  w.raw_field("args", object_arguments(arguments));
  constexpr size_t kMadeId = 29;  // what the decoder gives to calls without one
  const bool made = own && id.starts_with("call_") && id.size() == kMadeId;
  if (!id.empty() && !made) w.field("id", id);
  w.end_object();
  if (!signature.empty()) w.field("thoughtSignature", signature);
  w.end_object();
}

std::string_view finish_reason(Finish finish, std::string_view native) {
  if (!native.empty()) return native;
  switch (finish) {
    case Finish::kLength:
      return "MAX_TOKENS";
    case Finish::kContentFilter:
    case Finish::kRefusal:
      return "SAFETY";
    case Finish::kError:
      return "MALFORMED_RESPONSE";
    case Finish::kNone:
    case Finish::kStop:
    case Finish::kToolCalls:
    case Finish::kPause:
      return "STOP";
  }
  return "STOP";
}

void write_usage(json::Writer& w, const Usage& usage, const RawMembers& extra) {
  int64_t tools = 0;  // ours counts as input what the prompt and the built-in tools took
  if (!extra.empty()) {
    json::Document document;
    if (const auto members = document.parse_object("{" + extra + "}"))
      tools = std::min(usage.input, json::int_or(*members, "toolUsePromptTokenCount"));
  }
  w.begin_object();
  w.field("promptTokenCount", usage.input - tools);
  w.field("candidatesTokenCount", usage.output - usage.reasoning);
  if (usage.reasoning > 0) w.field("thoughtsTokenCount", usage.reasoning);
  if (usage.cached_read > 0) w.field("cachedContentTokenCount", usage.cached_read);
  w.field("totalTokenCount", usage.total());
  w.members(extra);
  w.end_object();
}

std::string logprobs_result(std::string_view items) {
  json::Document document;
  const auto value = document.parse("[" + std::string(items) + "]");
  const auto list = value ? json::as_array(*value) : std::nullopt;
  if (!list) return "{}";
  std::string chosen, top;
  for (const json::Value item : *list) {
    const auto token = json::as_object(item);
    if (!token) continue;
    json::Writer w = next(chosen);
    write_token(w, *token);
    std::string others;
    const auto found = json::find(*token, "top_logprobs");
    if (const auto alternatives = found ? json::as_array(*found) : std::nullopt) {
      for (const json::Value other : *alternatives) {
        if (const auto object = json::as_object(other)) {
          json::Writer inner = next(others);
          write_token(inner, *object);
        }
      }
    }
    next(top).raw("{\"candidates\":[" + others + "]}");
  }
  return "{\"topCandidates\":[" + top + "],\"chosenCandidates\":[" + chosen + "]}";
}

void write_error_object(json::Writer& w, const Error& error, int http_status, std::string_view request_id) {
  const Row row = row_of(error.code);
  w.begin_object();
  w.field("code", http_status == 200 ? row.code : http_status);
  w.field("message", error.message);
  w.field("status", row.status);
  w.key("details");
  w.begin_array();
  if (!error.field.empty()) {
    w.begin_object();
    w.field("@type", "type.googleapis.com/google.rpc.BadRequest");
    w.key("fieldViolations");
    w.begin_array();
    w.begin_object();
    w.field("field", error.field);
    w.field("description", error.message);
    w.end_object();
    w.end_array();
    w.end_object();
  }
  if (error.retry_after_ms >= 0) {
    w.begin_object();
    w.field("@type", "type.googleapis.com/google.rpc.RetryInfo");
    w.field("retryDelay", duration(error.retry_after_ms));
    w.end_object();
  }
  if (!request_id.empty()) {
    w.begin_object();
    w.field("@type", "type.googleapis.com/google.rpc.RequestInfo");
    w.field("requestId", request_id);
    w.end_object();
  }
  w.end_array();
  w.end_object();
}

std::string write_error(const Error& error, int http_status, std::string_view request_id) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.key("error");
  write_error_object(w, error, http_status, request_id);
  w.end_object();
  return out;
}

}  // namespace ajar::wire::gemini
