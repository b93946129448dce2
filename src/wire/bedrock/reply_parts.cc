#include "wire/bedrock/reply_parts.h"

#include <algorithm>

#include "json/write.h"
#include "wire/bedrock/bedrock.h"
#include "wire/outbound.h"

namespace ajar::wire::bedrock {

Finish finish_of(std::string_view reason, bool called) {
  if (reason == "max_tokens" || reason == "model_context_window_exceeded") return Finish::kLength;
  if (reason == "tool_use") return Finish::kToolCalls;
  if (reason == "guardrail_intervened" || reason == "content_filtered") return Finish::kContentFilter;
  if (reason.starts_with("malformed_")) return Finish::kError;
  return reason.empty() && called ? Finish::kToolCalls : Finish::kStop;
}

Error error_of(const json::Object& body, std::string_view exception, int status) {
  static constexpr std::pair<std::string_view, int> kStatus[] = {
      {"validationException", 400},     {"accessDeniedException", 403},       {"resourceNotFoundException", 404},
      {"modelTimeoutException", 408},   {"modelErrorException", 424},         {"modelStreamErrorException", 424},
      {"throttlingException", 429},     {"modelNotReadyException", 429},      {"internalServerException", 500},
      {"serviceUnavailableException", 503},
  };
  Error error{.upstream_status = status};
  error.type = exception;
  error.message = json::string_or(body, "message", json::string_or(body, "Message"));
  // The model's own failure tells more than ours.
  if (const auto original = json::string_or(body, "originalMessage"); !original.empty()) {
    error.message += (error.message.empty() ? "" : ": ") + std::string(original);
  }
  std::string name(exception.substr(0, exception.find(':')));
  if (const size_t hash = name.rfind('#'); hash != name.npos) name.erase(0, hash + 1);
  if (!name.empty() && name[0] >= 'A' && name[0] <= 'Z') name[0] = char(name[0] + 32);
  for (const auto& [known, code] : kStatus) {
    if (error.upstream_status == 0 && name == known) error.upstream_status = code;
  }
  error.code = code_of_status(error.upstream_status);
  if (error.upstream_status == 503) error.code = Code::kUnavailable;
  const auto says = [&](std::string_view words) { return error.message.find(words) != std::string::npos; };
  if (error.code == Code::kInvalid && (says("Input Tokens Exceeded") || says("Input is too long") || says("prompt is too long"))) {
    error.type = kContextTooLong;
  }
  if (error.message.empty()) {
    error.message = exception.empty() ? "the provider gave an error without a message" : std::string(exception);
  }
  return error;
}

Error read_error(int status, std::string_view, std::string_view body) {
  json::Document document;
  const auto object = document.parse_object(body);
  if (!object || !(json::find(*object, "message") || json::find(*object, "Message"))) return opaque_error(status, body);
  return error_of(*object, json::string_or(*object, "__type"), status);
}

std::string annotation_of(const std::string& citation, int64_t from, int64_t to) {
  json::Document document;
  const auto object = document.parse_object(citation);
  if (!object) return R"({"type":"file_citation"})";
  const auto inner = [](const json::Object& in, std::string_view key) {
    const auto value = json::find(in, key);
    return value ? json::as_object(*value) : std::nullopt;
  };
  const auto location = inner(*object, "location");
  const auto site = location ? inner(*location, "web") : std::nullopt;
  std::string_view url = site ? json::string_or(*site, "url") : json::string_or(*object, "source");
  const bool web = url.starts_with("http");
  const char* type = web ? "url_citation" : "file_citation";
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("type", type);
  w.key(type);
  w.begin_object();
  w.field("start_index", from);
  w.field("end_index", to);
  if (web) {
    w.field("url", url);
    w.field("title", json::string_or(*object, "title", site ? json::string_or(*site, "domain") : ""));
  } else {
    for (const auto field : *object) {
      if (field.key != "start_index" && field.key != "end_index") w.raw_field(field.key, json::raw(field.value));
    }
  }
  w.end_object();
  w.end_object();
  return out;
}

Usage usage_of(const json::Object& usage) {
  const auto count = [&](const char* key) {  // bounded so that no sum can overflow
    return std::clamp<int64_t>(json::int_or(usage, key), 0, int64_t(1) << 50);
  };
  Usage out;
  out.cached_read = count("cacheReadInputTokens");
  out.cached_write = count("cacheWriteInputTokens");
  out.input = count("inputTokens") + out.cached_read + out.cached_write;
  out.output = count("outputTokens");
  if (const auto value = json::find(usage, "cacheDetails")) {
    if (const auto list = json::as_array(*value)) {
      for (const json::Value item : *list) {
        const auto detail = json::as_object(item);
        if (detail && json::string_or(*detail, "ttl") == "1h") {
          out.cached_write_1h = std::clamp<int64_t>(json::int_or(*detail, "inputTokens"), 0, out.cached_write);
        }
      }
    }
  }
  out.reported = true;
  out.clamp();
  return out;
}

}  // namespace ajar::wire::bedrock
