#include "wire/outbound.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "json/read.h"
#include "json/write.h"
#include "wire/error_text.h"
#include "wire/fields.h"

namespace ajar::wire {
namespace {

// Members of a Completions request that were either refused or are seen to elsewhere.
bool of_completion(std::string_view name) {
  for (const std::string_view own : {"prompt", "suffix", "best_of", "echo", "logprobs"}) {
    if (name == own) return true;
  }
  return false;
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

}  // namespace

std::string object_arguments(std::string_view arguments) {
  if (blank(arguments)) return "{}";
  const auto value = json::scratch().parse(arguments);
  std::string out;
  if (value && value->is_object()) {
    json::append_raw(out, *value);
    return out;
  }
  json::Writer w(out);
  w.begin_object();
  if (value) {
    w.raw_field("value", json::raw(*value));
  } else {
    w.field("arguments", arguments);
  }
  w.end_object();
  return out;
}

bool blank(std::string_view text) { return std::ranges::all_of(text, is_space); }

std::string_view trim_right(std::string_view text) {
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view sniff_media_type(std::string_view base64) {
  static constexpr std::pair<std::string_view, std::string_view> kMagic[] = {
      {"/9j/", "image/jpeg"},        {"iVBORw0KGgo", "image/png"}, {"R0lGOD", "image/gif"},
      {"JVBERi", "application/pdf"}, {"SUQz", "audio/mpeg"},       {"T2dnUw", "audio/ogg"},
      {"ZkxhQ", "audio/flac"},
  };
  for (const auto& [magic, type] : kMagic) {
    if (base64.starts_with(magic)) return type;
  }
  if (base64.starts_with("UklGR")) {  // RIFF: the form stands at byte 8
    const auto head = base64_decode(base64.substr(0, 16));
    if (head && head->size() >= 12)
      return head->substr(8, 4) == "WAVE" ? "audio/wav" : "image/webp";
  }
  return {};
}

std::string_view guess_media_type(std::string_view url) {
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {"jpg", "image/jpeg"},      {"jpeg", "image/jpeg"},     {"png", "image/png"},
      {"gif", "image/gif"},       {"webp", "image/webp"},     {"heic", "image/heic"},
      {"pdf", "application/pdf"}, {"txt", "text/plain"},      {"md", "text/markdown"},
      {"csv", "text/csv"},        {"html", "text/html"},      {"json", "application/json"},
      {"mp4", "video/mp4"},       {"mov", "video/quicktime"}, {"webm", "video/webm"},
      {"mp3", "audio/mpeg"},      {"wav", "audio/wav"},       {"ogg", "audio/ogg"},
      {"flac", "audio/flac"},     {"m4a", "audio/mp4"},
  };
  url = url.substr(0, url.find_first_of("?#"));
  const size_t dot = url.find_last_of("./");
  if (dot == std::string_view::npos || url[dot] != '.') return {};
  for (const auto& [extension, type] : kTypes) {
    if (iequals(url.substr(dot + 1), extension)) return type;
  }
  return {};
}

void drop(std::vector<std::string>& dropped, std::string_view name) {
  if (std::ranges::find(dropped, name) == dropped.end()) dropped.emplace_back(name);
}

namespace {

// Gemini's generationConfig, less what has words of ours.
Status drop_config(const json::Value& config, std::vector<std::string>& dropped) {
  const auto object = json::as_object(config);
  if (!object) return {};
  for (const auto field : *object) {
    if (field.value.is_null()) continue;
    const std::string name = "generationConfig." + std::string(field.key);
    bool refuse = field.key == "responseMimeType" || field.key == "responseFormat";
    if (field.key == "responseModalities") {
      if (const auto list = json::as_array(field.value)) {
        for (const json::Value item : *list) refuse = refuse || json::as_string(item).value_or("") != "TEXT";
      }
    }
    if (refuse)
      return fail(Code::kUnsupported, "the target cannot do what `" + name + "` asks", name);
    drop(dropped, name);
  }
  return {};
}

}  // namespace

// A model that only chats answers one prompt of text as it would one user turn.
Status refuse_completion(const Request& request) {
  if (request.extra.empty() && request.max_tokens != 0) return {};  // one prompt of text, nothing else
  json::Document document;
  const auto members = document.parse_object("{" + request.extra + "}");
  if (!members) return {};
  const auto refuse = [](std::string field, std::string why) {
    return fail(Code::kUnsupported, "the target chats and does not complete text: " + std::move(why), std::move(field));
  };
  const auto prompt = json::find(*members, "prompt");
  if (prompt && !json::as_string(*prompt)) {
    const auto list = json::as_array(*prompt);
    const bool one = list && list->size() == 1 && json::as_string(list->at(0).value_unsafe());
    if (!one) return refuse("prompt", "it takes one prompt of text, neither several nor token ids");
  }
  if (json::find(*members, "suffix")) return refuse("suffix", "it cannot fill in the middle");
  if (json::int_or(*members, "best_of", 1) > request.choices()) return refuse("best_of", "it cannot choose among answers");
  if (json::find(*members, "echo") && json::find(*members, "logprobs")) {
    return refuse("echo", "it gives no log probabilities of the prompt");
  }
  if (request.max_tokens == 0) return refuse("max_tokens", "it cannot answer with nothing");
  return {};
}

Status refuse_foreign(const Request& request) {
  if (request.dialect == DialectId::kOpenAiCompletions) return refuse_completion(request);
  if (request.dialect != DialectId::kOpenAiResponses) return {};
  if (!request.previous_id.empty()) {
    return fail(Code::kUnsupported,
                "the target keeps no responses, and Ajar keeps none here ([responses] store = false)",
                "previous_response_id");
  }
  for (const Message& message : request.messages) {
    for (const Part& part : message.parts) {
      if (part.kind != Part::Kind::kOpaque) continue;
      json::Document document;
      const auto object = document.parse_object(part.raw);
      const std::string type(object ? json::string_or(*object, "type") : "");
      return fail(Code::kUnsupported, "the target does not know input of type '" + type + "'", "input");
    }
  }
  for (const std::string& name : member_names(request.extra)) {
    for (const std::string_view state : {"conversation", "prompt", "context_management"}) {
      if (name == state) return fail(Code::kUnsupported, "the target has no `" + name + "`", name);
    }
  }
  return {};
}

Status drop_extra(const Request& request, std::vector<std::string>& dropped) {
  AJAR_TRY(refuse_foreign(request));
  for (const std::string& name : member_names(request.reasoning.extra)) {
    const bool shown = name == "display" || name == "summary" || name == "generate_summary";  // include_thoughts, too
    if (!shown) drop(dropped, "reasoning." + name);
  }
  for (const RawMembers* extra : {&request.response_format.extra, &request.response_format.inner_extra}) {
    for (const std::string& name : member_names(*extra)) {
      if (name != "responseSchema") drop(dropped, "response_format." + name);  // that one is `schema`, too
    }
  }
  if (request.extra.empty()) return {};
  json::Document document;
  const auto members = document.parse_object("{" + request.extra + "}");
  if (!members) return {};
  for (const auto field : *members) {
    if (field.value.is_null()) continue;
    const std::string name(field.key);
    // Thoughts come with their proof in any case.
    if (name == "include" && json::raw(field.value) == R"(["reasoning.encrypted_content"])") continue;
    bool refuse = name == "audio" || name == "web_search_options" || name == "functions" || name == "container";
    if (name == "cachedContent") refuse = true;
    if (name == "generationConfig") {
      AJAR_TRY(drop_config(field.value, dropped));
      continue;
    }
    if (name == "mcp_servers") {
      const auto list = json::as_array(field.value);
      refuse = !list || list->size() > 0;
    }
    if (name == "modalities") {
      if (const auto list = json::as_array(field.value)) {
        for (const json::Value item : *list) {
          refuse = refuse || json::as_string(item).value_or("text") != "text";
        }
      }
    }
    if (refuse)
      return fail(Code::kUnsupported, "the target cannot do what `" + name + "` asks", name);
    if (request.dialect == DialectId::kOpenAiCompletions && of_completion(name)) continue;
    drop(dropped, name);
  }
  return {};
}

bool AllowedTools::has(std::string_view name) const {
  return std::ranges::find(names, name) != names.end();
}

// https://platform.openai.com/docs/guides/function-calling#tool-choice
Result<std::optional<AllowedTools>> read_allowed_tools(const ToolChoice& choice) {
  if (!choice.allowed.empty()) {
    return AllowedTools{.required = choice.mode == ToolChoice::Mode::kAny, .names = choice.allowed};
  }
  if (choice.mode != ToolChoice::Mode::kRaw) return std::nullopt;
  const auto object_at = [](const json::Object& object, std::string_view key) {
    const auto value = json::find(object, key);
    return value ? json::as_object(*value) : std::nullopt;
  };
  json::Document document;
  const auto object = document.parse_object(choice.raw);
  auto inner = object ? object_at(*object, "allowed_tools") : std::nullopt;
  if (object && !inner && json::string_or(*object, "type") == "allowed_tools") inner = *object;  // Responses: flat
  const auto list = inner ? json::find(*inner, "tools") : std::nullopt;
  const auto tools = list ? json::as_array(*list) : std::nullopt;
  if (!tools)
    return fail(Code::kUnsupported, "the target does not have this kind of choice", "tool_choice");
  AllowedTools allowed{.required = json::string_or(*inner, "mode") == "required"};
  for (const json::Value item : *tools) {
    const auto tool = json::as_object(item);
    const auto function = tool ? object_at(*tool, "function") : std::nullopt;
    const bool flat = tool && !function && json::string_or(*tool, "type") == "function";
    const std::string_view name = function ? json::string_or(*function, "name")
                                  : flat   ? json::string_or(*tool, "name")
                                           : std::string_view();
    if (name.empty())
      return fail(Code::kUnsupported, "the target has only functions", "tool_choice.allowed_tools");
    allowed.names.emplace_back(name);
  }
  return allowed;
}

Status write_extra(json::Writer& w, const Request& request, bool ours, bool keep_unknown,
                   std::vector<std::string>& dropped) {
  if (!ours) return drop_extra(request, dropped);
  if (keep_unknown) {
    w.members(request.extra);
  } else {
    for (const std::string& name : member_names(request.extra)) drop(dropped, name);
  }
  return {};
}

namespace {

std::string type_of(const RawJson& raw) {
  json::Document document;
  const auto object = document.parse_object(raw);
  const std::string_view type = object ? json::string_or(*object, "type") : std::string_view();
  if (!type.empty() || !object) return std::string(type);
  for (const auto field : *object) return std::string(field.key);  // Gemini's {"googleSearch":{}}
  return {};
}

}  // namespace

std::unexpected<Error> refuse_block(const Part& part, std::string field) {
  return fail(Code::kUnsupported, "the target does not know content of type '" + type_of(part.raw) + "'",
              std::move(field));
}

std::unexpected<Error> refuse_tool(const Tool& tool, std::string field) {
  json::Document document;
  const auto object = document.parse_object(tool.raw);
  const std::string type = type_of(tool.raw);
  const bool custom = object && type == "custom";  // OpenAI's: the caller's own, of free text
  return fail(Code::kUnsupported, "the target does not have the built-in tool '" + type + "'" +
                                      (custom ? " ('" + std::string(json::string_or(*object, "name")) + "')" : ""),
              std::move(field));
}

bool is_instruction(const Message& message) {
  return message.role == Role::kSystem || message.role == Role::kDeveloper;
}

bool made_by(DialectId dialect, const Part& part, const Request& request) {
  return part.origin == dialect || (part.origin == DialectId::kNone && request.dialect == dialect);
}

std::string system_as_user_text(std::string_view text) {
  std::string out = "<system>\n";
  out.append(text).append("\n</system>");
  return out;
}

std::string part_field(size_t message, size_t part) {
  return "messages[" + std::to_string(message) + "].content[" + std::to_string(part) + "]";
}

std::string message_field(const std::vector<Message>& messages, size_t message) {
  const DialectId origin = message < messages.size() ? messages[message].origin : DialectId::kNone;
  if (origin != DialectId::kAnthropic && origin != DialectId::kGemini)
    return "messages[" + std::to_string(message) + "]";
  const bool gemini = origin == DialectId::kGemini;
  const size_t apart = messages.front().role == Role::kSystem ? 1 : 0;
  if (message < apart) return gemini ? "systemInstruction" : "system";
  return (gemini ? "contents[" : "messages[") + std::to_string(message - apart) + "]";
}

std::string part_field(const std::vector<Message>& messages, size_t message, size_t part) {
  std::string field = message_field(messages, message);
  const bool gemini = message < messages.size() && messages[message].origin == DialectId::kGemini;
  if (field != "system") field += gemini ? ".parts" : ".content";
  return field + "[" + std::to_string(part) + "]";
}

void drop_part_extra(const Part& part, const std::string& field, std::vector<std::string>& dropped) {
  if (part.extra.empty() && part.citations.empty()) return;
  if (part.origin != DialectId::kAnthropic && part.origin != DialectId::kGemini) return;
  for (const std::string& name : member_names(part.extra)) drop(dropped, field + "." + name);
  if (part.kind == Part::Kind::kFile && !part.citations.empty()) drop(dropped, field + ".citations");
}

void drop_tool_extra(const Tool& tool, const std::string& field, std::vector<std::string>& dropped) {
  if (tool.origin != DialectId::kAnthropic && tool.origin != DialectId::kGemini) return;
  for (const std::string& name : member_names(tool.extra)) {
    if (name != "type") drop(dropped, field + "." + name);
  }
}

Code code_of_status(int status) {
  switch (status) {
    case 400:
    case 422:
      return Code::kInvalid;
    case 404:
      return Code::kNotFound;
    case 408:
    case 504:
      return Code::kTimeout;
    case 413:
      return Code::kTooLarge;
    case 429:
      return Code::kRateLimit;
    case 503:
    case 529:
      return Code::kUnavailable;
    default:
      return Code::kUpstream;
  }
}

Error opaque_error(int status, std::string_view body) {
  Error error{.code = code_of_status(status), .upstream_status = status};
  error.message = "the provider answered with status " + std::to_string(status);
  const std::string excerpt = readable_excerpt(body);
  error.message += excerpt.empty() ? " and no body" : ": " + excerpt;
  return error;
}

}  // namespace ajar::wire
