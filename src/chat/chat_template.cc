#include "chat/chat_template.h"

#include <ctime>

#include "base/text.h"
#include "chat/prompt_context.h"

namespace ajar::chat {
namespace {

using jinja::Dict;
using jinja::Value;

constexpr std::string_view kChatMl =
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

// Needles that no template writes by itself.
constexpr const char* kUser = "zqUserzq";
constexpr const char* kSystem = "zqSystemzq";
constexpr const char* kAnswer = "zqAnswerzq";
constexpr const char* kTool = "zq_tool_zq";
constexpr const char* kArgument = "zqArgumentzq";
constexpr const char* kResult = "zqResultzq";

Value message(const char* role, Value content) { return object({{"role", role}, {"content", std::move(content)}}); }

Value calling(int calls, Value content, bool text_arguments) {
  std::vector<Value> list;
  for (int i = 0; i < calls; ++i) {
    const std::string id = "abcdefgh" + std::to_string(i);
    const Value arguments = text_arguments ? Value(std::string("{\"city\": \"") + kArgument + "\"}") : object({{"city", kArgument}});
    list.push_back(object({{"id", Value(id)}, {"type", "function"}, {"function", object({{"name", kTool}, {"arguments", arguments}})}}));
  }
  return object({{"role", "assistant"}, {"content", std::move(content)}, {"tool_calls", Value::list(std::move(list))}});
}

Value result(int call) {
  return object({{"role", "tool"}, {"content", kResult}, {"name", kTool}, {"tool_call_id", Value("abcdefgh" + std::to_string(call))}});
}

Value probe_tool() {
  const Value property = object({{"type", "string"}, {"description", "A city"}});
  const Value schema = object({{"type", "object"}, {"properties", object({{"city", property}})}, {"required", Value::list({"city"})}});
  return Value::list({object({{"type", "function"}, {"function", object({{"name", kTool}, {"description", "Tells"}, {"parameters", schema}})}})});
}

bool has(const Result<std::string>& text, std::string_view needle) { return text && text->find(needle) != std::string::npos; }
size_t count(const Result<std::string>& text, std::string_view needle) {
  size_t n = 0;
  for (size_t at = 0; text && (at = text->find(needle, at)) != std::string::npos; at += needle.size()) ++n;
  return n;
}

std::string_view without_space(std::string_view text) { return text.substr(0, text.find_last_not_of(" \t\r\n") + 1); }

}  // namespace

Result<std::shared_ptr<const ChatTemplate>> ChatTemplate::make(std::string_view source, TemplateTokens tokens) {
  auto out = std::make_shared<ChatTemplate>();
  out->source_ = source.empty() ? kChatMl : source;
  out->tokens_ = std::move(tokens);
  AJAR_ASSIGN(out->template_, jinja::Template::parse(out->source_));
  const auto part = [] { return Value::list({object({{"type", "text"}, {"text", kUser}})}); };
  const auto plain = out->try_render(Value::list({message("user", Value(kUser))}), nullptr, true, -1);
  if (!has(plain, kUser)) {
    const auto parts = out->try_render(Value::list({message("user", part())}), nullptr, true, -1);
    out->abilities_.parts = has(parts, kUser);
    if (!plain && !parts) return std::unexpected(plain.error());
  }
  out->probe();
  return out;
}

// `thinking`: 0 off, 1 on, -1 unsaid.
Result<std::string> ChatTemplate::try_render(const Value& messages, const Value* tools, bool add_prompt, int thinking) const {
  Dict context;
  context.set("messages", messages);
  if (tools != nullptr) context.set("tools", *tools);
  context.set("add_generation_prompt", Value(add_prompt));
  context.set("bos_token", Value(tokens_.bos));
  context.set("eos_token", Value(tokens_.eos));
  if (source_.find("functions") != std::string::npos && source_.find("datetime") != std::string::npos) {  // Firefunction's words
    std::string listed, failed;
    jinja::append_json(listed, tools ? *tools : Value::list({}), {.indent = 4, .item_separator = ","}, failed);
    context.set("functions", Value(listed));
    context.set("datetime", Value("2026-01-01 00:00:00"));
  }
  if (thinking >= 0) {
    context.set("enable_thinking", Value(thinking == 1));
    context.set("thinking", Value(thinking == 1));
  }
  constexpr jinja::Limits kProbe{.steps = 500'000, .output_bytes = 4u << 20, .memory_bytes = 64u << 20, .depth = 400};
  return template_.render(Value(std::move(context)), 1767225600, kProbe);
}

void ChatTemplate::probe() {
  Abilities& can = abilities_;
  const auto user = [&] { return message("user", can.parts ? Value::list({object({{"type", "text"}, {"text", kUser}})}) : Value(kUser)); };
  const auto text = [&](const char* role, const char* what) {
    return message(role, can.parts ? Value::list({object({{"type", "text"}, {"text", what}})}) : Value(what));
  };
  const auto made = [&](std::vector<Value> messages, const Value* tools = nullptr, int thinking = -1) {
    return try_render(Value::list(std::move(messages)), tools, true, thinking);
  };
  can.system = has(made({text("system", kSystem), user()}), kSystem);
  can.late_system = has(made({user(), text("assistant", kAnswer), text("system", kSystem), user()}), kSystem);
  can.repeated_users = count(made({user(), user()}), kUser) == 2;
  const auto off = made({user()}, nullptr, 0), on = made({user()}, nullptr, 1);
  can.thinking = off && on && *off != *on;
  const Value tools = probe_tool();
  can.tools = has(made({user()}, &tools), kTool);
  for (const bool as_text : {false, true}) {
    for (const bool null : {false, true}) {
      const auto content = [&] { return null ? Value(jinja::None{}) : Value(""); };
      const auto one = made({user(), calling(1, content(), as_text), result(0)}, &tools);
      if (can.calls || !has(one, kArgument)) continue;
      // As text it must be an object's text that is written, not a quoted one.
      if (as_text && one->find("{\\\"city") != std::string::npos) continue;
      can.calls = true;
      can.text_arguments = as_text;
      can.null_content = null;
      const auto two = made({user(), calling(2, content(), as_text), result(0), result(1)}, &tools);
      can.parallel_calls = count(two, kArgument) == 2;
    }
  }
  const auto asked = can.calls ? calling(1, can.null_content ? Value(jinja::None{}) : Value(""), can.text_arguments) : text("assistant", kAnswer);
  // A role that the template only repeats means nothing to its model.
  can.results = (can.tools || can.calls) && has(made({user(), asked, result(0)}, &tools), kResult);
  // A template that does not describe tools may still know how its model calls them; a form that we cannot show to the
  // model is of no use then.
  syntax_ = &syntax_of(source_);
  using enum CallLayout;
  const CallLayout layout = syntax_->tools.layout;
  const bool shown = layout == kJson || layout == kNameThenJson || layout == kPython;
  if (!can.tools && !shown) {
    syntax_ = &plain_syntax();
    can.calls = can.results = false;
  }
}

Result<Prompt> ChatTemplate::render(const Request& request, int64_t now) const {
  const ContextStyle style{.abilities = abilities_,
                           .developer = source_.find("developer") != std::string::npos,
                           .short_ids = source_.find("length != 9") != std::string::npos,
                           .harmony = syntax_->tools.layout == CallLayout::kHarmony,
                           .syntax = syntax_};
  AJAR_ASSIGN(PromptContext made, prompt_context(request, style));
  Dict context;
  context.set("messages", made.messages);
  if (!made.tools.is_undefined()) context.set("tools", made.tools);
  context.set("add_generation_prompt", Value(!made.goes_on));
  if (made.goes_on) context.set("continue_final_message", Value(true));
  context.set("bos_token", Value(tokens_.bos));
  context.set("eos_token", Value(tokens_.eos));
  if (source_.find("functions") != std::string::npos && source_.find("datetime") != std::string::npos) {
    std::string listed, failed;
    jinja::append_json(listed, made.tools.is_undefined() ? Value::list({}) : made.tools, {.indent = 4, .item_separator = ","}, failed);
    context.set("functions", Value(listed));
    const time_t seconds = time_t(now);
    tm parts{};
    gmtime_r(&seconds, &parts);
    char date[40];
    context.set("datetime", Value(std::string(date, std::strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &parts))));
  }
  const Reasoning& reasoning = request.reasoning;
  if (reasoning.mode != Reasoning::Mode::kUnset) {
    const bool off = reasoning.off() || (reasoning.mode == Reasoning::Mode::kBudget && reasoning.budget_tokens == 0);
    context.set("enable_thinking", Value(!off));
    context.set("thinking", Value(!off));
    std::string effort = reasoning.effort;
    if (style.harmony) effort = off || effort == "minimal" ? "low" : effort == "xhigh" ? "high" : effort;
    if (!effort.empty()) context.set("reasoning_effort", Value(effort));
  }
  Prompt out;
  AJAR_ASSIGN(out.text, template_.render(Value(std::move(context)), now));
  if (made.goes_on) {  // what the template puts behind the answer goes
    const std::string answer(trim(made.last_answer));
    const size_t at = answer.empty() ? std::string::npos : out.text.rfind(answer);
    if (at != std::string::npos) {
      const bool exact = out.text.compare(at, made.last_answer.size(), made.last_answer) == 0;
      out.text.erase(at + (exact ? made.last_answer.size() : answer.size()));
    }
    return out;
  }
  const std::string_view end = without_space(out.text);
  const ToolSyntax& tools = syntax_->tools;
  if (!syntax_->think_begin.empty() && end.ends_with(syntax_->think_begin)) out.start = ReplyStart::kThought;
  else if (tools.layout == CallLayout::kNameThenJson && tools.end.empty() && end.ends_with(tools.begin)) out.start = ReplyStart::kCall;
  return out;
}

}  // namespace ajar::chat
