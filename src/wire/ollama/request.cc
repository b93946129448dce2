// Request -> POST /api/chat. https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion
#include "base/text.h"
#include "json/read.h"
#include "json/write.h"
#include "wire/fields.h"
#include "wire/ollama/ollama.h"
#include "wire/ollama/path.h"
#include "wire/outbound.h"

namespace ajar::wire::ollama {
namespace {

using PartKind = Part::Kind;

class RequestWriter {
 public:
  RequestWriter(const Request& request, const TargetInfo& target)
      : request_(request), target_(target), ours_(request.dialect == DialectId::kOllama) {}

  Result<WireRequest> write() {
    if (request_.choices() != 1) return fail(Code::kUnsupported, "the target gives one answer per request", "n");
    json::Writer w(out_.body);
    w.begin_object();
    w.field("model", target_.model);
    w.key("messages");
    w.begin_array();
    for (size_t m = 0; m < request_.messages.size(); ++m) AJAR_TRY(message(w, request_.messages[m], m));
    w.end_array();
    AJAR_TRY(tools(w));
    format(w);
    think(w);
    options(w);
    if (request_.logprobs.value_or(false)) {
      w.field("logprobs", true);
      if (request_.top_logprobs) w.field("top_logprobs", *request_.top_logprobs);
    }
    w.field("stream", request_.stream);  // the API streams unless told not to
    list_dropped();
    AJAR_TRY(extra(w));
    w.end_object();
    out_.path = api_path(target_, "/chat");
    return std::move(out_);
  }

 private:
  void drop(std::string_view name) { wire::drop(out_.dropped, name); }

  Status message(json::Writer& w, const Message& message, size_t m) {
    if (!message.name.empty()) drop("messages.name");
    std::string text, thinking, images, calls;
    for (size_t p = 0; p < message.parts.size(); ++p) {
      const Part& part = message.parts[p];
      switch (part.kind) {
        case PartKind::kText:
        case PartKind::kRefusal: text += part.text; break;
        case PartKind::kThought:
          if (part.redacted) drop(part_field(m, p));
          else thinking += part.text;
          break;
        case PartKind::kToolCall: call(calls, part); break;
        case PartKind::kToolResult: AJAR_TRY(result(w, part, m, p)); break;
        case PartKind::kImage: AJAR_TRY(image(images, part, part_field(m, p))); break;
        case PartKind::kFile: AJAR_TRY(file(text, part, part_field(m, p))); break;
        case PartKind::kAudio: return fail(Code::kUnsupported, "the target takes no audio", part_field(m, p));
        case PartKind::kOpaque:
          if (message.role == Role::kAssistant) drop(part_field(m, p));
          else return fail(Code::kUnsupported, "the target does not know this kind of content", part_field(m, p));
      }
    }
    if (message.role == Role::kTool) return {};  // its results are written
    const bool only_results = text.empty() && images.empty() && !message.parts.empty() &&
                              message.parts.back().kind == PartKind::kToolResult;
    if (only_results) return {};
    w.begin_object();
    w.field("role", is_instruction(message) ? "system" : role_name(message.role));
    w.field("content", text);
    if (!thinking.empty()) w.field("thinking", thinking);
    if (!images.empty()) w.raw_field("images", "[" + images + "]");
    if (!calls.empty()) w.raw_field("tool_calls", "[" + calls + "]");
    if (ours_) w.members(message.extra);
    w.end_object();
    return {};
  }

  static void call(std::string& calls, const Part& part) {
    if (!calls.empty()) calls.push_back(',');
    json::Writer w(calls);
    w.begin_object();
    if (!part.id.empty()) w.field("id", part.id);
    w.key("function");
    w.begin_object();
    w.field("name", part.name);
    w.raw_field("arguments", object_arguments(part.arguments));
    w.end_object();
    w.end_object();
  }

  // The API has no ids in its older versions: the name of the tool tells whose result it is.
  Status result(json::Writer& w, const Part& part, size_t m, size_t p) {
    std::string text, images;
    for (const Part& inner : part.content) {
      if (inner.kind == PartKind::kText || inner.kind == PartKind::kRefusal) text += inner.text;
      else if (inner.kind == PartKind::kImage) AJAR_TRY(image(images, inner, part_field(m, p)));
      else return fail(Code::kUnsupported, "the target takes text and images as results of tools", part_field(m, p));
    }
    w.begin_object();
    w.field("role", "tool");
    w.field("content", text);
    if (!images.empty()) w.raw_field("images", "[" + images + "]");
    const std::string_view name = part.name.empty() ? name_of_call(part.id) : part.name;
    if (!name.empty()) w.field("tool_name", name);
    if (!part.id.empty()) w.field("tool_call_id", part.id);
    w.end_object();
    return {};
  }
  std::string_view name_of_call(std::string_view id) const {
    for (const Message& message : request_.messages) {
      for (const Part& part : message.parts) {
        if (part.kind == PartKind::kToolCall && part.id == id) return part.name;
      }
    }
    return {};
  }

  static Status image(std::string& images, const Part& part, const std::string& field) {
    if (part.data.empty()) return fail(Code::kUnsupported, "the target takes images as data only, not by URL or id", field);
    if (!images.empty()) images.push_back(',');
    json::append_string(images, part.data);
    return {};
  }

  static Status file(std::string& text, const Part& part, const std::string& field) {
    std::string_view type = part.media_type;
    if (type.empty()) type = guess_media_type(part.name);
    if (!part.text.empty()) {
      text += part.text;
      return {};
    }
    const bool textual = type.starts_with("text/") || type == "application/json";
    const auto decoded = textual && !part.data.empty() ? base64_decode(part.data) : std::nullopt;
    if (!decoded || !valid_utf8(*decoded)) return fail(Code::kUnsupported, "the target takes text files only", field);
    text += *decoded;
    return {};
  }

  Status tools(json::Writer& w) {
    using Mode = ToolChoice::Mode;
    Mode mode = request_.tool_choice.mode;
    AJAR_ASSIGN(const auto allowed, read_allowed_tools(request_.tool_choice));
    if (allowed) mode = allowed->required ? Mode::kAny : Mode::kAuto;
    if (request_.tools.empty() || mode == Mode::kNone) return {};
    if (mode == Mode::kAny || mode == Mode::kNamed) {
      return fail(Code::kUnsupported, "the target cannot be made to call a tool", "tool_choice");
    }
    if (!request_.parallel_tool_calls.value_or(true)) drop("parallel_tool_calls");
    w.key("tools");
    w.begin_array();
    for (size_t i = 0; i < request_.tools.size(); ++i) {
      const Tool& tool = request_.tools[i];
      const std::string field = "tools[" + std::to_string(i) + "]";
      if (!tool.raw.empty()) return fail(Code::kUnsupported, "the target does not have this built-in tool", field);
      if (allowed && !allowed->has(tool.name)) continue;
      if (tool.strict.value_or(false)) drop(field + ".strict");
      w.begin_object();
      w.field("type", "function");
      w.key("function");
      w.begin_object();
      w.field("name", tool.name);
      if (!tool.description.empty()) w.field("description", tool.description);
      w.raw_field("parameters", tool.parameters.empty() ? R"({"type":"object","properties":{}})" : tool.parameters);
      w.end_object();
      w.end_object();
    }
    w.end_array();
    return {};
  }

  void format(json::Writer& w) {
    const ResponseFormat& format = request_.response_format;
    if (format.kind == ResponseFormat::Kind::kJsonObject) w.field("format", "json");
    if (format.kind == ResponseFormat::Kind::kJsonSchema) {
      w.raw_field("format", format.schema.empty() ? R"({"type":"object"})" : format.schema);
    }
  }

  // Only gpt-oss knows levels; others think or do not. https://docs.ollama.com/capabilities/thinking
  void think(json::Writer& w) {
    using Mode = Reasoning::Mode;
    const Reasoning& wish = request_.reasoning;
    if (wish.mode == Mode::kUnset) return;
    const bool off = wish.off();
    const bool levels = target_.model.find("gpt-oss") != std::string::npos;
    if (off || !levels || wish.mode == Mode::kAdaptive) return w.field("think", !off);
    if (wish.mode == Mode::kBudget) {
      return w.field("think", wish.budget_tokens <= 2048 ? "low" : wish.budget_tokens <= 8192 ? "medium" : "high");
    }
    const std::string& effort = wish.effort;
    w.field("think", effort == "minimal" || effort == "low" ? "low" : effort == "medium" ? "medium" : "high");
  }

  void options(json::Writer& outer) {
    std::string members;
    json::Writer w(members);
    const Sampling& s = request_.sampling;
    if (s.temperature) w.field("temperature", *s.temperature);
    if (s.top_p) w.field("top_p", *s.top_p);
    if (s.top_k) w.field("top_k", *s.top_k);
    if (s.seed) w.field("seed", *s.seed);
    if (s.frequency_penalty) w.field("frequency_penalty", *s.frequency_penalty);
    if (s.presence_penalty) w.field("presence_penalty", *s.presence_penalty);
    if (request_.max_tokens) w.field("num_predict", *request_.max_tokens);
    else if (target_.default_max_tokens > 0) w.field("num_predict", target_.default_max_tokens);
    if (!request_.stop.empty()) {
      w.key("stop");
      w.begin_array();
      for (const std::string& stop : request_.stop) w.string(stop);
      w.end_array();
    }
    if (ours_ && target_.keep_unknown) w.members(own_options());
    if (!members.empty()) outer.raw_field("options", "{" + members + "}");
  }

  // The client's options that our words lack (num_ctx, mirostat, …) stand in `extra` as one object.
  RawMembers own_options() const {
    if (!has_member(request_.extra, "options")) return {};
    json::Document document;
    const auto members = document.parse_object("{" + request_.extra + "}");
    const auto options = members ? json::find(*members, "options") : std::nullopt;
    if (!options) return {};
    const std::string raw = json::raw(*options);
    return raw.size() > 2 ? raw.substr(1, raw.size() - 2) : RawMembers();
  }

  Status extra(json::Writer& w) {
    if (!ours_ || !target_.keep_unknown) return write_extra(w, request_, ours_, target_.keep_unknown, out_.dropped);
    w.members(without_member(request_.extra, "options"));
    return {};
  }

  void list_dropped() {
    if (!request_.sampling.logit_bias.empty() && request_.sampling.logit_bias != "{}") drop("logit_bias");
    if (!request_.user.empty()) drop("user");
    if (!request_.metadata.empty() && request_.metadata != "{}") drop("metadata");
    if (!request_.service_tier.empty()) drop("service_tier");
  }

  const Request& request_;
  const TargetInfo& target_;
  const bool ours_;
  WireRequest out_;
};

}  // namespace

std::string api_path(const TargetInfo& target, std::string_view endpoint) {
  std::string path = target.base_path;
  if (!path.ends_with("/api")) path += "/api";
  return path.append(endpoint);
}

Result<WireRequest> write_request(const Request& request, const TargetInfo& target) {
  return RequestWriter(request, target).write();
}

}  // namespace ajar::wire::ollama
