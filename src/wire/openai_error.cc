#include "wire/openai_error.h"

#include <algorithm>

#include "base/text.h"
#include "json/write.h"
#include "wire/error_text.h"
#include "wire/outbound.h"

namespace ajar::wire::openai {
namespace {

// A string, or a number as text: providers give codes as either.
std::string word_of(const json::Object& object, std::string_view key) {
  const auto value = json::find(object, key);
  if (!value) return {};
  if (const auto text = json::as_string(*value)) return std::string(*text);
  if (value->is_number()) return json::raw(*value);
  return {};
}

// FastAPI: {"detail": "..."} or {"detail": [{"loc": ["body", "messages"], "msg": "..."}]}.
std::string detail_text(const json::Value& detail, std::string& field) {
  if (const auto text = json::as_string(detail)) return std::string(*text);
  const auto list = json::as_array(detail);
  if (!list) return json::raw(detail);
  std::string out;
  for (const auto item : *list) {
    const auto object = json::as_object(item);
    if (!object) continue;
    std::string where;
    if (const auto loc = json::find(*object, "loc")) {
      if (const auto steps = json::as_array(*loc)) {
        for (const auto step : *steps) {
          const auto name = json::as_string(step);
          if (name == "body") continue;
          if (!name)
            where.append("[").append(json::raw(step)).append("]");
          else
            where.append(where.empty() ? "" : ".").append(*name);
        }
      }
    }
    if (!out.empty()) out += "; ";
    if (!where.empty()) out.append(where).append(": ");
    out += json::string_or(*object, "msg");
    if (field.empty()) field = where;
  }
  return out.empty() ? json::raw(detail) : out;
}

// Some servers send an empty `error` beside every answer.
bool says_something(const json::Value& error) {
  if (const auto text = json::as_string(error)) return !text->empty();
  if (const auto object = json::as_object(error)) return object->begin() != object->end();
  return json::as_bool(error) != false;
}

// The members of an error object of any make.
void read_members(const json::Object& object, Error& error) {
  error.message = json::string_or(object, "message");
  if (error.message.empty()) {
    if (const auto nested = json::find(object, "message"))
      error.message = detail_text(*nested, error.field);
  }
  error.field = json::string_or(object, "param", error.field);
  const std::string type = word_of(object, "type"), code = word_of(object, "code");
  // The code is the narrower word (insufficient_quota, context_length_exceeded), unless it is only
  // a number.
  error.type = code.empty() || parse_int(code) ? type : code;
  if (error.type.empty()) error.type = code;
  if (const auto inner = json::find(object, "innererror")) {  // Azure's content filter
    if (const auto inner_object = json::as_object(*inner)) {
      const auto inner_code = json::string_or(*inner_object, "code");
      if (!inner_code.empty() && error.type.empty()) error.type = inner_code;
    }
  }
}

}  // namespace

std::optional<Code> code_of(std::string_view type) {
  struct Row {
    std::string_view word;
    Code code;
  };
  static constexpr Row kRows[] = {
      {"insufficient_quota", Code::kUpstream},  // the upstream's account, not a budget of ours
      {"billing", Code::kUpstream},
      {"context_length_exceeded", Code::kInvalid},
      {"context_window", Code::kInvalid},
      {"rate_limit", Code::kRateLimit},
      {"ratelimit", Code::kRateLimit},
      {"too_many_requests", Code::kRateLimit},
      {"tokens_exceeded", Code::kRateLimit},
      {"content_filter", Code::kInvalid},
      {"content_policy", Code::kInvalid},
      {"model_not_found", Code::kNotFound},
      {"deploymentnotfound", Code::kNotFound},
      {"not_found", Code::kNotFound},
      {"notfound", Code::kNotFound},
      {"invalid_api_key", Code::kUnauthenticated},
      {"authentication", Code::kUnauthenticated},
      {"permission", Code::kForbidden},
      {"invalid_request", Code::kInvalid},
      {"badrequest", Code::kInvalid},
      {"validation", Code::kInvalid},
      {"invalid_", Code::kInvalid},
      {"overloaded", Code::kUnavailable},
      {"unavailable", Code::kUnavailable},
      {"capacity", Code::kUnavailable},
      {"timeout", Code::kTimeout},
  };
  const std::string word = to_lower(type);
  for (const Row& row : kRows) {
    if (word.find(row.word) != word.npos) return row.code;
  }
  return std::nullopt;
}

// What these servers mean beyond the common table (402 stays kUpstream: it is the upstream's account that is empty).
Code code_of(int status) {
  switch (status) {
    case 405:
    case 409:
    case 415:
      return Code::kInvalid;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kForbidden;
    default:
      return code_of_status(status);
  }
}

std::optional<Error> find_error(const json::Object& object, int status) {
  Error error;
  error.upstream_status = status;
  if (const auto value = json::find(object, "error"); value && says_something(*value)) {
    if (const auto inner = json::as_object(*value)) {
      read_members(*inner, error);
    } else if (const auto text = json::as_string(*value)) {  // Ollama, TGI
      error.message = *text;
      error.type = word_of(object, "error_type");
      if (error.type.empty()) error.type = word_of(object, "code");
      if (error.message.empty()) error.message = word_of(object, "message");
    } else {
      error.message = json::raw(*value);
    }
  } else if (json::find(object, "choices")) {
    return std::nullopt;
  } else if (const auto detail = json::find(object, "detail");
             detail && !json::find(object, "message")) {
    error.message = detail_text(*detail, error.field);  // FastAPI
  } else if (json::find(object, "message") &&
             (status >= 400 || json::string_or(object, "object") == "error" ||
              json::find(object, "type") || json::find(object, "code"))) {
    read_members(object, error);  // Mistral, vLLM
    if (const auto code = json::find(object, "code"); code && error.upstream_status == 0) {
      const auto number = json::as_int(*code);
      if (number && *number >= 400 && *number <= 599) error.upstream_status = int(*number);
    }
  } else {
    return std::nullopt;
  }
  if (error.upstream_status ==
      0) {  // in a stream the HTTP status is long gone: OpenRouter repeats it as the code
    if (const auto value = json::find(object, "error")) {
      const auto inner = json::as_object(*value);
      const int64_t code = inner ? json::int_or(*inner, "code") : 0;
      if (code >= 400 && code <= 599) error.upstream_status = int(code);
    }
  }
  if (error.message.empty()) error.message = "the provider gave an error without a message";
  if (error.message.size() > 4000) error.message = readable_excerpt(error.message, 4000);
  const auto by_type = code_of(error.type);
  if (error.upstream_status >= 400) {
    error.code = code_of(error.upstream_status);
    // 429 and 403 are also said of an empty account, which waiting does not fill.
    if (by_type == Code::kUpstream) error.code = Code::kUpstream;
  } else {
    error.code = by_type.value_or(Code::kUpstream);
  }
  return error;
}

Error read_error(int status, std::string_view content_type, std::string_view body) {
  body = trim(body);
  Error error;
  error.upstream_status = status;
  error.code = code_of(status);
  if (body.empty()) {
    error.message = "the provider answered with status " + std::to_string(status) + " and no body";
    return error;
  }
  if (const auto value = json::scratch().parse(body)) {
    if (const auto object = json::as_object(*value)) {
      if (auto found = find_error(*object, status)) return *found;
    } else if (const auto text = json::as_string(*value)) {
      error.message = readable_excerpt(*text, 1000);
      return error;
    } else if (const auto list =
                   json::as_array(*value)) {  // Google's compatible endpoint: [{"error": ...}]
      for (const auto item : *list) {
        const auto object = json::as_object(item);
        if (!object) continue;
        if (auto found = find_error(*object, status)) return *found;
      }
    }
  }
  error.message =
      "the provider answered with status " + std::to_string(status) + ": " + readable_excerpt(body);
  return error;
}

std::string_view error_type(Code code) {
  switch (code) {
    case Code::kInvalid:
    case Code::kMethod:
    case Code::kConflict:
    case Code::kTooLarge:
    case Code::kUnsupported:
      return "invalid_request_error";
    case Code::kUnauthenticated:
      return "authentication_error";
    case Code::kForbidden:
      return "permission_error";
    case Code::kNotFound:
      return "not_found_error";
    case Code::kBudget:
      return "insufficient_quota";
    case Code::kRateLimit:
      return "rate_limit_error";
    case Code::kFiltered:
      return "content_filter_error";
    case Code::kInternal:
    case Code::kUpstream:
    case Code::kUnavailable:
    case Code::kTimeout:
    case Code::kCut:
    case Code::kCancelled:
      return "server_error";
  }
  return "server_error";
}

std::string error_code(const Error& error) {
  switch (error.code) {
    case Code::kRateLimit:
      return "rate_limit_exceeded";
    case Code::kBudget:
      return "budget_exhausted";
    case Code::kUnauthenticated:
      return error.upstream_status == 0 ? "invalid_api_key" : "upstream_authentication";
    case Code::kTimeout:
      return "timeout";
    case Code::kCut:
      return "cut";
    case Code::kCancelled:
      return "cancelled";
    case Code::kFiltered:
      return "content_filtered";
    case Code::kUpstream:
      return error.type.empty() ? "upstream_error" : error.type;
    case Code::kInternal:
      return "internal_error";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kTooLarge:
      return "too_large";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kMethod:
      return "method_not_allowed";
    case Code::kNotFound:
      return error.type.empty() ? "not_found" : error.type;
    case Code::kInvalid:
    case Code::kForbidden:
    case Code::kConflict:
      return error.type;
  }
  return error.type;
}

Error error_at_end(StreamEnd end, const Error* error) {
  Error told =
      error != nullptr ? *error : Error{.code = Code::kUpstream, .message = "the stream did not end properly"};
  switch (end) {
    case StreamEnd::kCut:
      told.code = Code::kCut;
      break;
    case StreamEnd::kCancelled:
      told.code = Code::kCancelled;
      break;
    case StreamEnd::kFiltered:
      told.code = Code::kFiltered;
      break;
    case StreamEnd::kComplete:
    case StreamEnd::kUpstreamError:
      if (told.code != Code::kTimeout && told.code != Code::kRateLimit) told.code = Code::kUpstream, told.type.clear();
      break;
  }
  return told;
}

std::string write_error(const Error& error, int, std::string_view request_id) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.key("error");
  w.begin_object();
  w.field("message", error.message);
  w.field("type", error_type(error.code));
  w.key("param");
  if (error.field.empty())
    w.null();
  else
    w.string(error.field);
  w.key("code");
  const std::string code = error_code(error);
  if (code.empty())
    w.null();
  else
    w.string(code);
  w.end_object();
  if (!request_id.empty()) w.field("request_id", request_id);
  w.end_object();
  return out;
}

}  // namespace ajar::wire::openai
