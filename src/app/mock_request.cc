// What the simulator makes of a request in any of its dialects.
#include <cstring>

#include "app/mock_dialects.h"
#include "base/text.h"
#include "json/read.h"

namespace ajar::app {
namespace {

// The text of a message's content: a string, or the text members of its blocks.
std::string content_text(const json::Value& content) {
  if (const auto text = json::as_string(content)) return std::string(*text);
  std::string out;
  if (const auto blocks = json::as_array(content)) {
    for (const auto block : *blocks) {
      if (const auto object = json::as_object(block)) out += json::string_or(*object, "text");
    }
  }
  return out;
}

}  // namespace

// "…mock-t200-d50-p20-c"
void mock_model_name(MockRequest& request) {
  const size_t at = request.model.find("mock-");
  if (at == request.model.npos) return;
  for (const auto word : split(std::string_view(request.model).substr(at + 5), '-')) {
    if (word == "c") request.clock = true;
    const auto number = word.empty() ? std::nullopt : parse_int(word.substr(1));
    if (!number || *number < 0) continue;
    if (word[0] == 't') request.tokens = std::min<int64_t>(*number, 1'000'000);
    if (word[0] == 'd') request.delay_ms = *number;
    if (word[0] == 'p') request.pace_ms = *number;
  }
}

MockRequest read_mock_request(std::string_view path, std::string_view query, std::string_view body) {
  MockRequest request;
  const auto ends = [&](std::string_view suffix) { return path.ends_with(suffix); };
  const MockSpeaker* speaker = nullptr;
  for (const MockSpeaker* known : mock_speakers()) {
    if (known->takes(path)) speaker = known;
  }
  if (speaker) request.dialect = speaker->dialect;
  else if (ends("/chat/completions")) request.dialect = MockDialect::kOpenAi;
  else if (ends("/completions")) request.dialect = MockDialect::kCompletions;
  else if (ends("/responses")) request.dialect = MockDialect::kResponses;
  else if (ends("/embeddings")) request.dialect = MockDialect::kEmbeddings;
  else if (ends("/messages")) request.dialect = MockDialect::kAnthropic;
  else if (ends(":rawPredict") || ends(":streamRawPredict")) request.dialect = MockDialect::kAnthropic;  // on Vertex AI
  else if (ends(":generateContent") || ends(":streamGenerateContent")) request.dialect = MockDialect::kGemini;
  else if (ends(":batchEmbedContents")) request.dialect = MockDialect::kGeminiEmbeddings;
  else return request;

  request.input_tokens = int64_t(body.size()) / 4;
  if (path.find(':') != path.npos) {
    // A model's name may hold slashes; those of recordings do: /v1beta/replay%3Afolder/name:generateContent.
    size_t replay = path.find("/replay%3A");
    if (replay == path.npos) replay = path.find("/replay:");
    const size_t slash = replay != path.npos ? replay : path.rfind('/');
    request.model = percent_decode(path.substr(slash + 1, path.rfind(':') - slash - 1)).value_or("");
    request.stream = ends(":streamGenerateContent");
  }
  json::Document document;
  const auto root = document.parse_object(body.empty() && speaker ? "{}" : body);
  if (!root) return request;
  if (request.model.empty()) request.model = std::string(json::string_or(*root, "model", "mock"));
  mock_model_name(request);
  // Mistral tells the usage of streams unasked.
  if (path.find("/mistral/") != path.npos) request.include_usage = true;
  if (const auto stream = json::find(*root, "stream")) request.stream = json::as_bool(*stream).value_or(false);
  if (const auto options = json::find(*root, "stream_options")) {
    if (const auto object = json::as_object(*options)) {
      const auto usage = json::find(*object, "include_usage");
      request.include_usage = request.include_usage || (usage && json::as_bool(*usage).value_or(false));
    }
  }
  request.max_tokens = json::int_or(*root, "max_tokens", json::int_or(*root, "max_completion_tokens"));
  request.choices = std::max<int64_t>(1, json::int_or(*root, "n", 1));
  request.dimensions = json::int_or(*root, "dimensions");
  request.base64 = json::string_or(*root, "encoding_format") == "base64";
  if (const auto config = json::find(*root, "generationConfig")) {
    if (const auto object = json::as_object(*config)) {
      request.max_tokens = json::int_or(*object, "maxOutputTokens");
      request.choices = std::max<int64_t>(1, json::int_or(*object, "candidateCount", 1));
      for (const char* name : {"responseJsonSchema", "responseSchema"}) {
        if (const auto schema = json::find(*object, name)) request.answer_schema = json::raw(*schema);
      }
      request.json_object = json::string_or(*object, "responseMimeType") == "application/json";
    }
  }
  const auto find_object = [](const json::Object& in, std::string_view name) -> std::optional<json::Object> {
    const auto value = json::find(in, name);
    return value ? json::as_object(*value) : std::nullopt;
  };
  if (const auto format = find_object(*root, "response_format")) {
    request.json_object = json::string_or(*format, "type") == "json_object";
    if (const auto schema = find_object(*format, "json_schema")) {
      if (const auto inner = json::find(*schema, "schema")) request.answer_schema = json::raw(*inner);
    }
  }
  if (const auto config = find_object(*root, "output_config")) {
    if (const auto format = find_object(*config, "format")) {
      if (const auto schema = json::find(*format, "schema")) request.answer_schema = json::raw(*schema);
    }
  }
  for (const char* list : {"messages", "contents"}) {
    const auto messages = json::find(*root, list);
    const auto array = messages ? json::as_array(*messages) : std::nullopt;
    if (!array) continue;
    for (const auto item : *array) {
      const auto message = json::as_object(item);
      if (!message) continue;
      const auto role = json::string_or(*message, "role");
      const auto content = json::find(*message, std::strcmp(list, "messages") == 0 ? "content" : "parts");
      request.after_tool = role == "tool" ||
                           (content && (json::raw(*content).find("\"tool_result\"") != std::string::npos ||
                                        json::raw(*content).find("\"functionResponse\"") != std::string::npos));
      if (role == "user" && content) {
        if (auto text = content_text(*content); !text.empty()) request.last_text = std::move(text);
      }
    }
  }
  if (request.dialect == MockDialect::kResponses) read_mock_responses(*root, request);
  if (request.dialect == MockDialect::kCompletions) read_mock_completions(*root, request);
  // A tool is called when the caller insists, or when the user says the word.
  bool insist = request.last_text.find("tool") != std::string::npos;
  const auto choice = json::find(*root, "tool_choice");
  if (choice) {
    const std::string raw = json::raw(*choice);
    insist = insist || raw.find("required") != raw.npos || raw.find("any") != raw.npos ||
             raw.find("\"name\"") != raw.npos;
    if (raw.find("none") != raw.npos) insist = false;
  }
  if (const auto config = find_object(*root, "toolConfig")) {
    if (const auto mode = find_object(*config, "functionCallingConfig")) {
      insist = (insist || json::string_or(*mode, "mode") == "ANY") && json::string_or(*mode, "mode") != "NONE";
    }
  }
  const auto declare = [&](json::Object tool) {
    if (const auto function = find_object(tool, "function")) tool = *function;
    MockCall& one = request.tools.emplace_back();
    one.tool = std::string(json::string_or(tool, "name"));
    for (const char* name : {"parameters", "input_schema", "parametersJsonSchema"}) {
      if (const auto schema = json::find(tool, name)) one.arguments = json::raw(*schema);
    }
  };
  const auto each = [](const json::Object& in, const char* name, const auto& use) {
    const auto value = json::find(in, name);
    const auto list = value ? json::as_array(*value) : std::nullopt;
    if (!list) return false;
    for (const auto item : *list) {
      if (const auto object = json::as_object(item)) use(*object);
    }
    return true;
  };
  each(*root, "tools", [&](const json::Object& tool) {
    if (!each(tool, "functionDeclarations", declare)) declare(tool);
  });
  if (!request.tools.empty()) {
    request.first_tool = request.tools[0].tool;
    request.tool_schema = request.tools[0].arguments;
    if (insist) request.tool = request.first_tool;
  }
  for (const char* asks : {"\"reasoning_effort\"", "\"includeThoughts\":true", "\"reasoning\":{", "\"think\":", "\"budget_tokens\"",
                           "\"adaptive\"", "\"token_budget\"", "\"thinking\":{\"type\":\"enabled\""}) {
    request.think = request.think || body.find(asks) != body.npos;
  }
  const bool embeds = request.dialect == MockDialect::kEmbeddings;
  if (const auto input = embeds ? json::find(*root, "input") : std::nullopt) {
    if (const auto list = json::as_array(*input)) {
      const bool tokens = list->size() > 0 && list->at(0).value_unsafe().type() == json::Type::INT64;
      if (tokens) request.inputs.push_back(json::raw(*input));
      else for (const auto item : *list) request.inputs.push_back(std::string(json::as_string(item).value_or(json::raw(item))));
    } else {
      request.inputs.push_back(std::string(json::as_string(*input).value_or("")));
    }
  }
  if (const auto requests = json::find(*root, "requests")) {
    if (const auto list = json::as_array(*requests)) {
      for (const auto item : *list) {
        const auto one = json::as_object(item);
        const auto content = one ? find_object(*one, "content") : std::nullopt;
        const auto parts = content ? json::find(*content, "parts") : std::nullopt;
        request.inputs.push_back(parts ? content_text(*parts) : "");
        if (one && request.dimensions == 0) request.dimensions = json::int_or(*one, "outputDimensionality");
      }
    }
  }
  if (speaker) speaker->read(request, path, *root);
  return request;
}

}  // namespace ajar::app
