#include "chat/syntax.h"

#include <algorithm>

namespace ajar::chat {
namespace {

using enum CallLayout;

// The marks as the models' own templates write them. Special families first: many hold "<tool_call>" as well.
constexpr ReplySyntax kRows[] = {
    {.family = "gpt-oss", .marks = {"<|channel|>", "<|message|>", "<|return|>"}, .think_begin = {}, .think_end = {},
     .tools = {.layout = kHarmony, .begin = " to=functions.", .end = "<|call|>", .name_end = "<|message|>", .parallel = false}},
    {.family = "gemma-4", .marks = {"<|tool_call>", "<tool_call|>"}, .think_begin = "<|channel>thought", .think_end = "<channel|>",
     .tools = {.layout = kGemma, .begin = "<|tool_call>", .end = "<tool_call|>"}},
    {.family = "deepseek-v4", .marks = {"｜DSML｜", "tool_calls>"},
     .tools = {.layout = kInvoke, .begin = "<｜DSML｜invoke name=\"", .end = "</｜DSML｜invoke>",
               .section_begin = "<｜DSML｜tool_calls>", .section_end = "</｜DSML｜tool_calls>", .prefix = "｜DSML｜"}},
    {.family = "deepseek-v3.2", .marks = {"｜DSML｜"},
     .tools = {.layout = kInvoke, .begin = "<｜DSML｜invoke name=\"", .end = "</｜DSML｜invoke>",
               .section_begin = "<｜DSML｜function_calls>", .section_end = "</｜DSML｜function_calls>", .prefix = "｜DSML｜"}},
    {.family = "deepseek", .marks = {"<｜tool▁call▁begin｜>"},
     .tools = {.layout = kNameThenJson, .begin = "<｜tool▁call▁begin｜>", .end = "<｜tool▁call▁end｜>",
               .section_begin = "<｜tool▁calls▁begin｜>", .section_end = "<｜tool▁calls▁end｜>", .name_end = "<｜tool▁sep｜>"}},
    {.family = "kimi", .marks = {"<|tool_call_argument_begin|>"},
     .tools = {.layout = kNameThenJson, .begin = "<|tool_call_begin|>", .end = "<|tool_call_end|>",
               .section_begin = "<|tool_calls_section_begin|>", .section_end = "<|tool_calls_section_end|>",
               .name_end = "<|tool_call_argument_begin|>"}},
    {.family = "mistral-v13", .marks = {"[TOOL_CALLS]", "[ARGS]"}, .think_begin = "[THINK]", .think_end = "[/THINK]",
     .tools = {.layout = kNameThenJson, .begin = "[TOOL_CALLS]", .name_end = "[ARGS]"}},
    {.family = "mistral", .marks = {"[TOOL_CALLS]"}, .think_begin = "[THINK]", .think_end = "[/THINK]",
     .tools = {.layout = kJson, .begin = "[TOOL_CALLS]"}},
    {.family = "command-a", .marks = {"<|START_ACTION|>"}, .think_begin = "<|START_THINKING|>", .think_end = "<|END_THINKING|>",
     .tools = {.layout = kJson, .begin = "<|START_ACTION|>", .end = "<|END_ACTION|>", .name_key = "tool_name", .arguments_key = "parameters"},
     .skipped = {"<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>"}},
    {.family = "command-r", .marks = {"Action:", "directly-answer"}, .think_begin = {}, .think_end = {},
     .tools = {.layout = kJson, .begin = "Action:", .name_key = "tool_name", .arguments_key = "parameters"}},
    {.family = "functionary-v3.2", .marks = {">>>all"}, .think_begin = {}, .think_end = {},
     .tools = {.layout = kNameThenJson, .begin = ">>>", .name_end = "\n"}},
    {.family = "glm", .marks = {"<arg_key>", "<tool_call>"},
     .tools = {.layout = kArgKeys, .begin = "<tool_call>", .end = "</tool_call>"}},
    {.family = "seed", .marks = {"<seed:tool_call>"}, .think_begin = "<seed:think>", .think_end = "</seed:think>",
     .tools = {.layout = kXml, .begin = "<seed:tool_call>", .end = "</seed:tool_call>"}},
    {.family = "qwen3-coder", .marks = {"<function=", "<parameter="},
     .tools = {.layout = kXml, .begin = "<tool_call>", .end = "</tool_call>", .own_lines = true}},
    {.family = "functionary-v3.1", .marks = {"<function=", "start_tag"}, .think_begin = {}, .think_end = {},
     .tools = {.layout = kNameThenJson, .begin = "<function=", .end = "</function>", .name_end = ">"}},
    {.family = "granite", .marks = {"<|tool_call|>"},
     .tools = {.layout = kJson, .begin = "<|tool_call|>"}},
    {.family = "apertus", .marks = {"<|tools_prefix|>"}, .think_begin = "<|inner_prefix|>", .think_end = "<|inner_suffix|>",
     .tools = {.layout = kKeyedJson, .begin = "<|tools_prefix|>", .end = "<|tools_suffix|>"}},
    {.family = "lfm2", .marks = {"<|tool_list_start|>"},
     .tools = {.layout = kPython, .begin = "<|tool_call_start|>", .end = "<|tool_call_end|>"}},
    {.family = "lfm2.5", .marks = {"keep_past_thinking", "<|im_start|>", "List of tools: ["},
     .tools = {.layout = kPython, .begin = "<|tool_call_start|>", .end = "<|tool_call_end|>"}},
    {.family = "gigachat-3.1", .marks = {"<|function_call|>"}, .think_begin = {}, .think_end = {},
     .tools = {.layout = kJson, .begin = "<|function_call|>"}},
    {.family = "gigachat-3", .marks = {"function call", "<|role_sep|>"}, .think_begin = {}, .think_end = {},
     .tools = {.layout = kJson, .begin = "function call<|role_sep|>"}},
    {.family = "firefunction", .marks = {"functools["}, .think_begin = {}, .think_end = {},
     .tools = {.layout = kJson, .begin = "functools"}},
    {.family = "apriel", .marks = {"<tool_calls>", "[BEGIN FINAL RESPONSE]"}, .think_begin = "Here are my reasoning steps:",
     .think_end = "[BEGIN FINAL RESPONSE]", .tools = {.layout = kJson, .begin = "<tool_calls>", .end = "</tool_calls>"},
     .skipped = {"[END FINAL RESPONSE]"}},
    {.family = "llama-3", .marks = {"<|start_header_id|>", "\"parameters\""},
     .tools = {.layout = kJson, .begin = "<|python_tag|>", .arguments_key = "parameters", .parallel = false}, .bare_json = true},
    {.family = "hermes", .marks = {"<tool_call>"},
     .tools = {.layout = kJson, .begin = "<tool_call>", .end = "</tool_call>"}},
    // What chat_template.h asks of a model whose template has no tools is Hermes' form.
    {.family = "plain", .tools = {.layout = kJson, .begin = "<tool_call>", .end = "</tool_call>"}, .bare_json = true},
};

}  // namespace

const ReplySyntax& syntax_of(std::string_view text) {
  for (const ReplySyntax& row : kRows) {
    if (std::ranges::all_of(row.marks, [&](std::string_view mark) { return text.find(mark) != text.npos; })) return row;
  }
  return plain_syntax();
}

const ReplySyntax& plain_syntax() { return *(std::end(kRows) - 1); }
std::span<const ReplySyntax> all_syntaxes() { return kRows; }

std::vector<std::string_view> call_marks(const ToolSyntax& tools) {
  std::vector<std::string_view> out = {tools.begin, tools.end, tools.section_begin, tools.section_end, tools.name_end, tools.prefix};
  const auto add = [&](std::initializer_list<std::string_view> marks) { out.insert(out.end(), marks); };
  switch (tools.layout) {
    case kHarmony: add({"<|channel|>", "<|message|>", "<|start|>", "<|end|>", "<|constrain|>"}); break;
    case kGemma: add({"<|\"|>"}); break;
    case kArgKeys: add({"<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"}); break;
    case kNameThenJson: add({"[CALL_ID]"}); break;
    default: break;
  }
  std::erase_if(out, [](std::string_view mark) { return mark.empty(); });
  return out;
}

bool is_mark(const ReplySyntax& syntax, std::string_view token) {
  if (token.empty()) return false;
  std::vector<std::string_view> marks = call_marks(syntax.tools);
  marks.insert(marks.end(), {syntax.think_begin, syntax.think_end});
  marks.insert(marks.end(), std::begin(syntax.skipped), std::end(syntax.skipped));
  return std::ranges::any_of(marks, [&](std::string_view mark) { return mark.find(token) != mark.npos; });
}

}  // namespace ajar::chat
