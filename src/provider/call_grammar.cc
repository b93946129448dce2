#include "provider/call_grammar.h"

#include <algorithm>

#include "engine/grammar/json_schema.h"
#include "engine/grammar/json_text.h"
#include "engine/grammar/raw_text.h"
#include "json/write.h"

namespace ajar {
namespace {

using engine::ArgumentForm;
using engine::Grammar;
using Node = Grammar::Node;
using chat::CallLayout;

constexpr int32_t kMostCalls = 16;

// Writes calls of one family.
class Calls {
 public:
  Calls(Grammar& grammar, const chat::ReplySyntax& syntax, const engine::TokenTrie& trie) : g_(grammar), text_(grammar), syntax_(syntax), tools_(syntax.tools), trie_(trie) {
    marks_ = chat::call_marks(tools_);
    std::erase_if(marks_, [&](std::string_view mark) { return trie_.mark(mark) == mark; });
    std::ranges::sort(marks_, {}, [](std::string_view mark) { return mark.size(); });
    form_ = form();
  }

  Status add_tool(const Tool& tool, size_t index) {
    auto made = arguments(tool.parameters);
    if (!made) {
      // Without `strict` a schema is advice.
      if (tool.strict.value_or(false)) return cannot_follow(std::move(made).error(), "tools[" + std::to_string(index) + "].function.parameters");
      made = arguments(R"({"type":"object"})");
    }
    calls_.push_back(call(tool.name, *made));
    return {};
  }

  // `call_open`: the prompt ends with the mark that begins a call.
  // `thinks`: a message of thoughts may come before.
  Node whole(bool several, bool call_open, bool thinks) {
    const int32_t most = several && tools_.parallel ? kMostCalls : 1;
    const Node call = g_.rule("call", g_.choice(std::move(calls_)));
    if (tools_.layout == CallLayout::kHarmony) return thinks ? g_.sequence({g_.optional(analysis()), call}) : call;
    std::vector<Node> ways;
    if (syntax_.bare_json) ways.push_back(call);
    const Node inside = one(call, most);
    const Node next = g_.sequence({space(), mark(tools_.begin), inside});
    // Without an end only a list can hold several.
    const bool lists_only = is_list() || (tools_.layout == CallLayout::kJson && tools_.end.empty());
    Node all = g_.sequence({call_open ? g_.empty() : mark(tools_.begin), inside, lists_only ? g_.empty() : g_.repeat(next, 0, most - 1)});
    if (!tools_.section_begin.empty() && !call_open) all = g_.sequence({mark(tools_.section_begin), space(), all, space(), mark(tools_.section_end)});
    ways.push_back(all);
    return g_.choice(std::move(ways));
  }

 private:
  bool is_list() const { return tools_.layout == CallLayout::kKeyedJson || tools_.layout == CallLayout::kPython; }

  // What stands between the begin of a call and the next one.
  Node one(Node call, int32_t most) {
    const auto list = [&](Node between) {
      return g_.sequence({g_.literal("["), call, g_.repeat(g_.sequence({between, call}), 0, most - 1), g_.literal("]")});
    };
    switch (tools_.layout) {
      case CallLayout::kJson: return g_.sequence({space(), g_.choice({call, list(text_.comma())}), space(), mark(tools_.end)});
      case CallLayout::kKeyedJson: return g_.sequence({list(text_.comma()), mark(tools_.end)});
      case CallLayout::kPython: return g_.sequence({list(g_.literal(", ")), mark(tools_.end)});
      case CallLayout::kXml: return g_.sequence({g_.literal("\n"), call, g_.literal("\n"), mark(tools_.end)});
      default: return g_.sequence({call, mark(tools_.end)});
    }
  }

  Node call(const std::string& name, Node arguments) {
    switch (tools_.layout) {
      case CallLayout::kJson:
        return g_.sequence({g_.literal("{" + quoted(tools_.name_key)), text_.colon(), g_.literal(quoted(name)), text_.comma(), g_.literal(quoted(tools_.arguments_key)), text_.colon(), arguments,
                            g_.literal("}")});
      case CallLayout::kKeyedJson: return g_.sequence({g_.literal("{" + quoted(name)), text_.colon(), arguments, g_.literal("}")});
      case CallLayout::kXml: return g_.sequence({g_.literal("<function=" + name + ">\n"), arguments, g_.literal("</function>")});
      case CallLayout::kArgKeys: return g_.sequence({g_.literal(name + "\n"), arguments});
      case CallLayout::kInvoke: return g_.sequence({g_.literal(name + "\">\n"), arguments});
      case CallLayout::kGemma: return g_.sequence({g_.literal("call:" + name + "{"), arguments, g_.literal("}")});
      case CallLayout::kPython: return g_.sequence({g_.literal(name + "("), arguments, g_.literal(")")});
      case CallLayout::kHarmony: return g_.sequence({written("<|channel|>commentary to=functions." + name + " <|constrain|>json<|message|>"), arguments});
      default: break;
    }
    // Kimi numbers its calls.
    const Node called = syntax_.family == "kimi" ? g_.sequence({g_.literal("functions." + name + ":"), g_.repeat(g_.chars({{'0', '9'}}), 1, 3)}) : g_.literal(name);
    return g_.sequence({called, mark(tools_.name_end), space(), arguments});
  }

  // Of the families that write arguments one by one; nullopt: they are a JSON object.
  std::optional<ArgumentForm> form() const {
    switch (tools_.layout) {
      case CallLayout::kXml: {
        const std::string line = tools_.own_lines ? "\n" : "";
        const ArgumentForm::Around around{"<parameter=", ">" + line, line + "</parameter>\n"};
        return ArgumentForm{.json = around, .text = around, .never = {"</parameter>", "<parameter=", "</function>"}, .between = ""};
      }
      case CallLayout::kArgKeys: {
        const ArgumentForm::Around around{with_marks("<arg_key>"), with_marks("</arg_key>\n<arg_value>"), with_marks("</arg_value>\n")};
        return ArgumentForm{.json = around, .text = around, .never = {"</arg_value>"}, .between = ""};
      }
      case CallLayout::kInvoke: {
        const std::string mark(tools_.prefix), begin = with_marks("<" + mark + "parameter name=\""), end = with_marks("</" + mark + "parameter>\n");
        return ArgumentForm{.json = {begin, "\" string=\"false\">", end}, .text = {begin, "\" string=\"true\">", end}, .never = {"</" + mark + "parameter>"}, .between = ""};
      }
      case CallLayout::kGemma: return ArgumentForm{.json = {"", ":", ""}, .text = {"", with_marks(":<|\"|>"), with_marks("<|\"|>")}, .never = {"<|\"|>"}, .between = ","};
      case CallLayout::kPython: return ArgumentForm{.json = {"", "=", ""}, .text = {}, .raw = false, .between = ", "};
      default: return std::nullopt;
    }
  }

  Result<Node> arguments(std::string_view schema) {
    if (schema.empty()) return g_.literal(form_ ? "" : "{}");
    return form_ ? engine::add_json_arguments(g_, schema, *form_) : engine::add_json_schema(g_, schema);
  }

  // gpt-oss thinks in a message of its own.
  Node analysis() {
    const std::string never[] = {"<|end|>", "<|return|>", "<|call|>", "<|start|>", "<|channel|>"};
    const engine::RawText text(g_, never);
    return g_.sequence({written("<|channel|>analysis<|message|>"), text.any(), written("<|end|><|start|>assistant")});
  }

  // A mark that ends the reply too is said by ending it.
  Node mark(std::string_view text) {
    const int32_t id = text.empty() ? -1 : trie_.tokenizer().find(text);
    if (id >= 0 && trie_.tokenizer().special().ends_generation(id)) return g_.empty();
    return written(text);
  }
  Node written(std::string_view text) { return g_.literal(with_marks(text)); }
  // The text with the tokens that stand in it as such.
  std::string with_marks(std::string_view text) const {
    std::string out;
    for (size_t at = 0; at < text.size();) {
      std::string_view here;
      for (const std::string_view mark : marks_)
        if (text.substr(at).starts_with(mark)) here = mark;  // the longest comes last
      out += here.empty() ? std::string(1, text[at]) : trie_.mark(here);
      at += std::max<size_t>(1, here.size());
    }
    return out;
  }
  Node space() { return g_.repeat(g_.chars({{' ', ' '}, {'\n', '\n'}}), 0, 2); }
  static std::string quoted(std::string_view text) {
    std::string out;
    json::append_string(out, text);
    return out;
  }

  Grammar& g_;
  engine::JsonText text_;
  const chat::ReplySyntax& syntax_;
  const chat::ToolSyntax& tools_;
  const engine::TokenTrie& trie_;
  std::vector<std::string_view> marks_;  // that are tokens of their own
  std::optional<ArgumentForm> form_;
  std::vector<Node> calls_;
};

}  // namespace

std::unexpected<Error> cannot_follow(Error error, const std::string& field) {
  error.code = Code::kInvalid;
  error.message = "'" + field + "' cannot be followed: " + error.message;
  error.field = field;
  return std::unexpected(std::move(error));
}

Result<Node> add_calls(Grammar& grammar, const chat::ReplySyntax& syntax, const Request& request, const engine::TokenTrie& trie, chat::ReplyStart start) {
  const ToolChoice& choice = request.tool_choice;
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
  return calls.whole(several, start == chat::ReplyStart::kCall, !request.reasoning.off());
}

}  // namespace ajar
