// Request -> POST /v2/chat. https://docs.cohere.com/reference/chat
#include <algorithm>

#include "base/text.h"
#include "json/read.h"
#include "json/write.h"
#include "wire/cohere/cohere.h"
#include "wire/cohere/path.h"
#include "wire/fields.h"
#include "wire/media.h"
#include "wire/outbound.h"

namespace ajar::wire::cohere {
namespace {

using PartKind = Part::Kind;

// Members of the API's own body that a client of any dialect may send: no other API has these names.
constexpr std::string_view kPassed[] = {"documents", "citation_options", "safety_mode", "priority"};

class RequestWriter {
 public:
  RequestWriter(const Request& request, const TargetInfo& target) : request_(request), target_(target) {}

  Result<WireRequest> write() {
    if (request_.choices() != 1) return fail(Code::kUnsupported, "the target gives one answer per request", "n");
    if (request_.logprobs.value_or(false) || request_.top_logprobs.value_or(0) > 0) {
      return fail(Code::kUnsupported, "the target's log probabilities have no words here", "logprobs");
    }
    json::Writer w(out_.body);
    w.begin_object();
    w.field("model", target_.model);
    w.key("messages");
    w.begin_array();
    for (size_t m = 0; m < request_.messages.size(); ++m) AJAR_TRY(message(w, request_.messages[m], m));
    w.end_array();
    AJAR_TRY(tools(w));
    format(w);
    thinking(w);
    sampling(w);
    if (request_.stream) w.field("stream", true);
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
    for (size_t p = 0; p < message.parts.size(); ++p) {
      if (message.parts[p].kind == PartKind::kToolResult) AJAR_TRY(result(w, message.parts[p], m, p));
    }
    if (message.role == Role::kTool) return {};
    if (message.role == Role::kAssistant) return assistant(w, message, m);
    std::string text, blocks;
    bool plain = true;
    for (size_t p = 0; p < message.parts.size(); ++p) {
      const Part& part = message.parts[p];
      if (part.kind == PartKind::kToolResult) continue;
      if (part.kind == PartKind::kToolCall || part.kind == PartKind::kThought) {
        drop(part_field(m, p));
      } else {
        plain = plain && (part.kind == PartKind::kText || part.kind == PartKind::kRefusal);
        AJAR_TRY(content(part, part_field(m, p), text, blocks));
      }
    }
    if (blocks.empty()) return {};
    if (is_instruction(message) && !plain) {
      return fail(Code::kUnsupported, "instructions can only be text", part_field(m, 0));
    }
    w.begin_object();
    w.field("role", is_instruction(message) ? "system" : "user");
    if (plain) w.field("content", text);
    else w.raw_field("content", "[" + blocks + "]");
    w.end_object();
    return {};
  }

  static json::Writer next(std::string& list) {
    if (!list.empty()) list.push_back(',');
    return json::Writer(list);
  }
  static void text_block(std::string& blocks, std::string_view type, std::string_view text) {
    json::Writer w = next(blocks);
    w.begin_object();
    w.field("type", type);
    w.field(type, text);
    w.end_object();
  }

  // Appends to both; `text` counts when all is text.
  static Status content(const Part& part, const std::string& field, std::string& text, std::string& blocks) {
    const auto say = [&](std::string_view words) {
      text += words;
      text_block(blocks, "text", words);
      return Status();
    };
    switch (part.kind) {
      case PartKind::kText:
      case PartKind::kRefusal: return say(part.text);
      case PartKind::kImage: {
        if (part.url.empty() && part.data.empty()) return fail(Code::kUnsupported, "file ids of another provider mean nothing to the target", field);
        json::Writer w = next(blocks);
        w.begin_object();
        w.field("type", "image_url");
        w.key("image_url");
        w.begin_object();
        w.field("url", part.url.empty() ? join_data_uri(part.media_type.empty() ? "image/png" : part.media_type, part.data) : part.url);
        if (!part.detail.empty()) w.field("detail", part.detail);
        w.end_object();
        w.end_object();
        return {};
      }
      case PartKind::kFile: {
        if (!part.text.empty()) return say(part.text);
        std::string_view type = part.media_type;
        if (type.empty()) type = guess_media_type(part.name);
        const bool textual = (type.starts_with("text/") || type == "application/json") && !part.data.empty();
        const auto decoded = textual ? base64_decode(part.data) : std::nullopt;
        if (decoded && valid_utf8(*decoded)) return say(*decoded);
        return fail(Code::kUnsupported, "the target takes text files only", field);
      }
      case PartKind::kAudio: return fail(Code::kUnsupported, "the target takes no audio", field);
      default: return fail(Code::kUnsupported, "the target does not know this kind of content", field);
    }
  }

  // What was thought before calls is the plan of the calls.
  Status assistant(json::Writer& w, const Message& message, size_t m) {
    std::string text, blocks, thoughts, calls;
    for (size_t p = 0; p < message.parts.size(); ++p) {
      const Part& part = message.parts[p];
      if (part.kind == PartKind::kText || part.kind == PartKind::kRefusal) {
        text += part.text;
      } else if (part.kind == PartKind::kThought && !part.redacted) {
        thoughts += part.text;
      } else if (part.kind == PartKind::kToolCall) {
        json::Writer call = next(calls);
        call.begin_object();
        call.field("id", part.id);
        call.field("type", "function");
        call.key("function");
        call.begin_object();
        call.field("name", part.name);
        call.field("arguments", object_arguments(part.arguments));
        call.end_object();
        call.end_object();
      } else {
        drop(part_field(m, p));
      }
    }
    if (text.empty() && thoughts.empty() && calls.empty()) return {};
    w.begin_object();
    w.field("role", "assistant");
    if (!thoughts.empty() && calls.empty()) {
      text_block(blocks, "thinking", thoughts);
      if (!text.empty()) text_block(blocks, "text", text);
      w.raw_field("content", "[" + blocks + "]");
    } else if (!text.empty()) {
      w.field("content", text);
    }
    if (!thoughts.empty() && !calls.empty()) w.field("tool_plan", thoughts);
    if (!calls.empty()) w.raw_field("tool_calls", "[" + calls + "]");
    w.end_object();
    return {};
  }

  Status result(json::Writer& w, const Part& part, size_t m, size_t p) {
    std::string text;
    for (const Part& inner : part.content) {
      if (inner.kind != PartKind::kText && inner.kind != PartKind::kRefusal) {
        return fail(Code::kUnsupported, "the target takes text as a result of a tool", part_field(m, p));
      }
      text += inner.text;
    }
    w.begin_object();
    w.field("role", "tool");
    w.field("tool_call_id", part.id);
    w.field("content", text);
    w.end_object();
    return {};
  }

  Status tools(json::Writer& w) {
    using Mode = ToolChoice::Mode;
    AJAR_ASSIGN(const auto allowed, read_allowed_tools(request_.tool_choice));
    Mode mode = request_.tool_choice.mode;
    if (allowed) mode = allowed->required ? Mode::kAny : Mode::kAuto;
    std::string list;
    bool all_strict = true, any_strict = false;
    for (size_t i = 0; i < request_.tools.size(); ++i) {
      const Tool& tool = request_.tools[i];
      if (!tool.raw.empty()) {
        return fail(Code::kUnsupported, "the target does not have this built-in tool", "tools[" + std::to_string(i) + "]");
      }
      // One tool that must be called is the only one there is.
      if ((allowed && !allowed->has(tool.name)) || (mode == Mode::kNamed && tool.name != request_.tool_choice.name)) continue;
      all_strict = all_strict && tool.strict.value_or(false);
      any_strict = any_strict || tool.strict.value_or(false);
      json::Writer t = next(list);
      t.begin_object();
      t.field("type", "function");
      t.key("function");
      t.begin_object();
      t.field("name", tool.name);
      if (!tool.description.empty()) t.field("description", tool.description);
      t.raw_field("parameters", tool.parameters.empty() ? R"({"type":"object","properties":{}})" : tool.parameters);
      t.end_object();
      t.end_object();
    }
    if (list.empty()) return {};
    w.raw_field("tools", "[" + list + "]");
    if (mode == Mode::kNone) w.field("tool_choice", "NONE");
    if (mode == Mode::kAny || mode == Mode::kNamed) w.field("tool_choice", "REQUIRED");
    if (all_strict) w.field("strict_tools", true);
    else if (any_strict) drop("tools.strict");
    if (!request_.parallel_tool_calls.value_or(true)) drop("parallel_tool_calls");
    return {};
  }

  // https://docs.cohere.com/docs/structured-outputs
  void format(json::Writer& w) {
    const ResponseFormat& format = request_.response_format;
    if (format.kind != ResponseFormat::Kind::kJsonObject && format.kind != ResponseFormat::Kind::kJsonSchema) return;
    w.key("response_format");
    w.begin_object();
    w.field("type", "json_object");
    if (!format.schema.empty()) w.raw_field("json_schema", format.schema);
    w.end_object();
  }

  // https://docs.cohere.com/docs/reasoning
  void thinking(json::Writer& w) {
    using Mode = Reasoning::Mode;
    const Reasoning& wish = request_.reasoning;
    if (wish.mode == Mode::kUnset) return;
    const bool off = wish.mode == Mode::kOff || (wish.mode == Mode::kEffort && wish.effort == "none");
    w.key("thinking");
    w.begin_object();
    w.field("type", off ? "disabled" : "enabled");
    if (wish.mode == Mode::kBudget) w.field("token_budget", wish.budget_tokens);
    w.end_object();
    if (wish.mode == Mode::kEffort && !off) drop("reasoning_effort");  // it knows no degrees
  }

  void sampling(json::Writer& w) {
    const Sampling& s = request_.sampling;
    const auto within = [&](const char* name, const char* ours, std::optional<double> value, double low, double high) {
      if (!value) return;
      const double kept = std::clamp(*value, low, high);
      if (kept != *value) drop(ours);
      w.field(name, kept);
    };
    if (request_.max_tokens) w.field("max_tokens", *request_.max_tokens);
    else if (target_.default_max_tokens > 0) w.field("max_tokens", target_.default_max_tokens);
    if (s.temperature) w.field("temperature", *s.temperature);
    within("p", "top_p", s.top_p, 0.01, 0.99);
    if (s.top_k) within("k", "top_k", double(*s.top_k), 0, 500);
    within("frequency_penalty", "frequency_penalty", s.frequency_penalty, 0, 1);
    within("presence_penalty", "presence_penalty", s.presence_penalty, 0, 1);
    if (s.seed) w.field("seed", *s.seed);
    if (!request_.stop.empty()) {
      w.key("stop_sequences");
      w.begin_array();
      for (const std::string& stop : request_.stop) w.string(stop);
      w.end_array();
    }
  }

  void list_dropped() {
    if (!request_.sampling.logit_bias.empty() && request_.sampling.logit_bias != "{}") drop("logit_bias");
    if (!request_.user.empty()) drop("user");
    if (!request_.metadata.empty() && request_.metadata != "{}") drop("metadata");
    if (!request_.service_tier.empty()) drop("service_tier");
  }

  Status extra(json::Writer& w) {
    if (request_.extra.empty()) return {};
    json::Document document;
    const auto members = document.parse_object("{" + request_.extra + "}");
    if (!members) return {};
    Request rest;
    for (const auto field : *members) {
      const bool ours = std::ranges::find(kPassed, field.key) != std::end(kPassed);
      if (ours && target_.keep_unknown) w.raw_field(field.key, json::raw(field.value));
      else add_member(rest.extra, field.key, field.value);
    }
    return drop_extra(rest, out_.dropped);
  }

  const Request& request_;
  const TargetInfo& target_;
  WireRequest out_;
};

}  // namespace

std::string api_path(const TargetInfo& target, std::string_view endpoint) {
  std::string path = target.base_path;
  if (!path.ends_with("/v2")) path += "/v2";
  return path.append(endpoint);
}

Result<WireRequest> write_request(const Request& request, const TargetInfo& target) {
  return RequestWriter(request, target).write();
}

}  // namespace ajar::wire::cohere
