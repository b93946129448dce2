#pragma once
// How a family of models writes thoughts and tool calls into its replies: one row of data per family (syntax.cc). The
// parser reads by it (reply_parser.h), and so a constrained decoder writes calls (provider/call_grammar.h).

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ajar::chat {

// Where the name and the arguments of a call stand.
enum class CallLayout : uint8_t {
  kNone,
  kJson,          // begin {name_key: "f", arguments_key: {...}} end, or a list of them
  kKeyedJson,     // begin [{"f": {...}}] end
  kNameThenJson,  // begin f name_end {...} end
  kXml,           // begin <function=f> <parameter=key> value </parameter> ... </function> end
  kArgKeys,       // begin f <arg_key>key</arg_key> <arg_value>value</arg_value> ... end
  kInvoke,        // <PREFIXinvoke name="f"> <PREFIXparameter name="key" string="true">value</PREFIXparameter> ... </PREFIXinvoke>
  kGemma,         // begin call:f{key:<|"|>text<|"|>,other:1} end
  kPython,        // begin [f(key="text", other=1)] end
  kHarmony,       // OpenAI's channels, whose header names the recipient of a message
};

struct ToolSyntax {
  CallLayout layout = CallLayout::kNone;
  std::string_view begin, end;                  // of each call, or of a list of calls; an empty end: there is none
  std::string_view section_begin, section_end;  // around all calls; empty: none
  std::string_view name_key = "name", arguments_key = "arguments";
  std::string_view name_end;                    // kNameThenJson
  std::string_view prefix;                      // kInvoke
  bool own_lines = false;                       // kXml: values stand on lines of their own
  bool parallel = true;                         // more than one call in a reply
};

struct ReplySyntax {
  std::string_view family;
  // Each stands in the template of a model of the family; unused ones are empty.
  std::string_view marks[3];
  std::string_view think_begin = "<think>", think_end = "</think>";
  ToolSyntax tools;
  bool bare_json = false;             // a reply that is nothing but {"name": ..., "parameters": ...} is a call
  std::string_view skipped[4] = {};   // marks that say nothing
};

// The row of a template's text: the first whose marks all stand in it; the last one, of plain models, fits all. What a
// plain model is told about tools (chat_template.h) is read by it too.
const ReplySyntax& syntax_of(std::string_view template_text);
const ReplySyntax& plain_syntax();
std::span<const ReplySyntax> all_syntaxes();
// What calls are written with, beside names and values; any of it may be a control token, or have one in it.
std::vector<std::string_view> call_marks(const ToolSyntax& tools);
// Whether a control token is one of the family's marks, or a part of one: the parser must see it.
bool is_mark(const ReplySyntax& syntax, std::string_view token);

}  // namespace ajar::chat
