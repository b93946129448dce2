#include "chat/calls.h"

#include <algorithm>

#include "base/text.h"
#include "chat/literals.h"
#include "json/read.h"
#include "json/write.h"

namespace ajar::chat {
namespace {

using enum CallText::Status;
constexpr size_t kMaxName = 128;

bool name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' ||
         c == ':' || c == '/';
}
bool good_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && std::ranges::all_of(name, name_character);
}

// Reads along a text that may go on later.
class Reader {
 public:
  enum class Found : uint8_t { kYes, kNo, kMore };
  Reader(std::string_view text, bool whole) : text_(text), whole_(whole) {}

  std::string_view rest() const { return text_.substr(at_); }
  size_t at() const { return at_; }
  void go(size_t to) { at_ = to; }
  bool over() const { return at_ == text_.size(); }
  void spaces() {
    while (!over() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  Found take(std::string_view word) {
    if (rest().starts_with(word)) return at_ += word.size(), Found::kYes;
    return !whole_ && word.starts_with(rest()) ? Found::kMore : Found::kNo;
  }
  // What stands before `mark`, which is passed; nothing while it has not come.
  bool until(std::string_view mark, std::string_view& before) {
    const size_t end = rest().find(mark);
    if (end == std::string_view::npos) return false;
    before = rest().substr(0, end);
    at_ += end + mark.size();
    return true;
  }
  CallText missing() const { return {.status = whole_ ? kBad : kMore, .used = 0, .calls = {}}; }
  bool whole() const { return whole_; }

 private:
  std::string_view text_;
  bool whole_;
  size_t at_ = 0;
};
using Found = Reader::Found;

CallText bad() { return {}; }
CallText of(Found found, const Reader& reader) { return found == Found::kMore ? reader.missing() : bad(); }

// Passes a fence and the end mark, where they are there.
CallText end_of_call(Reader& reader, const ToolSyntax& syntax, bool fenced, std::vector<ParsedCall> calls) {
  CallText out{.status = kDone, .used = reader.at(), .calls = std::move(calls)};
  for (const std::string_view mark : {fenced ? std::string_view("```") : std::string_view(), syntax.end}) {
    if (mark.empty()) continue;
    reader.spaces();
    const Found found = reader.take(mark);
    if (found == Found::kMore) return {.status = kMore, .used = 0, .calls = {}};
    if (found == Found::kYes) out.used = reader.at();
  }
  return out;
}

// ```json, which some put around; `fenced` says so.
Found fence(Reader& reader, bool& fenced) {
  reader.spaces();
  const Found found = reader.take("```");
  if (found == Found::kMore) return Found::kMore;
  fenced = found == Found::kYes;
  if (fenced && reader.take("json") == Found::kMore) return Found::kMore;
  reader.spaces();
  return Found::kYes;
}

std::string repaired(std::string_view json) {  // line ends within strings, which models write and JSON does not allow
  std::string out;
  bool quoted = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quoted && uint8_t(c) < 0x20) {
      std::string escaped;
      json::append_string(escaped, std::string_view(&c, 1));
      out.append(escaped, 1, escaped.size() - 2);
      continue;
    }
    out += c;
    if (quoted && c == '\\' && i + 1 < json.size()) out += json[++i];
    else if (c == '"') quoted = !quoted;
  }
  return out;
}

// The object or list that comes next; what it is not yet, or is not, is the status.
CallText json_value(Reader& reader, std::string_view& json) {
  if (reader.over()) return reader.missing();
  if (reader.rest()[0] == '"') return bad();
  const size_t end = json_end(reader.rest());
  if (end == 0) return reader.missing();
  if (end == std::string_view::npos) return bad();
  json = reader.rest().substr(0, end);
  reader.go(reader.at() + end);
  return {.status = kDone, .used = 0, .calls = {}};
}

CallText parse_json(const ToolSyntax& syntax, Reader reader) {
  bool fenced = false;
  if (fence(reader, fenced) == Found::kMore && !reader.whole()) return reader.missing();
  std::string_view json;
  if (CallText found = json_value(reader, json); found.status != kDone) return found;
  auto calls = calls_of_json(json, syntax);
  if (calls.empty()) return bad();
  return end_of_call(reader, syntax, fenced, std::move(calls));
}

CallText parse_name_then_json(const ToolSyntax& syntax, Reader reader) {
  reader.spaces();
  ParsedCall call;
  const auto name = [&](std::string_view mark, bool& stopped) -> CallText {
    const std::string_view rest = reader.rest();
    size_t end = 0;
    while (end < rest.size() && end <= kMaxName && name_character(rest[end])) ++end;
    if (end > kMaxName) return bad();
    call.name = rest.substr(0, end);
    reader.go(reader.at() + end);
    if (mark != "\n") reader.spaces();
    if (const Found found = reader.take("[CALL_ID]"); found == Found::kMore) {
      return reader.missing();
    } else if (found == Found::kYes) {
      std::string_view id;
      if (!reader.until(mark, id)) return reader.missing();
      call.id = trim(id);
      stopped = true;
      return {.status = kDone, .used = 0, .calls = {}};
    }
    const Found found = reader.take(mark);
    stopped = found == Found::kYes;
    return stopped ? CallText{.status = kDone, .used = 0, .calls = {}} : of(found, reader);
  };
  bool stopped = false;
  if (CallText found = name(syntax.name_end, stopped); found.status != kDone) return found;
  if (syntax.begin == ">>>" && call.name == "all") return {.status = kDone, .used = reader.at(), .calls = {}};  // said to all
  if (call.name == "function" && syntax.name_end.starts_with("<｜")) {  // DeepSeek R1: function<sep>name\n```json
    if (CallText found = name("\n", stopped); found.status != kDone) return found;
  }
  if (call.name.starts_with("functions.")) {  // Kimi: functions.name:0
    call.id = call.name;
    call.name.erase(0, 10);
    if (const size_t colon = call.name.rfind(':'); colon != std::string::npos) call.name.erase(colon);
  }
  if (!good_name(call.name)) return bad();
  bool fenced = false;
  if (fence(reader, fenced) == Found::kMore && !reader.whole()) return reader.missing();
  if (!reader.over() && reader.rest()[0] != '{') return bad();
  std::string_view json;
  if (CallText found = json_value(reader, json); found.status != kDone) return found;
  call.arguments = object_text(repaired(json));
  if (call.arguments.empty()) return bad();
  std::vector<ParsedCall> calls;
  calls.push_back(std::move(call));
  return end_of_call(reader, syntax, fenced, std::move(calls));
}

std::string_view type_of(const KnownTools& tools, std::string_view function, std::string_view key) {
  const auto tool = tools.types.find(function);
  if (tool == tools.types.end()) return {};
  const auto argument = tool->second.find(key);
  return argument != tool->second.end() ? std::string_view(argument->second) : std::string_view();
}

// Where a value ends: at the first of `marks` that does not stand in its JSON. What is of type "string", or is no JSON after all,
// is text. npos: there is no end yet.
size_t value_end(std::string_view text, std::initializer_list<std::string_view> marks, bool is_text, bool whole) {
  const auto mark_from = [&](size_t from) {
    size_t end = std::string_view::npos;
    for (const std::string_view mark : marks) end = std::min(end, text.find(mark, from));
    return end;
  };
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (is_text || begin == text.npos || std::string_view("{[\"").find(text[begin]) == text.npos) return mark_from(0);
  const size_t json = json_end(text.substr(begin));
  if (json == 0 && !whole) return std::string_view::npos;
  if (json == 0 || json == std::string_view::npos) return mark_from(0);
  const std::string_view rest = trim(text.substr(begin + json));
  for (const std::string_view mark : marks) {
    if (rest.starts_with(trim(mark))) return mark_from(begin + json);
    if (!whole && trim(mark).starts_with(rest)) return text.npos;
  }
  return mark_from(0);
}

// Passes a value and the first of `marks`; false: it has no end yet.
bool take_value(Reader& reader, std::initializer_list<std::string_view> marks, bool is_text, std::string_view& value) {
  const std::string_view rest = reader.rest();
  const size_t end = value_end(rest, marks, is_text, reader.whole());
  if (end == std::string_view::npos) return false;
  value = rest.substr(0, end);
  reader.go(reader.at() + end);
  reader.take(*marks.begin());
  return true;
}

// A value without quotes by the type that the request gives it; without one, JSON where it is.
void add_argument(json::Writer& w, std::string_view function, std::string_view key, std::string_view value, const KnownTools& tools) {
  w.key(key);
  const std::string_view type = type_of(tools, function, key);
  const std::string literal = type == "string" ? std::string() : literal_json(value);
  if (literal.empty()) w.string(value);
  else w.raw(literal);
}

std::string_view without_line_ends(std::string_view text) {
  if (text.starts_with('\n')) text.remove_prefix(1);
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

// A member of a call that is written out mark by mark.
class ArgumentWriter {
 public:
  ArgumentWriter(std::string_view function, const KnownTools& tools) : function_(function), tools_(tools), w_(json_) { w_.begin_object(); }
  void typed(std::string_view key, std::string_view value) { add_argument(w_, function_, key, value, tools_); }
  void text(std::string_view key, std::string_view value) { w_.field(key, value); }
  bool is_text(std::string_view key) const { return type_of(tools_, function_, key) == "string"; }
  std::vector<ParsedCall> finish() {
    w_.end_object();
    return {{.id = {}, .name = std::string(function_), .arguments = std::move(json_)}};
  }

 private:
  std::string_view function_;
  const KnownTools& tools_;
  std::string json_;
  json::Writer w_;
};

CallText parse_xml(const ToolSyntax& syntax, Reader reader, const KnownTools& tools) {
  reader.spaces();
  if (const Found found = reader.take("<function="); found != Found::kYes) return of(found, reader);
  std::string_view name;
  if (!reader.until(">", name)) return reader.rest().size() > kMaxName ? bad() : reader.missing();
  name = trim(name);
  if (!good_name(name)) return bad();
  ArgumentWriter arguments(name, tools);
  while (true) {
    reader.spaces();
    const Found closed = reader.take("</function>");
    if (closed == Found::kYes) break;
    const Found opened = reader.take("<parameter=");
    if (opened == Found::kNo && closed == Found::kNo) return bad();
    if (opened != Found::kYes) return reader.missing();
    std::string_view key;
    if (!reader.until(">", key)) return reader.missing();
    if (trim(key).empty()) return bad();
    // A value ends at its mark, or where a model that forgot it goes on.
    std::string_view value;
    if (!take_value(reader, {"</parameter>", "\n<parameter=", "</function>"}, arguments.is_text(trim(key)), value)) return reader.missing();
    arguments.typed(trim(key), without_line_ends(value));
  }
  return end_of_call(reader, syntax, false, arguments.finish());
}

CallText parse_arg_keys(const ToolSyntax& syntax, Reader reader, const KnownTools& tools) {
  reader.spaces();
  size_t end = 0;
  const std::string_view rest = reader.rest();
  while (end < rest.size() && end <= kMaxName && name_character(rest[end])) ++end;
  if (end > kMaxName || (end == 0 && !rest.empty())) return bad();
  if (end == rest.size()) return reader.missing();
  const std::string_view name = rest.substr(0, end);
  reader.go(reader.at() + end);
  ArgumentWriter arguments(name, tools);
  while (true) {
    reader.spaces();
    const Found closed = reader.take(syntax.end);
    if (closed == Found::kYes) break;
    const Found opened = reader.take("<arg_key>");
    if (opened == Found::kNo && closed == Found::kNo) {
      if (reader.over() && reader.whole()) break;
      return bad();
    }
    if (opened != Found::kYes) return reader.missing();
    std::string_view key, value;
    if (!reader.until("</arg_key>", key)) return reader.missing();
    if (trim(key).empty()) return bad();
    reader.spaces();
    if (const Found found = reader.take("<arg_value>"); found != Found::kYes) return of(found, reader);
    if (!take_value(reader, {"</arg_value>"}, arguments.is_text(trim(key)), value)) return reader.missing();
    arguments.typed(trim(key), value);
  }
  return {.status = kDone, .used = reader.at(), .calls = arguments.finish()};
}

CallText parse_invoke(const ToolSyntax& syntax, Reader reader, const KnownTools& tools) {
  std::string_view name, attributes;
  if (!reader.until("\"", name)) return reader.rest().size() > kMaxName ? bad() : reader.missing();
  if (!good_name(name)) return bad();
  if (!reader.until(">", attributes)) return reader.missing();
  const std::string open = "<" + std::string(syntax.prefix) + "parameter name=\"", close = "</" + std::string(syntax.prefix) + "parameter>";
  ArgumentWriter arguments(name, tools);
  while (true) {
    reader.spaces();
    const Found closed = reader.take(syntax.end);
    if (closed == Found::kYes) break;
    const Found opened = reader.take(open);
    if (opened == Found::kNo && closed == Found::kNo) return bad();
    if (opened != Found::kYes) return reader.missing();
    std::string_view key, value;
    if (!reader.until("\"", key) || !reader.until(">", attributes)) return reader.missing();
    const bool text = attributes.find("string=\"true\"") != attributes.npos;
    if (!take_value(reader, {close}, text || arguments.is_text(key), value)) return reader.missing();
    if (text) arguments.text(key, value);
    else arguments.typed(key, value);
  }
  return {.status = kDone, .used = reader.at(), .calls = arguments.finish()};
}

CallText parse_literal(const ToolSyntax& syntax, Reader reader) {
  const bool gemma = syntax.layout == CallLayout::kGemma;
  const size_t end = literal_end(reader.rest(), syntax.end, gemma);
  if (end == std::string_view::npos && !reader.whole()) return reader.missing();
  const std::string_view text = trim(reader.rest().substr(0, end));
  CallText out{.status = kDone, .used = end == std::string_view::npos ? reader.rest().size() : end + syntax.end.size(), .calls = {}};
  std::vector<NamedObject> found;
  if (!(gemma ? gemma_calls(text, found) : python_calls(text, found))) return bad();
  for (NamedObject& one : found) {
    if (!good_name(one.name)) return bad();
    out.calls.push_back({.id = {}, .name = std::move(one.name), .arguments = std::move(one.json)});
  }
  return out.calls.empty() ? bad() : out;
}

// Arguments as an object's text: some write the text of the object as a string.
std::string arguments_of(const std::optional<json::Value>& value) {
  if (!value) return "{}";
  if (json::as_object(*value)) return json::raw(*value);
  if (const auto text = json::as_string(*value)) {
    if (trim(*text).empty()) return "{}";
    return object_text(repaired(*text));
  }
  return {};
}

bool add_call(const json::Value& value, const ToolSyntax& syntax, std::vector<ParsedCall>& out) {
  auto object = json::as_object(value);
  if (!object) return false;
  if (syntax.layout == CallLayout::kKeyedJson) {
    if (object->size() != 1) return false;
    for (const auto [key, arguments] : *object) {
      if (!good_name(key) || !json::as_object(arguments)) return false;
      out.push_back({.id = {}, .name = std::string(key), .arguments = json::raw(arguments)});
    }
    return true;
  }
  ParsedCall call;
  if (const auto id = json::find(*object, "id"); id && json::as_string(*id)) call.id = *json::as_string(*id);
  if (const auto inner = json::find(*object, "function"); inner && json::as_object(*inner)) object = json::as_object(*inner);
  for (const std::string_view key : {syntax.name_key, std::string_view("name"), std::string_view("tool_name"), std::string_view("function")}) {
    if (call.name.empty()) call.name = json::string_or(*object, key);
  }
  std::optional<json::Value> arguments;
  for (const std::string_view key : {syntax.arguments_key, std::string_view("arguments"), std::string_view("parameters")}) {
    if (!arguments) arguments = json::find(*object, key);
  }
  call.arguments = arguments_of(arguments);
  if (!good_name(call.name) || call.arguments.empty()) return false;
  out.push_back(std::move(call));
  return true;
}

}  // namespace

KnownTools KnownTools::of(const Request& request) {
  KnownTools out;
  for (const Tool& tool : request.tools) {
    if (tool.name.empty()) continue;
    auto& types = out.types[tool.name];
    json::Document document;
    const auto schema = document.parse_object(tool.parameters);
    const auto properties = schema ? json::find(*schema, "properties") : std::nullopt;
    const auto object = properties ? json::as_object(*properties) : std::nullopt;
    if (!object) continue;
    for (const auto [key, value] : *object) {
      if (const auto one = json::as_object(value)) types[std::string(key)] = json::string_or(*one, "type");
    }
  }
  return out;
}

size_t json_end(std::string_view text) {
  if (text.empty()) return 0;
  if (text[0] != '{' && text[0] != '[' && text[0] != '"') return std::string_view::npos;
  std::string open;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      else if (c == '"' && open.empty()) return i + 1;
      else if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      open += c == '{' ? '}' : ']';
      if (open.size() > json::kMaxDepth) return std::string_view::npos;
    } else if (c == '}' || c == ']') {
      if (open.back() != c) return std::string_view::npos;
      open.pop_back();
      if (open.empty()) return i + 1;
    }
  }
  return 0;
}

std::vector<ParsedCall> calls_of_json(std::string_view text, const ToolSyntax& syntax) {
  std::vector<ParsedCall> out;
  json::Document document;
  const auto value = document.parse(repaired(text));
  if (!value) return {};
  if (const auto list = json::as_array(*value)) {
    for (const json::Value item : *list) {
      if (!add_call(item, syntax, out)) return {};
    }
  } else if (!add_call(*value, syntax, out)) {
    return {};
  }
  return out;
}

namespace {

CallText parse_layout(const ToolSyntax& syntax, std::string_view text, bool whole, const KnownTools& tools) {
  const Reader reader(text, whole);
  switch (syntax.layout) {
    case CallLayout::kJson:
    case CallLayout::kKeyedJson: return parse_json(syntax, reader);
    case CallLayout::kNameThenJson: return parse_name_then_json(syntax, reader);
    case CallLayout::kXml: return parse_xml(syntax, reader, tools);
    case CallLayout::kArgKeys: return parse_arg_keys(syntax, reader, tools);
    case CallLayout::kInvoke: return parse_invoke(syntax, reader, tools);
    case CallLayout::kGemma:
    case CallLayout::kPython: return parse_literal(syntax, reader);
    case CallLayout::kNone:
    case CallLayout::kHarmony: break;
  }
  return bad();
}

}  // namespace

CallText parse_call(const ToolSyntax& syntax, std::string_view text, bool whole, const KnownTools& tools) {
  CallText out = parse_layout(syntax, text, whole, tools);
  // Values without quotes have not been through a JSON reader, and JSON holds UTF-8 only.
  const bool good = std::ranges::all_of(out.calls, [](const ParsedCall& call) { return valid_utf8(call.arguments) && valid_utf8(call.id); });
  return good ? out : bad();
}

}  // namespace ajar::chat
