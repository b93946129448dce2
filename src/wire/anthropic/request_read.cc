// A client's Messages request to our types: the top level. Messages are in message_read.cc.
// https://docs.claude.com/en/api/messages
#include <limits>

#include "wire/anthropic/anthropic.h"
#include "wire/anthropic/message_read.h"
#include "wire/fields.h"

namespace ajar::wire::anthropic {
namespace {

enum Top {
  kModel,
  kMaxTokens,
  kMessages,
  kSystem,
  kTools,
  kToolChoice,
  kStopSequences,
  kTemperature,
  kTopP,
  kTopK,
  kThinking,
  kOutputConfig,
  kOutputFormat,
  kMetadata,
  kServiceTier,
  kStream,
  kTopCount
};
constexpr std::array<std::string_view, kTopCount> kTopNames = {
    "model",       "max_tokens", "messages", "system", "tools",    "tool_choice",
    "stop_sequences", "temperature", "top_p", "top_k", "thinking", "output_config",
    "output_format",  "metadata",  "service_tier", "stream"};
using TopFields = Fields<kTopCount>;

constexpr double kAny = std::numeric_limits<double>::infinity();

// A function, or a tool of Anthropic's own, which is kept whole. https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview
Status read_tool(const json::Value& item, const Path& path, Tool& tool) {
  static constexpr std::array<std::string_view, 6> kNames = {
      "type", "name", "description", "input_schema", "strict", "cache_control"};
  AJAR_ASSIGN(const auto object, need_object(item, path));
  const Fields<6> fields(object, kNames);
  tool.origin = DialectId::kAnthropic;
  if (fields.has(0)) {
    AJAR_ASSIGN(const auto type, need_string(fields[0], path / "type"));
    if (type != "custom") {
      tool.raw = json::raw(item);
      return {};
    }
    add_member(tool.extra, "type", fields[0]);
  } else if (!fields.has(3) && !fields.has(1)) {  // an entry without a name is not a function
    tool.raw = json::raw(item);
    return {};
  }
  if (!fields.has(1)) return missing(path / "name");
  AJAR_ASSIGN(tool.name, need_string(fields[1], path / "name"));
  if (tool.name.empty()) return invalid((path / "name").str(), "a tool needs a name");
  if (fields.has(2)) {
    AJAR_ASSIGN(tool.description, need_string(fields[2], path / "description"));
  }
  if (!fields.has(3)) return missing(path / "input_schema");
  AJAR_TRY(need_object(fields[3], path / "input_schema"));
  tool.parameters = json::raw(fields[3]);
  if (fields.has(4)) {
    AJAR_ASSIGN(tool.strict, need_bool(fields[4], path / "strict"));
  }
  if (fields.has(5)) tool.cache_control = json::raw(fields[5]);
  for (const auto& [name, value] : fields.unknown()) add_member(tool.extra, name, value);
  return {};
}

Status read_tools(const json::Value& value, const Path& path, Request& request) {
  AJAR_ASSIGN(const auto array, need_array(value, path));
  request.tools.reserve(array.size());
  size_t index = 0;
  for (const auto item : array) {
    AJAR_TRY(read_tool(item, path[index], request.tools.emplace_back()));
    ++index;
  }
  return {};
}

Status read_tool_choice(const json::Value& value, const Path& path, Request& request) {
  using Mode = ToolChoice::Mode;
  static constexpr std::array<std::string_view, 3> kNames = {"type", "name",
                                                             "disable_parallel_tool_use"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<3> fields(object, kNames);
  if (!fields.has(0)) return missing(path / "type");
  AJAR_ASSIGN(const auto type, need_string(fields[0], path / "type"));
  if (fields.has(2)) {
    AJAR_ASSIGN(const bool one, need_bool(fields[2], path / "disable_parallel_tool_use"));
    request.parallel_tool_calls = !one;
  }
  if (type == "auto") {
    request.tool_choice.mode = Mode::kAuto;
  } else if (type == "any") {
    request.tool_choice.mode = Mode::kAny;
  } else if (type == "none") {
    request.tool_choice.mode = Mode::kNone;
  } else if (type == "tool") {
    if (!fields.has(1)) return missing(path / "name");
    AJAR_ASSIGN(request.tool_choice.name, need_string(fields[1], path / "name"));
    request.tool_choice.mode = Mode::kNamed;
  } else {
    return invalid((path / "type").str(),
                   "'" + (path / "type").str() + "' must be auto, any, tool or none");
  }
  return {};
}

// https://docs.claude.com/en/docs/build-with-claude/extended-thinking
Status read_thinking(const json::Value& value, const Path& path, Reasoning& reasoning) {
  static constexpr std::array<std::string_view, 2> kNames = {"type", "budget_tokens"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<2> fields(object, kNames);
  if (!fields.has(0)) return missing(path / "type");
  AJAR_ASSIGN(const auto type, need_string(fields[0], path / "type"));
  reasoning.extra = fields.extra();
  if (type == "enabled") {
    if (!fields.has(1)) return missing(path / "budget_tokens");
    AJAR_ASSIGN(reasoning.budget_tokens, need_int(fields[1], path / "budget_tokens"));
    AJAR_TRY(check_range(double(reasoning.budget_tokens), 1, kAny, path / "budget_tokens"));
    reasoning.mode = Reasoning::Mode::kBudget;
  } else if (type == "disabled") {
    reasoning.mode = Reasoning::Mode::kOff;
  } else if (type == "adaptive") {
    reasoning.mode = Reasoning::Mode::kAdaptive;
  } else {
    return invalid((path / "type").str(),
                   "'" + (path / "type").str() + "' must be enabled, disabled or adaptive");
  }
  for (const auto& [name, member] : fields.unknown()) {
    if (name == "display") reasoning.include_thoughts = json::as_string(member) != "omitted";
  }
  return {};
}

Status read_format(const json::Value& value, const Path& path, ResponseFormat& format) {
  static constexpr std::array<std::string_view, 2> kNames = {"type", "schema"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<2> fields(object, kNames);
  if (!fields.has(0)) return missing(path / "type");
  AJAR_ASSIGN(const auto type, need_string(fields[0], path / "type"));
  if (type != "json_schema") {
    return invalid((path / "type").str(), "'" + (path / "type").str() + "' must be json_schema");
  }
  if (!fields.has(1)) return missing(path / "schema");
  AJAR_TRY(need_object(fields[1], path / "schema"));
  format.kind = ResponseFormat::Kind::kJsonSchema;
  format.schema = json::raw(fields[1]);
  format.strict = true;  // what the API promises without being asked
  format.inner_extra = fields.extra();
  return {};
}

// {"effort", "format", ...}; the rest stays in response_format.extra.
// https://docs.claude.com/en/docs/build-with-claude/effort
Status read_output_config(const json::Value& value, const Path& path, Request& request) {
  static constexpr std::array<std::string_view, 2> kNames = {"effort", "format"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<2> fields(object, kNames);
  if (fields.has(0)) {
    Reasoning& reasoning = request.reasoning;
    AJAR_ASSIGN(reasoning.effort, need_string(fields[0], path / "effort"));
    if (reasoning.mode == Reasoning::Mode::kUnset) {
      reasoning.mode = Reasoning::Mode::kEffort;
      reasoning.include_thoughts = false;  // thoughts are shown to those who ask for thinking
    }
  }
  if (fields.has(1)) AJAR_TRY(read_format(fields[1], path / "format", request.response_format));
  request.response_format.extra = fields.extra();
  return {};
}

Status read_metadata(const json::Value& value, const Path& path, Request& request) {
  static constexpr std::array<std::string_view, 1> kNames = {"user_id"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<1> fields(object, kNames);
  if (fields.has(0)) {
    AJAR_ASSIGN(request.user, need_string(fields[0], path / "user_id"));
  }
  if (fields.has_unknown()) request.metadata = "{" + fields.extra() + "}";
  return {};
}

Status read_stop(const json::Value& value, const Path& path, Request& request) {
  AJAR_ASSIGN(const auto array, need_array(value, path));
  size_t index = 0;
  for (const auto item : array) {
    AJAR_ASSIGN(const auto text, need_string(item, path[index]));
    request.stop.emplace_back(text);
    ++index;
  }
  return {};
}

Status read_sampling(const TopFields& fields, const Path& root, Request& request) {
  const auto number = [&](Top which, double high, std::optional<double>& out) -> Status {
    if (!fields.has(which)) return {};
    const Path path = root / kTopNames[which];
    AJAR_ASSIGN(out, need_number(fields[which], path));
    return check_range(*out, 0, high, path);
  };
  const auto integer = [&](Top which, double low, std::optional<int64_t>& out) -> Status {
    if (!fields.has(which)) return {};
    const Path path = root / kTopNames[which];
    AJAR_ASSIGN(out, need_int(fields[which], path));
    return check_range(double(*out), low, kAny, path);
  };
  AJAR_TRY(number(kTemperature, 1, request.sampling.temperature));
  AJAR_TRY(number(kTopP, 1, request.sampling.top_p));
  AJAR_TRY(integer(kTopK, 0, request.sampling.top_k));
  return integer(kMaxTokens, 1, request.max_tokens);
}

Result<Request> read(std::string_view body, bool counting) {
  AJAR_ASSIGN(const auto document, json::scratch().parse(body));
  const Path root;
  AJAR_ASSIGN(const auto object, need_object(document, root));
  const TopFields fields(object, kTopNames);
  Request request;
  request.dialect = DialectId::kAnthropic;
  if (!fields.has(kModel)) return missing(root / "model");
  AJAR_ASSIGN(request.model, need_string(fields[kModel], root / "model"));
  if (request.model.empty()) return invalid("model", "'model' must not be empty");
  if (!counting && !fields.has(kMaxTokens)) return missing(root / "max_tokens");
  if (!fields.has(kMessages)) return missing(root / "messages");
  if (fields.has_unknown()) request.extra = fields.extra();
  if (fields.has(kSystem)) AJAR_TRY(read_system(fields[kSystem], root / "system", request.messages));
  AJAR_TRY(read_messages(fields[kMessages], root / "messages", request.messages));
  AJAR_TRY(read_sampling(fields, root, request));
  if (fields.has(kTools)) AJAR_TRY(read_tools(fields[kTools], root / "tools", request));
  if (fields.has(kToolChoice))
    AJAR_TRY(read_tool_choice(fields[kToolChoice], root / "tool_choice", request));
  if (fields.has(kStopSequences))
    AJAR_TRY(read_stop(fields[kStopSequences], root / "stop_sequences", request));
  if (fields.has(kThinking))
    AJAR_TRY(read_thinking(fields[kThinking], root / "thinking", request.reasoning));
  if (fields.has(kOutputFormat))  // what output_config.format was called before
    AJAR_TRY(read_format(fields[kOutputFormat], root / "output_format", request.response_format));
  if (fields.has(kOutputConfig))
    AJAR_TRY(read_output_config(fields[kOutputConfig], root / "output_config", request));
  if (fields.has(kMetadata)) AJAR_TRY(read_metadata(fields[kMetadata], root / "metadata", request));
  if (fields.has(kServiceTier)) {
    AJAR_ASSIGN(request.service_tier, need_string(fields[kServiceTier], root / "service_tier"));
  }
  if (fields.has(kStream)) {
    AJAR_ASSIGN(request.stream, need_bool(fields[kStream], root / "stream"));
  }
  return request;
}

}  // namespace

Result<Request> read_request(std::string_view body) { return read(body, false); }
Result<Request> read_count_request(std::string_view body) { return read(body, true); }

}  // namespace ajar::wire::anthropic
