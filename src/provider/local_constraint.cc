#include "provider/local_constraint.h"

#include <algorithm>

#include "engine/grammar/gbnf.h"
#include "engine/grammar/json_schema.h"
#include "engine/grammar/json_text.h"
#include "engine/grammar/regex.h"
#include "json/read.h"
#include "json/write.h"

namespace ajar {
namespace {

using engine::Grammar;
using Node = Grammar::Node;
using chat::CallLayout;

constexpr int32_t kMostCalls = 16;

// What other servers of open models take beside response_format.
struct Guide {
  std::string field;
  engine::Grammar grammar;
  Node node = 0;
  std::string key;
};

std::unexpected<Error> refuse(Error error, const std::string& field) {
  error.code = Code::kInvalid;
  error.message = "'" + field + "' cannot be followed: " + error.message;
  error.field = field;
  return std::unexpected(std::move(error));
}

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
    if (!node) return refuse(std::move(node).error(), out->field);
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
    if (!node) return refuse(std::move(node).error(), field);
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
  if (request.reasoning.mode == Reasoning::Mode::kOff) out.begin.clear();
  return out;
}

// Writes calls of one family.
class Calls {
 public:
  Calls(Grammar& grammar, const chat::ReplySyntax& syntax, const engine::TokenTrie& trie) : g_(grammar), text_(grammar), syntax_(syntax), tools_(syntax.tools), trie_(trie) {}

  Status add_tool(const Tool& tool, size_t index) {
    auto arguments = tool.parameters.empty() ? Result<Node>(g_.literal("{}")) : engine::add_json_schema(g_, tool.parameters);
    if (!arguments) {
      // Without `strict` a schema is advice.
      if (tool.strict.value_or(false)) return refuse(std::move(arguments).error(), "tools[" + std::to_string(index) + "].function.parameters");
      arguments = text_.any_object();
    }
    arguments_.emplace_back(tool.name, *arguments);
    return {};
  }

  // `call_open`: the prompt ends with the mark that begins a call.
  Node whole(bool several, bool call_open) {
    const int32_t most = several && tools_.parallel ? kMostCalls : 1;
    const Node begin = mark(tools_.begin), end = mark(tools_.end);
    Node one = g_.nothing();
    std::vector<Node> ways;
    if (tools_.layout == CallLayout::kJson) {
      std::vector<Node> objects;
      for (const auto& [name, arguments] : arguments_) objects.push_back(object(name, arguments));
      const Node call = g_.rule("call", g_.choice(std::move(objects)));
      const Node list = g_.sequence({g_.literal("["), text_.list(call, 1, most), g_.literal("]")});
      one = g_.sequence({begin, space(), g_.choice({call, list}), space(), end});
      // Without an end only a list can hold several.
      if (syntax_.bare_json) ways.push_back(call);
    } else {
      std::vector<Node> calls;
      for (const auto& [name, arguments] : arguments_) calls.push_back(g_.sequence({called(name), mark(tools_.name_end), space(), arguments}));
      const Node inside = g_.rule("call", g_.choice(std::move(calls)));
      one = g_.sequence({begin, inside, end});
      if (call_open) return g_.sequence({inside, end, g_.repeat(g_.sequence({space(), one}), 0, most - 1)});
    }
    const bool lists_only = tools_.layout == CallLayout::kJson && tools_.end.empty();
    Node calls = lists_only ? one : g_.sequence({one, g_.repeat(g_.sequence({space(), one}), 0, most - 1)});
    if (!tools_.section_begin.empty()) calls = g_.sequence({mark(tools_.section_begin), space(), calls, space(), mark(tools_.section_end)});
    ways.push_back(calls);
    return g_.choice(std::move(ways));
  }

 private:
  // A mark that ends the reply too is said by ending it.
  Node mark(std::string_view text) {
    const int32_t id = text.empty() ? -1 : trie_.tokenizer().find(text);
    if (id >= 0 && trie_.tokenizer().special().ends_generation(id)) return g_.empty();
    return g_.literal(trie_.mark(text));
  }
  Node space() { return g_.repeat(g_.chars({{' ', ' '}, {'\n', '\n'}}), 0, 2); }
  std::string quoted(std::string_view text) {
    std::string out;
    json::append_string(out, text);
    return out;
  }
  Node object(const std::string& name, Node arguments) {
    return g_.sequence({g_.literal("{"), g_.literal(quoted(tools_.name_key)), text_.colon(), g_.literal(quoted(name)), text_.comma(),
                        g_.literal(quoted(tools_.arguments_key)), text_.colon(), arguments, g_.literal("}")});
  }
  Node called(const std::string& name) {
    // Kimi numbers its calls.
    if (syntax_.family == "kimi") return g_.sequence({g_.literal("functions." + name + ":"), g_.repeat(g_.chars({{'0', '9'}}), 1, 3)});
    return g_.literal(name);
  }

  Grammar& g_;
  engine::JsonText text_;
  const chat::ReplySyntax& syntax_;
  const chat::ToolSyntax& tools_;
  const engine::TokenTrie& trie_;
  std::vector<std::pair<std::string, Node>> arguments_;
};

}  // namespace

bool demands_form(const Request& request) {
  if (request.response_format.kind == ResponseFormat::Kind::kJsonObject || request.response_format.kind == ResponseFormat::Kind::kJsonSchema) return true;
  if (demands_call(request)) return true;
  return request.extra.find("\"g") != std::string::npos;  // perhaps guided_..., grammar
}

Result<std::optional<Node>> add_calls(Grammar& grammar, const chat::ReplySyntax& syntax, const Request& request, const engine::TokenTrie& trie,
                                      chat::ReplyStart start) {
  const ToolChoice& choice = request.tool_choice;
  if (syntax.tools.layout != CallLayout::kJson && syntax.tools.layout != CallLayout::kNameThenJson) return std::nullopt;
  Calls calls(grammar, syntax, trie);
  bool any = false;
  for (size_t i = 0; i < request.tools.size(); ++i) {
    const Tool& tool = request.tools[i];
    if (tool.name.empty() || (choice.mode == ToolChoice::Mode::kNamed && tool.name != choice.name)) continue;
    if (!choice.allowed.empty() && std::ranges::find(choice.allowed, tool.name) == choice.allowed.end()) continue;
    AJAR_TRY(calls.add_tool(tool, i));
    any = true;
  }
  if (!any) return invalid("tool_choice", "'tool_choice' names no function of 'tools'");
  const bool several = choice.mode != ToolChoice::Mode::kNamed && request.parallel_tool_calls.value_or(true);
  return calls.whole(several, start == chat::ReplyStart::kCall);
}

Result<std::optional<ReplyForm>> read_form(const Request& request, LoadedModel& model, chat::ReplyStart start) {
  const bool chat = request.dialect != DialectId::kOpenAiCompletions && model.chat;
  const chat::ReplySyntax& syntax = chat ? model.chat->syntax() : chat::plain_syntax();
  const bool call = chat && demands_call(request);
  const bool may_call = chat && !request.tools.empty() && request.tool_choice.mode != ToolChoice::Mode::kNone;
  AJAR_ASSIGN(auto guide, read_guide(request));
  if (!guide && !call) return std::nullopt;
  auto trie = model.grammars.trie([&] {
    const chat::ToolSyntax& tools = syntax.tools;
    std::vector<std::string> marks;
    for (std::string_view mark : {tools.begin, tools.end, tools.section_begin, tools.section_end, tools.name_end}) marks.emplace_back(mark);
    return engine::TokenTrie::make(model.tokenizer, static_cast<size_t>(model.model->config().vocab), std::move(marks));
  });
  std::string key = guide ? guide->key : "";
  Grammar grammar = guide ? std::move(guide->grammar) : Grammar();
  std::vector<Node> ways;
  if (guide && !call) ways.push_back(guide->node);
  // Where calls are offered, a reply is either a call or has the form.
  if (call || may_call) {
    AJAR_ASSIGN(const auto calls, add_calls(grammar, syntax, request, *trie, start));
    if (calls) ways.push_back(*calls);
    else if (call) return std::nullopt;
    for (const Tool& tool : request.tools) key += "\n" + tool.name + "\n" + tool.parameters + (tool.strict.value_or(false) ? "!" : "");
    key += "\n" + std::to_string(static_cast<int>(request.tool_choice.mode)) + request.tool_choice.name;
    for (const std::string& name : request.tool_choice.allowed) key += "\n" + name;
    key += request.parallel_tool_calls.value_or(true) ? "+" : "-";
    if (start == chat::ReplyStart::kCall) key += "(";
  }
  ReplyForm out;
  if (chat) out.thought = thought_of(syntax, request, start);
  const bool leading_space = chat && !out.thought.end.empty();
  key += leading_space ? "\n " : "\n.";
  const Node whole = grammar.choice(std::move(ways));
  auto compiled = model.grammars.get(key, [&] { return engine::CompiledGrammar::make(std::move(grammar), whole, trie, leading_space); });
  if (!compiled) return refuse(std::move(compiled).error(), call ? "tools" : guide->field);
  out.grammar = std::move(*compiled);
  return out;
}

}  // namespace ajar
