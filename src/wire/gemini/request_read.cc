// A client's generateContent request to our types: the top level. Contents are in content_read.cc.
// https://ai.google.dev/api/generate-content
#include <limits>

#include "base/text.h"
#include "wire/fields.h"
#include "wire/gemini/content_read.h"
#include "wire/gemini/gemini.h"
#include "wire/gemini/schema_read.h"

namespace ajar::wire::gemini {
namespace {

enum Top {
  kContents,
  kSystem,
  kTools,
  kToolConfig,
  kConfig,
  kModel,
  kSafety,
  kCached,
  kTopCount
};
constexpr std::array<std::string_view, kTopCount> kTopNames = {
    "contents", "systemInstruction", "tools",          "toolConfig",
    "generationConfig", "model",     "safetySettings", "cachedContent"};

enum Config {
  kTemperature,
  kTopP,
  kTopK,
  kCandidates,
  kMaxTokens,
  kStop,
  kMimeType,
  kSchema,
  kJsonSchema,
  kJsonSchemaToo,
  kPresence,
  kFrequency,
  kSeed,
  kLogprobs,
  kTopLogprobs,
  kThinking,
  kConfigCount
};
constexpr std::array<std::string_view, kConfigCount> kConfigNames = {
    "temperature",     "topP",             "topK",           "candidateCount",
    "maxOutputTokens", "stopSequences",    "responseMimeType", "responseSchema",
    "responseJsonSchema", "_responseJsonSchema", "presencePenalty", "frequencyPenalty",
    "seed",            "responseLogprobs", "logprobs",       "thinkingConfig"};
using ConfigFields = Fields<kConfigCount, CamelName>;

constexpr double kAny = std::numeric_limits<double>::infinity();

Status read_function(const json::Value& item, const Path& path, Tool& tool) {
  static constexpr std::array<std::string_view, 4> kNames = {"name", "description", "parameters",
                                                             "parametersJsonSchema"};
  AJAR_ASSIGN(const auto object, need_object(item, path));
  const Fields<4, CamelName> fields(object, kNames);
  tool.origin = DialectId::kGemini;
  if (!fields.has(0)) return missing(path / "name");
  AJAR_ASSIGN(tool.name, need_string(fields[0], path / "name"));
  if (tool.name.empty()) return invalid((path / "name").str(), "a function needs a name");
  if (fields.has(1)) {
    AJAR_ASSIGN(tool.description, need_string(fields[1], path / "description"));
  }
  if (fields.has(3)) {
    AJAR_TRY(need_object(fields[3], path / "parametersJsonSchema"));
    tool.parameters = json::raw(fields[3]);
  } else if (fields.has(2)) {
    AJAR_TRY(need_object(fields[2], path / "parameters"));
    tool.parameters = schema_from_openapi(fields[2]);
    add_member(tool.inner_extra, "parameters", fields[2]);  // as written, for Gemini itself
  }
  tool.extra = fields.extra();
  return {};
}

// Each element may declare functions and built-in tools at once.
Status read_tools(const json::Value& value, const Path& path, Request& request) {
  AJAR_ASSIGN(const auto array, need_array(value, path));
  size_t index = 0;
  for (const auto item : array) {
    const Path at = path[index++];
    AJAR_ASSIGN(const auto object, need_object(item, at));
    for (const auto field : object) {
      if (!CamelName::same("functionDeclarations", field.key)) {
        if (field.value.is_null()) continue;
        Tool& tool = request.tools.emplace_back();
        tool.origin = DialectId::kGemini;
        RawMembers member;
        add_member(member, field.key, field.value);
        tool.raw = "{" + member + "}";
        continue;
      }
      const Path list = at / "functionDeclarations";
      AJAR_ASSIGN(const auto functions, need_array(field.value, list));
      size_t number = 0;
      for (const auto function : functions) {
        AJAR_TRY(read_function(function, list[number], request.tools.emplace_back()));
        ++number;
      }
    }
  }
  return {};
}

// https://ai.google.dev/api/caching#ToolConfig
Status read_tool_config(const json::Value& value, const Path& path, ToolChoice& choice) {
  using Mode = ToolChoice::Mode;
  static constexpr std::array<std::string_view, 1> kOuter = {"functionCallingConfig"};
  static constexpr std::array<std::string_view, 2> kInner = {"mode", "allowedFunctionNames"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<1, CamelName> fields(object, kOuter);
  choice.raw = json::raw(value);
  if (!fields.has(0)) return {};
  const Path at = path / "functionCallingConfig";
  AJAR_ASSIGN(const auto inner_object, need_object(fields[0], at));
  const Fields<2, CamelName> inner(inner_object, kInner);
  if (inner.has(0)) {
    AJAR_ASSIGN(const auto word, need_string(inner[0], at / "mode"));
    const std::string mode = to_lower(word);
    if (mode == "auto" || mode == "validated") {
      choice.mode = Mode::kAuto;
    } else if (mode == "any") {
      choice.mode = Mode::kAny;
    } else if (mode == "none") {
      choice.mode = Mode::kNone;
    } else if (mode != "mode_unspecified") {
      return invalid((at / "mode").str(), "'" + (at / "mode").str() + "' must be AUTO, ANY, VALIDATED or NONE");
    }
  }
  if (inner.has(1)) {
    const Path list = at / "allowedFunctionNames";
    AJAR_ASSIGN(const auto names, need_array(inner[1], list));
    size_t index = 0;
    for (const auto name : names) {
      AJAR_ASSIGN(const auto text, need_string(name, list[index]));
      choice.allowed.emplace_back(text);
      ++index;
    }
  }
  if (choice.mode == Mode::kAny && choice.allowed.size() == 1) {
    choice.mode = Mode::kNamed;
    choice.name = choice.allowed.front();
    choice.allowed.clear();
  }
  return {};
}

// https://ai.google.dev/gemini-api/docs/thinking
Status read_thinking(const json::Value& value, const Path& path, Reasoning& reasoning) {
  static constexpr std::array<std::string_view, 3> kNames = {"includeThoughts", "thinkingBudget",
                                                             "thinkingLevel"};
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const Fields<3, CamelName> fields(object, kNames);
  if (fields.has(0)) {
    AJAR_ASSIGN(reasoning.include_thoughts, need_bool(fields[0], path / "includeThoughts"));
  }
  if (fields.has(1)) {
    AJAR_ASSIGN(reasoning.budget_tokens, need_int(fields[1], path / "thinkingBudget"));
    AJAR_TRY(check_range(double(reasoning.budget_tokens), -1, kAny, path / "thinkingBudget"));
    reasoning.mode = reasoning.budget_tokens == 0   ? Reasoning::Mode::kOff
                     : reasoning.budget_tokens < 0 ? Reasoning::Mode::kAdaptive
                                                   : Reasoning::Mode::kBudget;
    reasoning.budget_tokens = std::max<int64_t>(reasoning.budget_tokens, 0);
  }
  if (fields.has(2)) {
    AJAR_ASSIGN(const auto level, need_string(fields[2], path / "thinkingLevel"));
    reasoning.effort = to_lower(level);
    if (!fields.has(1)) reasoning.mode = Reasoning::Mode::kEffort;
  }
  if (!reasoning.include_thoughts && reasoning.mode != Reasoning::Mode::kUnset)
    reasoning.include_thoughts = false;  // the API's default
  reasoning.extra = fields.extra();
  return {};
}

Status read_format(const ConfigFields& fields, const Path& path, Request& request, RawMembers& rest) {
  ResponseFormat& format = request.response_format;
  std::string_view type;
  if (fields.has(kMimeType)) {
    AJAR_ASSIGN(type, need_string(fields[kMimeType], path / "responseMimeType"));
  }
  if (type == "text/plain") {
    format.kind = ResponseFormat::Kind::kText;
  } else if (type == "application/json") {
    format.kind = ResponseFormat::Kind::kJsonObject;
  } else if (!type.empty()) {  // text/x.enum, which nobody else has
    add_member(rest, "responseMimeType", fields[kMimeType]);
  }
  for (const Config which : {kJsonSchema, kJsonSchemaToo, kSchema}) {
    if (!fields.has(which)) continue;
    AJAR_TRY(need_object(fields[which], path / kConfigNames[which]));
    if (format.kind != ResponseFormat::Kind::kJsonObject) {
      add_member(rest, kConfigNames[which], fields[which]);
      continue;
    }
    if (!format.schema.empty()) continue;
    format.schema = which == kSchema ? schema_from_openapi(fields[which]) : json::raw(fields[which]);
    if (which == kSchema) add_member(format.inner_extra, "responseSchema", fields[which]);
  }
  if (!format.schema.empty()) format.kind = ResponseFormat::Kind::kJsonSchema;
  return {};
}

Status read_config(const json::Value& value, const Path& path, Request& request) {
  AJAR_ASSIGN(const auto object, need_object(value, path));
  const ConfigFields fields(object, kConfigNames);
  const auto number = [&](Config which, double low, double high, std::optional<double>& out) -> Status {
    if (!fields.has(which)) return {};
    const Path at = path / kConfigNames[which];
    AJAR_ASSIGN(out, need_number(fields[which], at));
    return check_range(*out, low, high, at);
  };
  const auto integer = [&](Config which, double low, double high, std::optional<int64_t>& out) -> Status {
    if (!fields.has(which)) return {};
    const Path at = path / kConfigNames[which];
    AJAR_ASSIGN(out, need_int(fields[which], at));
    return check_range(double(*out), low, high, at);
  };
  Sampling& s = request.sampling;
  AJAR_TRY(number(kTemperature, 0, 2, s.temperature));
  AJAR_TRY(number(kTopP, 0, 1, s.top_p));
  AJAR_TRY(integer(kTopK, 0, kAny, s.top_k));
  AJAR_TRY(number(kPresence, -2, 2, s.presence_penalty));
  AJAR_TRY(number(kFrequency, -2, 2, s.frequency_penalty));
  AJAR_TRY(integer(kSeed, -kAny, kAny, s.seed));
  AJAR_TRY(integer(kCandidates, 1, 128, request.n));
  AJAR_TRY(integer(kMaxTokens, 1, kAny, request.max_tokens));
  AJAR_TRY(integer(kTopLogprobs, 0, 20, request.top_logprobs));
  if (fields.has(kLogprobs)) {
    AJAR_ASSIGN(request.logprobs, need_bool(fields[kLogprobs], path / "responseLogprobs"));
  }
  if (fields.has(kStop)) {
    const Path at = path / "stopSequences";
    AJAR_ASSIGN(const auto list, need_array(fields[kStop], at));
    size_t index = 0;
    for (const auto item : list) {
      AJAR_ASSIGN(const auto text, need_string(item, at[index]));
      request.stop.emplace_back(text);
      ++index;
    }
  }
  if (fields.has(kThinking))
    AJAR_TRY(read_thinking(fields[kThinking], path / "thinkingConfig", request.reasoning));
  RawMembers rest = fields.extra();
  AJAR_TRY(read_format(fields, path, request, rest));
  if (!rest.empty()) add_member(request.extra, "generationConfig", "{" + rest + "}");
  return {};
}

Result<Request> read(const json::Object& object, const Path& root) {
  const Fields<kTopCount, CamelName> fields(object, kTopNames);
  Request request;
  request.dialect = DialectId::kGemini;
  if (!fields.has(kContents)) return missing(root / "contents");
  request.extra = fields.extra();
  for (const Top which : {kSafety, kCached}) {
    if (fields.has(which)) add_member(request.extra, kTopNames[which], fields[which]);
  }
  if (fields.has(kSystem))
    AJAR_TRY(read_system(fields[kSystem], root / "systemInstruction", request.messages));
  AJAR_TRY(read_contents(fields[kContents], root / "contents", request.messages));
  if (fields.has(kTools)) AJAR_TRY(read_tools(fields[kTools], root / "tools", request));
  if (fields.has(kToolConfig))
    AJAR_TRY(read_tool_config(fields[kToolConfig], root / "toolConfig", request.tool_choice));
  if (fields.has(kConfig))
    AJAR_TRY(read_config(fields[kConfig], root / "generationConfig", request));
  return request;
}

}  // namespace

Result<Request> read_request(std::string_view body) {
  AJAR_ASSIGN(const auto document, json::scratch().parse(body));
  const Path root;
  AJAR_ASSIGN(const auto object, need_object(document, root));
  return read(object, root);
}

Result<Request> read_count_request(std::string_view body) {
  AJAR_ASSIGN(const auto document, json::scratch().parse(body));
  const Path root;
  AJAR_ASSIGN(const auto object, need_object(document, root));
  static constexpr std::array<std::string_view, 1> kNames = {"generateContentRequest"};
  const Fields<1, CamelName> fields(object, kNames);
  if (!fields.has(0)) return read(object, root);
  const Path at = root / "generateContentRequest";
  AJAR_ASSIGN(const auto inner, need_object(fields[0], at));
  return read(inner, at);
}

}  // namespace ajar::wire::gemini
