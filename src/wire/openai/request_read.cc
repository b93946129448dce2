// A client's Chat Completions request to our types: the top level. Messages are in message_read.cc.
// https://platform.openai.com/docs/api-reference/chat/create
#include <limits>

#include "wire/fields.h"
#include "wire/openai/chat.h"
#include "wire/openai/message_read.h"

namespace ajar::wire::openai {
namespace {

enum Top {
  kModel,
  kMessages,
  kTools,
  kFunctions,
  kToolChoice,
  kFunctionCall,
  kParallel,
  kTemperature,
  kTopP,
  kFrequency,
  kPresence,
  kTopK,
  kSeed,
  kLogitBias,
  kMaxTokens,
  kMaxCompletionTokens,
  kStopAt,
  kN,
  kLogprobs,
  kTopLogprobs,
  kResponseFormat,
  kEffort,
  kReasoning,
  kThinking,
  kStream,
  kStreamOptions,
  kUser,
  kServiceTier,
  kMetadata,
  kTopCount
};
constexpr std::array<std::string_view, kTopCount> kTopNames = {"model",
                                                               "messages",
                                                               "tools",
                                                               "functions",
                                                               "tool_choice",
                                                               "function_call",
                                                               "parallel_tool_calls",
                                                               "temperature",
                                                               "top_p",
                                                               "frequency_penalty",
                                                               "presence_penalty",
                                                               "top_k",
                                                               "seed",
                                                               "logit_bias",
                                                               "max_tokens",
                                                               "max_completion_tokens",
                                                               "stop",
                                                               "n",
                                                               "logprobs",
                                                               "top_logprobs",
                                                               "response_format",
                                                               "reasoning_effort",
                                                               "reasoning",
                                                               "thinking",
                                                               "stream",
                                                               "stream_options",
                                                               "user",
                                                               "service_tier",
                                                               "metadata"};

constexpr double kAny = std::numeric_limits<double>::infinity();

// The body of `function`, and the members beside it: {type, function, cache_control, ...}.
Status read_function(const json::Object& object, const Path& path, Tool& tool) {
  static constexpr std::array<std::string_view, 4> kNames = {"name", "description", "parameters",
                                                             "strict"};
  const Fields<4> fields(object, kNames);
  if (!fields.has(0)) return missing(path / "name");
  AJAR_ASSIGN(tool.name, need_string(fields[0], path / "name"));
  if (tool.name.empty()) return invalid((path / "name").str(), "a function needs a name");
  if (fields.has(1)) {
    AJAR_ASSIGN(tool.description, need_string(fields[1], path / "description"));
  }
  if (fields.has(2)) {
    AJAR_TRY(need_object(fields[2], path / "parameters"));
    tool.parameters = json::raw(fields[2]);
  }
  if (fields.has(3)) {
    AJAR_ASSIGN(tool.strict, need_bool(fields[3], path / "strict"));
  }
  tool.inner_extra = fields.extra();
  return {};
}

Status read_tools(const json::Value& value, const Path& path, Request& request) {
  static constexpr std::array<std::string_view, 3> kNames = {"type", "function", "cache_control"};
  AJAR_ASSIGN(const auto array, need_array(value, path));
  size_t index = 0;
  for (const auto item : array) {
    const Path at = path[index++];
    AJAR_ASSIGN(const auto object, need_object(item, at));
    Tool& tool = request.tools.emplace_back();
    tool.origin = DialectId::kOpenAiChat;
    const Fields<3> fields(object, kNames);
    if (!fields.has(0)) return missing(at / "type");
    AJAR_ASSIGN(const auto type, need_string(fields[0], at / "type"));
    if (type != "function") {  // custom tools, built-in tools of compatible servers
      tool.raw = json::raw(item);
      continue;
    }
    if (!fields.has(1)) return missing(at / "function");
    AJAR_ASSIGN(const auto function, need_object(fields[1], at / "function"));
    const Path inner = at / "function";
    AJAR_TRY(read_function(function, inner, tool));
    if (fields.has(2)) tool.cache_control = json::raw(fields[2]);
    tool.extra = fields.extra();
  }
  return {};
}

Status read_functions(const json::Value& value, const Path& path, Request& request) {
  AJAR_ASSIGN(const auto array, need_array(value, path));
  size_t index = 0;
  for (const auto item : array) {
    const Path at = path[index++];
    AJAR_ASSIGN(const auto object, need_object(item, at));
    Tool& tool = request.tools.emplace_back();
    tool.origin = DialectId::kOpenAiChat;
    AJAR_TRY(read_function(object, at, tool));
  }
  request.legacy_functions = true;
  return {};
}

Status read_tool_choice(const json::Value& value, const Path& path, ToolChoice& choice) {
  using Mode = ToolChoice::Mode;
  if (const auto word = json::as_string(value)) {
    if (*word == "auto")
      choice.mode = Mode::kAuto;
    else if (*word == "none")
      choice.mode = Mode::kNone;
    else if (*word == "required" || *word == "any")
      choice.mode = Mode::kAny;  // "any": Mistral's word
    else
      return invalid(path.str(),
                     "'" + path.str() + "' must be \"none\", \"auto\", \"required\" or an object");
    return {};
  }
  const auto object = json::as_object(value);
  if (!object) return wrong_type(path, "a string or an object", value);
  if (json::string_or(*object, "type") == "function") {
    const auto function = json::find(*object, "function");
    if (!function) return missing(path / "function");
    const Path at = path / "function";
    AJAR_ASSIGN(const auto inner, need_object(*function, at));
    const auto name = json::find(inner, "name");
    if (!name) return missing(at / "name");
    AJAR_ASSIGN(choice.name, need_string(*name, at / "name"));
    choice.mode = Mode::kNamed;
    return {};
  }
  choice.mode = Mode::kRaw;  // allowed_tools, custom
  choice.raw = json::raw(value);
  return {};
}

Status read_function_call(const json::Value& value, const Path& path, ToolChoice& choice) {
  if (json::as_string(value)) return read_tool_choice(value, path, choice);
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const auto name = json::find(object, "name");
  if (!name) return missing(path / "name");
  AJAR_ASSIGN(choice.name, need_string(*name, path / "name"));
  choice.mode = ToolChoice::Mode::kNamed;
  return {};
}

Status read_response_format(const json::Value& value, const Path& path, ResponseFormat& format,
                            RawMembers& extra) {
  static constexpr std::array<std::string_view, 2> kOuter = {"type", "json_schema"};
  static constexpr std::array<std::string_view, 4> kInner = {"name", "description", "schema",
                                                             "strict"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<2> fields(object, kOuter);
  if (!fields.has(0)) return missing(path / "type");
  AJAR_ASSIGN(const auto type, need_string(fields[0], path / "type"));
  if (type == "text") {
    format.kind = ResponseFormat::Kind::kText;
  } else if (type == "json_object") {
    format.kind = ResponseFormat::Kind::kJsonObject;
  } else if (type == "json_schema" && fields.has(1)) {
    const Path at = path / "json_schema";
    AJAR_ASSIGN(const auto inner_object, need_object(fields[1], at));
    const Fields<4> inner(inner_object, kInner);
    format.kind = ResponseFormat::Kind::kJsonSchema;
    if (inner.has(0)) {
      AJAR_ASSIGN(format.name, need_string(inner[0], at / "name"));
    }
    if (inner.has(1)) {
      AJAR_ASSIGN(format.description, need_string(inner[1], at / "description"));
    }
    if (inner.has(2)) {
      AJAR_TRY(need_object(inner[2], at / "schema"));
      format.schema = json::raw(inner[2]);
    }
    if (inner.has(3)) {
      AJAR_ASSIGN(format.strict, need_bool(inner[3], at / "strict"));
    }
    format.inner_extra = inner.extra();
  } else if (type == "json_schema" && !fields.has_unknown()) {
    return missing(path / "json_schema");
  } else {  // grammars and the like of other servers
    add_member(extra, "response_format", value);
    return {};
  }
  format.extra = fields.extra();
  return {};
}

// OpenRouter: reasoning: {effort, max_tokens, enabled, exclude}.
Status read_reasoning(const json::Value& value, const Path& path, Reasoning& reasoning) {
  static constexpr std::array<std::string_view, 4> kNames = {"effort", "max_tokens", "enabled",
                                                             "exclude"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<4> fields(object, kNames);
  reasoning.form = "reasoning";
  if (fields.has(0)) {
    AJAR_ASSIGN(reasoning.effort, need_string(fields[0], path / "effort"));
    reasoning.mode = Reasoning::Mode::kEffort;
  }
  if (fields.has(1)) {
    AJAR_ASSIGN(reasoning.budget_tokens, need_int(fields[1], path / "max_tokens"));
    AJAR_TRY(check_range(double(reasoning.budget_tokens), 0, kAny, path / "max_tokens"));
    if (reasoning.mode == Reasoning::Mode::kUnset) reasoning.mode = Reasoning::Mode::kBudget;
  }
  if (fields.has(2)) {
    AJAR_ASSIGN(const bool enabled, need_bool(fields[2], path / "enabled"));
    if (!enabled)
      reasoning.mode = Reasoning::Mode::kOff;
    else if (reasoning.mode == Reasoning::Mode::kUnset)
      reasoning.mode = Reasoning::Mode::kAdaptive;
  }
  if (fields.has(3)) {
    AJAR_ASSIGN(const bool exclude, need_bool(fields[3], path / "exclude"));
    reasoning.include_thoughts = !exclude;
  }
  reasoning.extra = fields.extra();
  return {};
}

// Anthropic, DeepSeek, Moonshot: thinking: {type: enabled | disabled | adaptive, budget_tokens}.
Status read_thinking(const json::Value& value, const Path& path, Reasoning& reasoning) {
  static constexpr std::array<std::string_view, 2> kNames = {"type", "budget_tokens"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<2> fields(object, kNames);
  if (!fields.has(0)) return missing(path / "type");
  AJAR_ASSIGN(const auto type, need_string(fields[0], path / "type"));
  reasoning.form = "thinking";
  reasoning.extra = fields.extra();
  if (fields.has(1)) {
    AJAR_ASSIGN(reasoning.budget_tokens, need_int(fields[1], path / "budget_tokens"));
    AJAR_TRY(check_range(double(reasoning.budget_tokens), 0, kAny, path / "budget_tokens"));
  }
  if (type == "disabled") {
    reasoning.mode = Reasoning::Mode::kOff;
  } else if (type == "enabled" && fields.has(1)) {
    reasoning.mode = Reasoning::Mode::kBudget;
  } else {
    reasoning.mode = Reasoning::Mode::kAdaptive;
    if (type != "adaptive")
      add_member(reasoning.extra, "type", fields[0]);  // kept as the client said it
  }
  return {};
}

Status read_stop(const json::Value& value, const Path& path, Request& request) {
  if (const auto one = json::as_string(value)) {
    request.stop.emplace_back(*one);
    request.stop_is_string = true;
    return {};
  }
  const auto array = json::as_array(value);
  if (!array) return wrong_type(path, "a string or an array of strings", value);
  size_t index = 0;
  for (const auto item : *array) {
    AJAR_ASSIGN(const auto text, need_string(item, path[index]));
    request.stop.emplace_back(text);
    ++index;
  }
  return {};
}

Status read_stream_options(const json::Value& value, const Path& path, Request& request) {
  static constexpr std::array<std::string_view, 1> kNames = {"include_usage"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<1> fields(object, kNames);
  if (fields.has(0)) {
    AJAR_ASSIGN(request.include_usage, need_bool(fields[0], path / "include_usage"));
  }
  request.stream_options_extra = fields.extra();
  return {};
}

using TopFields = Fields<kTopCount>;

// Reads member `which` if it is there, in range.
Status number_field(const TopFields& fields, Top which, double low, double high,
                    std::optional<double>& out) {
  if (!fields.has(which)) return {};
  const Path root;
  const Path path = root / kTopNames[which];
  AJAR_ASSIGN(out, need_number(fields[which], path));
  return check_range(*out, low, high, path);
}
Status int_field(const TopFields& fields, Top which, double low, double high,
                 std::optional<int64_t>& out) {
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

Status read_sampling(const TopFields& fields, Request& request) {
  Sampling& sampling = request.sampling;
  AJAR_TRY(number_field(fields, kTemperature, 0, 2, sampling.temperature));
  AJAR_TRY(number_field(fields, kTopP, 0, 1, sampling.top_p));
  AJAR_TRY(number_field(fields, kFrequency, -2, 2, sampling.frequency_penalty));
  AJAR_TRY(number_field(fields, kPresence, -2, 2, sampling.presence_penalty));
  AJAR_TRY(int_field(fields, kTopK, -1, kAny, sampling.top_k));  // -1: all, in vLLM
  AJAR_TRY(int_field(fields, kSeed, -kAny, kAny, sampling.seed));
  if (fields.has(kLogitBias)) {
    const Path root;
    AJAR_TRY(need_object(fields[kLogitBias], root / "logit_bias"));
    sampling.logit_bias = json::raw(fields[kLogitBias]);
  }
  AJAR_TRY(int_field(fields, kN, 1, 128, request.n));
  AJAR_TRY(int_field(fields, kTopLogprobs, 0, 20, request.top_logprobs));
  AJAR_TRY(bool_field(fields, kLogprobs, request.logprobs));
  // The newer spelling wins when both are there: OpenAI refuses both, others read either.
  request.max_completion_tokens = fields.has(kMaxCompletionTokens);
  return int_field(fields, request.max_completion_tokens ? kMaxCompletionTokens : kMaxTokens, 1,
                   kAny, request.max_tokens);
}

Status read_choices_and_limits(const TopFields& fields, const Path& root, Request& request) {
  if (fields.has(kTools)) AJAR_TRY(read_tools(fields[kTools], root / "tools", request));
  if (fields.has(kFunctions))
    AJAR_TRY(read_functions(fields[kFunctions], root / "functions", request));
  if (fields.has(kToolChoice)) {
    AJAR_TRY(read_tool_choice(fields[kToolChoice], root / "tool_choice", request.tool_choice));
  } else if (fields.has(kFunctionCall)) {
    AJAR_TRY(
        read_function_call(fields[kFunctionCall], root / "function_call", request.tool_choice));
  }
  AJAR_TRY(bool_field(fields, kParallel, request.parallel_tool_calls));
  if (fields.has(kStopAt)) AJAR_TRY(read_stop(fields[kStopAt], root / "stop", request));
  if (fields.has(kResponseFormat)) {
    AJAR_TRY(read_response_format(fields[kResponseFormat], root / "response_format",
                                  request.response_format, request.extra));
  }
  return {};
}

Status read_reasoning_forms(const TopFields& fields, const Path& root, Request& request) {
  // Only one of the three is ours to understand; the others stay as the client wrote them.
  bool taken = false;
  if (fields.has(kEffort)) {
    AJAR_TRY(string_field(fields, kEffort, request.reasoning.effort));
    request.reasoning.mode = Reasoning::Mode::kEffort;
    taken = true;
  }
  for (const Top which : {kReasoning, kThinking}) {
    if (!fields.has(which)) continue;
    if (taken) {
      add_member(request.extra, kTopNames[which], fields[which]);
    } else if (which == kReasoning) {
      AJAR_TRY(read_reasoning(fields[which], root / "reasoning", request.reasoning));
    } else {
      AJAR_TRY(read_thinking(fields[which], root / "thinking", request.reasoning));
    }
    taken = true;
  }
  return {};
}

}  // namespace

Result<Request> read_request(std::string_view body) {
  AJAR_ASSIGN(const auto document, json::scratch().parse(body));
  const Path root;
  AJAR_ASSIGN(const auto object, need_object(document, root));
  const TopFields fields(object, kTopNames);
  Request request;
  request.dialect = DialectId::kOpenAiChat;
  if (!fields.has(kModel)) return missing(root / "model");
  AJAR_TRY(string_field(fields, kModel, request.model));
  if (request.model.empty()) return invalid("model", "'model' must not be empty");
  if (!fields.has(kMessages)) return missing(root / "messages");
  request.extra = fields.extra();
  AJAR_TRY(read_messages(fields[kMessages], root / "messages", request.messages));
  AJAR_TRY(read_sampling(fields, request));
  AJAR_TRY(read_choices_and_limits(fields, root, request));
  AJAR_TRY(read_reasoning_forms(fields, root, request));
  if (fields.has(kStream)) {
    AJAR_ASSIGN(request.stream, need_bool(fields[kStream], root / "stream"));
  }
  if (fields.has(kStreamOptions)) {
    AJAR_TRY(read_stream_options(fields[kStreamOptions], root / "stream_options", request));
  }
  AJAR_TRY(string_field(fields, kUser, request.user));
  AJAR_TRY(string_field(fields, kServiceTier, request.service_tier));
  if (fields.has(kMetadata)) {
    AJAR_TRY(need_object(fields[kMetadata], root / "metadata"));
    request.metadata = json::raw(fields[kMetadata]);
  }
  return request;
}

}  // namespace ajar::wire::openai
