#include "chat/prompt_context.h"

#include <algorithm>
#include <utility>

#include "base/random.h"
#include "base/text.h"
#include "chat/jinja/from_json.h"

namespace ajar::chat {
namespace {

using jinja::Dict;
using jinja::Value;

std::string to_json(const Value& value) {
  std::string out, failed;
  jinja::append_json(out, value, {}, failed);
  return out;
}

// A JSON value as Python writes it.
std::string python_literal(const Value& value) { return value.string() ? to_json(value) : value.repr(); }

// The inverse of parse_call for the layouts of templates that leave calls to the text.
std::string written_calls(const ToolSyntax& syntax, const std::vector<ParsedCall>& calls) {
  std::string out;
  if (syntax.layout == CallLayout::kPython) {
    for (const ParsedCall& call : calls) {
      out += (out.empty() ? "" : ", ") + call.name + "(";
      const Value arguments = jinja::from_json_text(call.arguments);
      bool first = true;
      for (const auto& [key, value] : arguments.dict() ? arguments.dict()->entries : std::vector<std::pair<Value, Value>>()) {
        out += (std::exchange(first, false) ? "" : ", ") + key.str() + "=" + python_literal(value);
      }
      out += ")";
    }
    return std::string(syntax.begin) + "[" + out + "]" + std::string(syntax.end);
  }
  if (syntax.layout == CallLayout::kNameThenJson) {
    for (size_t i = 0; i < calls.size(); ++i) {
      const bool numbered = syntax.begin == "<|tool_call_begin|>";  // Kimi's ids are part of the form
      const std::string name = numbered ? "functions." + calls[i].name + ":" + std::to_string(i) : calls[i].name;
      out += std::string(syntax.begin) + name + std::string(syntax.name_end) + calls[i].arguments + std::string(syntax.end);
    }
    return std::string(syntax.section_begin) + out + std::string(syntax.section_end);
  }
  const bool own = syntax.layout == CallLayout::kJson;
  const ToolSyntax& form = own ? syntax : plain_syntax().tools;
  const bool list = form.end.empty();  // then one mark begins them all
  for (const ParsedCall& call : calls) {
    const Value arguments = jinja::from_json_text(call.arguments);
    const std::string json = "{\"" + std::string(form.name_key) + "\": " + to_json(Value(call.name)) + ", \"" +
                             std::string(form.arguments_key) + "\": " + (arguments.dict() ? to_json(arguments) : "{}") + "}";
    if (list) out += (out.empty() ? "" : ", ") + json;
    else out += (out.empty() ? "" : "\n") + std::string(form.begin) + "\n" + json + "\n" + std::string(form.end);
  }
  return list ? std::string(form.begin) + "[" + out + "]" : out;
}

// One message before it becomes a value.
struct Turn {
  std::string role, text, thought, id, name;
  struct Call {
    std::string id, name, arguments;
  };
  std::vector<Call> calls;
};

std::string_view kind_name(Part::Kind kind) {
  switch (kind) {
    case Part::Kind::kImage: return "images";
    case Part::Kind::kAudio: return "audio";
    case Part::Kind::kFile: return "files";
    default: return "blocks of this kind";
  }
}

Status add_text(const Part& part, const std::string& field, std::string& text) {
  switch (part.kind) {
    case Part::Kind::kText:
    case Part::Kind::kRefusal: text += part.text; return {};
    case Part::Kind::kFile:
      if (part.text.empty()) break;
      if (!text.empty() && !text.ends_with('\n')) text += '\n';
      text += (part.name.empty() ? "" : part.name + ":\n") + part.text + "\n";
      return {};
    default: break;
  }
  return fail(Code::kUnsupported, "the model takes text only, no " + std::string(kind_name(part.kind)), field);
}

class Builder {
 public:
  explicit Builder(const ContextStyle& style) : style_(style) {}

  Status add(const Message& message, const std::string& field) {
    Turn turn{.role = std::string(role_name(message.role))};
    if (message.role == Role::kDeveloper && !style_.developer) turn.role = "system";
    for (size_t i = 0; i < message.parts.size(); ++i) {
      const Part& part = message.parts[i];
      const std::string place = field + ".content[" + std::to_string(i) + "]";
      if (part.kind == Part::Kind::kThought) {
        turn.thought += part.text;
      } else if (part.kind == Part::Kind::kToolCall) {
        turn.calls.push_back({part.id, part.name, part.arguments.empty() ? "{}" : part.arguments});
      } else if (part.kind == Part::Kind::kToolResult) {
        Turn result{.role = "tool", .id = part.id, .name = part.name.empty() ? name_of(part.id) : part.name};
        for (const Part& inner : part.content) AJAR_TRY(add_text(inner, place, result.text));
        if (result.text.empty()) result.text = part.text;
        turns_.push_back(std::move(result));
      } else {
        AJAR_TRY(add_text(part, place, turn.text));
      }
    }
    const bool only_results = turn.text.empty() && turn.calls.empty() && turn.thought.empty() &&
                              std::ranges::any_of(message.parts, [](const Part& p) { return p.kind == Part::Kind::kToolResult; });
    if (!only_results) turns_.push_back(std::move(turn));
    return {};
  }

  // The system's first messages are one; `more` is put behind it.
  void arrange(const std::string& more) {
    std::string system = more;
    size_t first = 0;
    for (std::string before; first < turns_.size() && turns_[first].role == "system"; ++first) {
      before += (before.empty() ? "" : "\n\n") + turns_[first].text;
      system = before + (more.empty() ? "" : (before.empty() ? "" : "\n\n") + more);
    }
    const bool any = first > 0 || !more.empty();
    turns_.erase(turns_.begin(), turns_.begin() + long(first));
    const Abilities& can = style_.abilities;
    for (Turn& turn : turns_) {
      if (turn.role == "system" && !can.late_system) turn.role = "user";
      if (!can.calls || !can.results) spell_out(turn);
    }
    if (any && can.system) {
      turns_.insert(turns_.begin(), Turn{.role = "system", .text = system});
    } else if (any) {
      const auto user = std::ranges::find(turns_, "user", &Turn::role);
      if (user != turns_.end()) user->text = system + (system.empty() ? "" : "\n\n") + user->text;
      else turns_.insert(turns_.begin(), Turn{.role = "user", .text = system});
    }
    if (!can.parallel_calls) split_calls();
    if (!can.repeated_users) join_users();
  }

  PromptContext finish() const {
    PromptContext out;
    std::vector<Value> values;
    for (const Turn& turn : turns_) values.push_back(value_of(turn));
    out.messages = Value::list(std::move(values));
    if (!turns_.empty() && turns_.back().role == "assistant" && turns_.back().calls.empty()) {
      out.goes_on = true;
      out.last_answer = turns_.back().text;
    }
    return out;
  }

 private:
  std::string name_of(const std::string& id) const {
    for (const Turn& turn : turns_) {
      for (const Turn::Call& call : turn.calls) {
        if (call.id == id) return call.name;
      }
    }
    return {};
  }

  // Calls and results as plain text, for a template that has no words for them.
  void spell_out(Turn& turn) const {
    if (!turn.calls.empty()) {
      if (!turn.text.empty()) turn.text += '\n';
      std::vector<ParsedCall> calls;
      for (const Turn::Call& call : turn.calls) calls.push_back({.id = call.id, .name = call.name, .arguments = call.arguments});
      turn.text += written_calls(style_.syntax->tools, calls);
      turn.calls.clear();
    }
    if (turn.role != "tool" || style_.abilities.results) return;
    turn.role = "user";
    turn.text = "<tool_response>\n" + turn.text + "\n</tool_response>";
  }

  // One call a message, each followed by its result.
  void split_calls() {
    std::vector<Turn> out;
    for (size_t i = 0; i < turns_.size(); ++i) {
      if (turns_[i].calls.size() < 2) {
        out.push_back(std::move(turns_[i]));
        continue;
      }
      std::vector<Turn> results;
      Turn calling = std::move(turns_[i]);
      while (i + 1 < turns_.size() && turns_[i + 1].role == "tool") results.push_back(std::move(turns_[++i]));
      for (const Turn::Call& call : calling.calls) {
        Turn one{.role = "assistant", .text = std::exchange(calling.text, {}), .thought = std::exchange(calling.thought, {})};
        one.calls = {call};
        out.push_back(std::move(one));
        for (Turn& result : results) {
          if (result.id == call.id && !result.role.empty()) out.push_back(std::exchange(result, Turn{}));
        }
      }
      for (Turn& result : results) {
        if (!result.role.empty()) out.push_back(std::move(result));
      }
    }
    turns_ = std::move(out);
  }

  void join_users() {
    std::vector<Turn> out;
    for (Turn& turn : turns_) {
      if (!out.empty() && turn.role == "user" && out.back().role == "user") out.back().text += "\n\n" + turn.text;
      else out.push_back(std::move(turn));
    }
    turns_ = std::move(out);
  }

  std::string id_of(const std::string& id) const {
    const bool fits = id.size() == 9 && std::ranges::all_of(id, [](char c) { return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z'); });
    return !style_.short_ids || fits ? id : sha256_hex(id).substr(0, 9);
  }

  Value value_of(const Turn& turn) const {
    Dict out;
    out.set("role", Value(turn.role));
    if (!turn.calls.empty() && turn.text.empty() && style_.abilities.null_content) {
      out.set("content", Value(jinja::None{}));
    } else if (style_.abilities.parts) {
      out.set("content", Value::list({object({{"type", "text"}, {"text", Value(turn.text)}})}));
    } else {
      out.set("content", Value(turn.text));
    }
    if (!turn.thought.empty()) out.set(style_.harmony ? "thinking" : "reasoning_content", Value(turn.thought));
    if (!turn.calls.empty()) {
      std::vector<Value> calls;
      for (const Turn::Call& call : turn.calls) {
        const Value arguments = jinja::from_json_text(call.arguments);
        const Value given = style_.abilities.text_arguments ? Value(call.arguments) : arguments.dict() ? arguments : Value(Dict{});
        calls.push_back(object({{"id", Value(id_of(call.id))}, {"type", "function"},
                                {"function", object({{"name", Value(call.name)}, {"arguments", given}})}}));
      }
      out.set("tool_calls", Value::list(std::move(calls)));
    }
    if (turn.role == "tool") {
      out.set("tool_call_id", Value(id_of(turn.id)));
      if (!turn.name.empty()) out.set("name", Value(turn.name));
    }
    return Value(std::move(out));
  }

  const ContextStyle& style_;
  std::vector<Turn> turns_;
};

// What a model is told whose template has no tools.
std::string told_tools(const std::vector<Value>& tools, const ToolSyntax& syntax) {
  if (tools.empty()) return {};
  std::string out = "You may call functions to help with the user's request. The functions, as JSON:\n<tools>\n";
  for (const Value& tool : tools) out += to_json(tool) + "\n";
  return out + "</tools>\nTo call one, answer with its name and its arguments as JSON in this form, once for each call:\n" +
         written_calls(syntax, {{.id = {}, .name = "function_name", .arguments = "{}"}});
}

}  // namespace

Value object(std::initializer_list<std::pair<const char*, Value>> members) {
  Dict out;
  for (const auto& [key, value] : members) out.set(Value(key), value);
  return Value(std::move(out));
}

std::vector<Value> tool_values(const Request& request) {
  std::vector<Value> out;
  if (request.tool_choice.mode == ToolChoice::Mode::kNone) return out;
  const auto& allowed = request.tool_choice.allowed;
  for (const Tool& tool : request.tools) {
    if (tool.name.empty() || (!allowed.empty() && std::ranges::find(allowed, tool.name) == allowed.end())) continue;
    const Value schema = tool.parameters.empty() ? Value() : jinja::from_json_text(tool.parameters);
    const Value parameters = schema.dict() ? schema : object({{"type", "object"}, {"properties", Value(Dict{})}});
    out.push_back(object({{"type", "function"}, {"function", object({{"name", Value(tool.name)}, {"description", Value(tool.description)},
                                                                     {"parameters", parameters}})}}));
  }
  return out;
}

Result<PromptContext> prompt_context(const Request& request, const ContextStyle& style) {
  Builder builder(style);
  for (size_t i = 0; i < request.messages.size(); ++i) {
    AJAR_TRY(builder.add(request.messages[i], "messages[" + std::to_string(i) + "]"));
  }
  std::vector<Value> tools = tool_values(request);
  builder.arrange(style.abilities.tools ? std::string() : told_tools(tools, style.syntax->tools));
  PromptContext out = builder.finish();
  if (style.abilities.tools && !tools.empty()) out.tools = Value::list(std::move(tools));
  return out;
}

}  // namespace ajar::chat
