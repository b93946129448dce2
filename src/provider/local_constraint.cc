#include "provider/local_constraint.h"

#include <algorithm>

#include "engine/grammar/gbnf.h"
#include "engine/grammar/json_schema.h"
#include "engine/grammar/regex.h"
#include "json/read.h"
#include "provider/call_grammar.h"

namespace ajar {
namespace {

using engine::Grammar;
using Node = Grammar::Node;
using chat::CallLayout;

// What other servers of open models take beside response_format.
struct Guide {
  std::string field;
  engine::Grammar grammar;
  Node node = 0;
  std::string key;
};

bool is_guide(std::string_view key) {
  return key == "guided_json" || key == "guided_regex" || key == "guided_choice" || key == "guided_grammar" || key == "grammar";
}

Result<Node> add_guide(Grammar& grammar, std::string_view field, const json::Value& value) {
  if (field == "guided_json") {
    const auto text = json::as_string(value);  // some clients send the schema as text
    return engine::add_json_schema(grammar, text ? std::string(*text) : json::raw(value));
  }
  if (field == "guided_choice") {
    const auto list = json::as_array(value);
    if (!list || list->size() == 0) return fail(Code::kInvalid, "it must be a list of strings");
    std::vector<std::string> texts;
    for (const json::Value item : *list) {
      const auto text = json::as_string(item);
      if (!text) return fail(Code::kInvalid, "it must be a list of strings");
      texts.emplace_back(*text);
    }
    return grammar.literals(std::move(texts));
  }
  const auto text = json::as_string(value);
  if (!text) return fail(Code::kInvalid, "it must be a string");
  if (field != "guided_regex") return engine::add_gbnf(grammar, *text);
  AJAR_ASSIGN(const auto regex, engine::add_regex(grammar, *text));
  return regex.node;
}

// The form that the reply itself is to have; nullopt: none.
Result<std::optional<Guide>> read_guide(const Request& request) {
  std::optional<Guide> out;
  const ResponseFormat& format = request.response_format;
  if (format.kind == ResponseFormat::Kind::kJsonObject || format.kind == ResponseFormat::Kind::kJsonSchema) {
    out.emplace().field = "response_format";
    const bool schema = format.kind == ResponseFormat::Kind::kJsonSchema && !format.schema.empty();
    out->key = schema ? format.schema : "object";
    auto node = schema ? engine::add_json_schema(out->grammar, format.schema) : Result<Node>(engine::add_json_object(out->grammar));
    if (!node) return cannot_follow(std::move(node).error(), out->field);
    out->node = *node;
  }
  if (request.extra.empty()) return out;
  json::Document document;
  AJAR_ASSIGN(const auto extra, document.parse_object("{" + request.extra + "}"));
  for (const auto member : extra) {
    if (!is_guide(member.key) || member.value.is_null()) continue;
    const std::string field(member.key);
    if (out) return invalid(field, "'" + field + "' and '" + out->field + "' cannot both be followed");
    out.emplace().field = field;
    out->key = field + json::raw(member.value);
    auto node = add_guide(out->grammar, field, member.value);
    if (!node) return cannot_follow(std::move(node).error(), field);
    out->node = *node;
  }
  return out;
}

bool demands_call(const Request& request) {
  return !request.tools.empty() && (request.tool_choice.mode == ToolChoice::Mode::kAny || request.tool_choice.mode == ToolChoice::Mode::kNamed);
}

// Thoughts that the family writes before its answer.
engine::ThoughtMarks thought_of(const chat::ReplySyntax& syntax, const Request& request, chat::ReplyStart start) {
  // Every message of a harmony reply has a header; its answer is the message to `final`. A header may be written in other
  // ways, and calls end a reply as well, so that a reply may end before.
  if (syntax.tools.layout == CallLayout::kHarmony) return {.begin = {}, .end = "<|channel|>final<|message|>", .open = true, .may_end = true};
  engine::ThoughtMarks out{.begin = std::string(syntax.think_begin), .end = std::string(syntax.think_end), .open = start == chat::ReplyStart::kThought};
  if (request.reasoning.off()) out.begin.clear();
  return out;
}

}  // namespace

bool demands_form(const Request& request) {
  if (request.response_format.kind == ResponseFormat::Kind::kJsonObject || request.response_format.kind == ResponseFormat::Kind::kJsonSchema) return true;
  if (demands_call(request)) return true;
  return request.extra.find("\"g") != std::string::npos;  // perhaps guided_..., grammar
}

Result<std::optional<ReplyForm>> read_form(const Request& request, LoadedModel& model, chat::ReplyStart start) {
  const bool chat = request.dialect != DialectId::kOpenAiCompletions && model.chat;
  const chat::ReplySyntax& syntax = chat ? model.chat->syntax() : chat::plain_syntax();
  const bool call = chat && demands_call(request);
  const bool may_call = chat && !request.tools.empty() && request.tool_choice.mode != ToolChoice::Mode::kNone;
  AJAR_ASSIGN(auto guide, read_guide(request));
  if (!guide && !call) return std::nullopt;
  auto trie = model.grammars.trie([&] {
    const auto marks = chat::call_marks(syntax.tools);
    return engine::TokenTrie::make(model.tokenizer, static_cast<size_t>(model.model->config().vocab), {marks.begin(), marks.end()});
  });
  std::string key = guide ? guide->key : "";
  Grammar grammar = guide ? std::move(guide->grammar) : Grammar();
  std::vector<Node> ways;
  if (guide && !call) ways.push_back(guide->node);
  // Where calls are offered, a reply is either a call or has the form. Harmony's calls end its thoughts as well: those that are not
  // demanded are free.
  const bool harmony = syntax.tools.layout == CallLayout::kHarmony;
  if (call || (may_call && !harmony)) {
    AJAR_ASSIGN(const Node calls, add_calls(grammar, syntax, request, *trie, start));
    ways.push_back(calls);
    for (const Tool& tool : request.tools) key += "\n" + tool.name + "\n" + tool.parameters + (tool.strict.value_or(false) ? "!" : "");
    key += "\n" + std::to_string(static_cast<int>(request.tool_choice.mode)) + request.tool_choice.name;
    for (const std::string& name : request.tool_choice.allowed) key += "\n" + name;
    key += request.parallel_tool_calls.value_or(true) ? "+" : "-";
    if (start == chat::ReplyStart::kCall) key += "(";
    if (request.reasoning.off()) key += "o";
  }
  ReplyForm out;
  if (chat && !(call && harmony)) out.thought = thought_of(syntax, request, start);
  const bool leading_space = chat && !out.thought.end.empty();
  key += leading_space ? "\n " : "\n.";
  const Node whole = grammar.choice(std::move(ways));
  auto compiled = model.grammars.get(key, [&] { return engine::CompiledGrammar::make(std::move(grammar), whole, trie, leading_space); });
  if (!compiled) return cannot_follow(std::move(compiled).error(), call ? "tools" : guide->field);
  out.grammar = std::move(*compiled);
  return out;
}

}  // namespace ajar
