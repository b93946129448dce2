// A client's Responses request to our types: the top level. Items are in item_read.cc.
// https://platform.openai.com/docs/api-reference/responses/create
#include <limits>

#include "wire/responses/item_read.h"
#include "wire/responses/object.h"
#include "wire/responses/responses.h"

namespace ajar::wire::responses {
namespace {

enum Top {
  kModel, kInput, kInstructionsAt, kTools, kToolChoice, kParallel, kText, kReasoning, kMaxOutput, kTemperature, kTopP,
  kTopLogprobs, kInclude, kMetadata, kUser, kServiceTier, kStore, kPrevious, kStream, kStreamOptions, kBackground,
  kTruncation, kTopCount
};
constexpr std::array<std::string_view, kTopCount> kTopNames = {
    "model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "text", "reasoning",
    "max_output_tokens", "temperature", "top_p", "top_logprobs", "include", "metadata", "user", "service_tier", "store",
    "previous_response_id", "stream", "stream_options", "background", "truncation"};
using TopFields = Fields<kTopCount>;

constexpr double kAny = std::numeric_limits<double>::infinity();

// {type: "function", name, description, parameters, strict}; every other tool is kept whole.
Status read_tools(const json::Value& value, const Path& path, std::vector<Tool>& tools) {
  static constexpr std::array<std::string_view, 5> kNames = {"type", "name", "description", "parameters", "strict"};
  AJAR_ASSIGN(const auto array, need_array(value, path));
  tools.reserve(array.size());
  size_t index = 0;
  for (const auto item : array) {
    const Path at = path[index++];
    AJAR_ASSIGN(const auto object, need_object(item, at));
    Tool& tool = tools.emplace_back();
    tool.origin = DialectId::kOpenAiResponses;
    const Fields<5> fields(object, kNames);
    if (!fields.has(0)) return missing(at / "type");
    AJAR_ASSIGN(const auto type, need_string(fields[0], at / "type"));
    if (type != "function") {
      tool.raw = json::raw(item);
      continue;
    }
    if (!fields.has(1)) return missing(at / "name");
    AJAR_ASSIGN(tool.name, need_string(fields[1], at / "name"));
    if (tool.name.empty()) return invalid((at / "name").str(), "a function needs a name");
    if (fields.has(2)) {
      AJAR_ASSIGN(tool.description, need_string(fields[2], at / "description"));
    }
    if (fields.has(3)) {
      AJAR_TRY(need_object(fields[3], at / "parameters"));
      tool.parameters = json::raw(fields[3]);
    }
    if (fields.has(4)) {
      AJAR_ASSIGN(tool.strict, need_bool(fields[4], at / "strict"));
    }
    tool.extra = fields.extra();
  }
  return {};
}

Status read_tool_choice(const json::Value& value, const Path& path, ToolChoice& choice) {
  using Mode = ToolChoice::Mode;
  if (const auto word = json::as_string(value)) {
    if (*word == "auto") {
      choice.mode = Mode::kAuto;
    } else if (*word == "none") {
      choice.mode = Mode::kNone;
    } else if (*word == "required") {
      choice.mode = Mode::kAny;
    } else {
      return invalid(path.str(), "'" + path.str() + "' must be \"none\", \"auto\", \"required\" or an object");
    }
    return {};
  }
  const auto object = json::as_object(value);
  if (!object) return wrong_type(path, "a string or an object", value);
  if (json::string_or(*object, "type") == "function") {
    const auto name = json::find(*object, "name");
    if (!name) return missing(path / "name");
    AJAR_ASSIGN(choice.name, need_string(*name, path / "name"));
    choice.mode = Mode::kNamed;
    return {};
  }
  choice.mode = Mode::kRaw;  // allowed_tools, custom, built-in tools
  choice.raw = json::raw(value);
  return {};
}

Status read_format(const json::Value& value, const Path& path, ResponseFormat& format) {
  static constexpr std::array<std::string_view, 5> kNames = {"type", "name", "description", "schema", "strict"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<5> fields(object, kNames);
  if (!fields.has(0)) return missing(path / "type");
  AJAR_ASSIGN(const auto type, need_string(fields[0], path / "type"));
  format.extra = fields.extra();
  if (type == "text") {
    format.kind = ResponseFormat::Kind::kText;
    return {};
  }
  if (type == "json_object") {
    format.kind = ResponseFormat::Kind::kJsonObject;
    return {};
  }
  if (type != "json_schema") {
    return invalid((path / "type").str(), "'" + (path / "type").str() + "' must be text, json_object or json_schema");
  }
  format.kind = ResponseFormat::Kind::kJsonSchema;
  if (fields.has(1)) {
    AJAR_ASSIGN(format.name, need_string(fields[1], path / "name"));
  }
  if (fields.has(2)) {
    AJAR_ASSIGN(format.description, need_string(fields[2], path / "description"));
  }
  if (!fields.has(3)) return missing(path / "schema");
  AJAR_TRY(need_object(fields[3], path / "schema"));
  format.schema = json::raw(fields[3]);
  if (fields.has(4)) {
    AJAR_ASSIGN(format.strict, need_bool(fields[4], path / "strict"));
  }
  return {};
}

// text: {format, verbosity}. What is not the format stays with the unknown members.
Status read_text(const json::Value& value, const Path& path, Request& request) {
  static constexpr std::array<std::string_view, 1> kNames = {"format"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<1> fields(object, kNames);
  if (fields.has(0)) AJAR_TRY(read_format(fields[0], path / "format", request.response_format));
  if (fields.has_unknown()) add_member(request.extra, "text", "{" + fields.extra() + "}");
  return {};
}

Status read_reasoning(const json::Value& value, const Path& path, Reasoning& reasoning) {
  static constexpr std::array<std::string_view, 1> kNames = {"effort"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<1> fields(object, kNames);
  if (fields.has(0)) {
    AJAR_ASSIGN(reasoning.effort, need_string(fields[0], path / "effort"));
    reasoning.mode = Reasoning::Mode::kEffort;
  }
  reasoning.extra = fields.extra();
  for (const std::string_view word : {"summary", "generate_summary"}) {
    if (json::find(object, word)) reasoning.include_thoughts = true;
  }
  return {};
}

// Log probabilities are asked for here; the rest is about things that only this API has.
Status read_include(const json::Value& value, const Path& path, Request& request) {
  AJAR_ASSIGN(const auto list, need_array(value, path));
  std::string rest;
  size_t index = 0;
  for (const auto item : list) {
    AJAR_ASSIGN(const auto word, need_string(item, path[index]));
    ++index;
    if (word == "message.output_text.logprobs") {
      request.logprobs = true;
    } else {
      if (!rest.empty()) rest.push_back(',');
      json::append_string(rest, word);
    }
  }
  if (!rest.empty()) add_member(request.extra, "include", "[" + rest + "]");
  return {};
}

Status read_stream_options(const json::Value& value, const Path& path, Request& request) {
  AJAR_ASSIGN(const auto object, need_object(value, path));
  for (const auto field : object) {
    // Padding against eavesdroppers on the line to the provider, which is its own business.
    if (field.key != "include_obfuscation") add_member(request.stream_options_extra, field.key, field.value);
  }
  return {};
}

Status number_field(const TopFields& fields, Top which, double high, std::optional<double>& out) {
  if (!fields.has(which)) return {};
  const Path root;
  const Path path = root / kTopNames[which];
  AJAR_ASSIGN(out, need_number(fields[which], path));
  return check_range(*out, 0, high, path);
}
Status int_field(const TopFields& fields, Top which, double low, double high, std::optional<int64_t>& out) {
  if (!fields.has(which)) return {};
  const Path root;
  const Path path = root / kTopNames[which];
  AJAR_ASSIGN(out, need_int(fields[which], path));
  return check_range(double(*out), low, high, path);
}
Status bool_field(const TopFields& fields, Top which, std::optional<bool>& out) {
  if (!fields.has(which)) return {};
  const Path root;
  AJAR_ASSIGN(out, need_bool(fields[which], root / kTopNames[which]));
  return {};
}
Status string_field(const TopFields& fields, Top which, std::string& out) {
  if (!fields.has(which)) return {};
  const Path root;
  AJAR_ASSIGN(out, need_string(fields[which], root / kTopNames[which]));
  return {};
}

Status read_settings(const TopFields& fields, const Path& root, Request& request) {
  AJAR_TRY(number_field(fields, kTemperature, 2, request.sampling.temperature));
  AJAR_TRY(number_field(fields, kTopP, 1, request.sampling.top_p));
  AJAR_TRY(int_field(fields, kTopLogprobs, 0, 20, request.top_logprobs));
  AJAR_TRY(int_field(fields, kMaxOutput, 1, kAny, request.max_tokens));
  AJAR_TRY(bool_field(fields, kParallel, request.parallel_tool_calls));
  AJAR_TRY(bool_field(fields, kStore, request.store));
  AJAR_TRY(string_field(fields, kPrevious, request.previous_id));
  AJAR_TRY(string_field(fields, kUser, request.user));
  AJAR_TRY(string_field(fields, kServiceTier, request.service_tier));
  if (fields.has(kMetadata)) {
    AJAR_TRY(need_object(fields[kMetadata], root / "metadata"));
    request.metadata = json::raw(fields[kMetadata]);
  }
  if (fields.has(kTruncation)) {
    AJAR_ASSIGN(const auto word, need_string(fields[kTruncation], root / "truncation"));
    if (word != "disabled") add_member(request.extra, "truncation", fields[kTruncation]);
  }
  std::optional<bool> background, stream;
  AJAR_TRY(bool_field(fields, kBackground, background));
  if (background.value_or(false)) {
    return fail(Code::kUnsupported, "responses are answered while the client waits, not in the background", "background");
  }
  AJAR_TRY(bool_field(fields, kStream, stream));
  request.stream = stream.value_or(false);
  if (fields.has(kStreamOptions)) {
    AJAR_TRY(read_stream_options(fields[kStreamOptions], root / "stream_options", request));
  }
  return {};
}

Status read_input(const TopFields& fields, const Path& root, Request& request) {
  if (fields.has(kInstructionsAt)) {
    const Path at = root / "instructions";
    Message& message = request.messages.emplace_back();
    message.role = Role::kSystem;
    message.origin = DialectId::kOpenAiResponses;
    message.plain_text = true;
    Part& part = message.parts.emplace_back();
    part.origin = DialectId::kOpenAiResponses;
    part.detail = kInstructions;
    AJAR_ASSIGN(part.text, need_string(fields[kInstructionsAt], at));
  }
  if (!fields.has(kInput)) {
    if (has_member(request.extra, "prompt") || !request.previous_id.empty()) return {};
    return missing(root / "input");
  }
  const Path at = root / "input";
  if (const auto text = json::as_string(fields[kInput])) {
    Message& message = request.messages.emplace_back();
    message.origin = DialectId::kOpenAiResponses;
    message.plain_text = true;
    Part& part = message.parts.emplace_back();
    part.origin = DialectId::kOpenAiResponses;
    part.text = *text;
    return {};
  }
  if (!json::as_array(fields[kInput])) return wrong_type(at, "a string or an array of items", fields[kInput]);
  return ItemReader(request.messages).read_all(fields[kInput], at);
}

}  // namespace

Result<Request> read_request(std::string_view body) {
  AJAR_ASSIGN(const auto document, json::scratch().parse(body));
  const Path root;
  AJAR_ASSIGN(const auto object, need_object(document, root));
  const TopFields fields(object, kTopNames);
  Request request;
  request.dialect = DialectId::kOpenAiResponses;
  if (!fields.has(kModel)) return missing(root / "model");
  AJAR_TRY(string_field(fields, kModel, request.model));
  if (request.model.empty()) return invalid("model", "'model' must not be empty");
  request.extra = fields.extra();
  AJAR_TRY(read_settings(fields, root, request));
  AJAR_TRY(read_input(fields, root, request));
  if (request.messages.empty() && !has_member(request.extra, "prompt") && request.previous_id.empty()) {
    return invalid("input", "'input' must not be empty");
  }
  if (fields.has(kTools)) AJAR_TRY(read_tools(fields[kTools], root / "tools", request.tools));
  if (fields.has(kToolChoice)) AJAR_TRY(read_tool_choice(fields[kToolChoice], root / "tool_choice", request.tool_choice));
  if (fields.has(kText)) AJAR_TRY(read_text(fields[kText], root / "text", request));
  if (fields.has(kReasoning)) AJAR_TRY(read_reasoning(fields[kReasoning], root / "reasoning", request.reasoning));
  if (fields.has(kInclude)) AJAR_TRY(read_include(fields[kInclude], root / "include", request));
  return request;
}

}  // namespace ajar::wire::responses
