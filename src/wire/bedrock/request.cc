// Request -> POST /model/{id}/converse or /converse-stream.
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
#include <algorithm>

#include "base/text.h"
#include "json/read.h"
#include "json/write.h"
#include "wire/bedrock/bedrock.h"
#include "wire/bedrock/content.h"
#include "wire/bedrock/models.h"
#include "wire/fields.h"
#include "wire/outbound.h"

namespace ajar::wire::bedrock {
namespace {

using Family = ModelTraits::Family;

constexpr int64_t kMinBudget = 1024;  // Claude's least thinking.budget_tokens

// Members of Converse's own body that a client of any dialect may send: no other API has these names.
constexpr std::string_view kPassed[] = {"guardrailConfig", "performanceConfig", "requestMetadata", "promptVariables",
                                        "additionalModelResponseFieldPaths"};

class RequestWriter {
 public:
  RequestWriter(const Request& request, const TargetInfo& target)
      : request_(request), target_(target), traits_(model_traits(target.model)) {}

  Result<WireRequest> write() {
    if (request_.choices() != 1) return fail(Code::kUnsupported, "the target gives one answer per request", "n");
    if (request_.logprobs.value_or(false) || request_.top_logprobs.value_or(0) > 0) {
      return fail(Code::kUnsupported, "the target gives no log probabilities", "logprobs");
    }
    AJAR_ASSIGN(conversation_, write_conversation(request_, out_.dropped));
    AJAR_ASSIGN(allowed_, read_allowed_tools(request_.tool_choice));
    AJAR_TRY(write_tools());
    decide_thinking();

    json::Writer w(out_.body);
    w.begin_object();
    w.raw_field("messages", "[" + conversation_.messages + "]");
    write_system(w);
    if (!tools_.empty()) write_tool_config(w);
    write_inference(w);
    AJAR_TRY(write_extra_members(w));
    if (!fields_.empty()) w.raw_field("additionalModelRequestFields", "{" + fields_ + "}");
    write_format(w);
    write_tier(w);
    list_dropped();
    w.end_object();
    out_.path = target_.base_path + "/model/" + percent_encode(target_.model) +
                (request_.stream ? "/converse-stream" : "/converse");
    return std::move(out_);
  }

 private:
  void drop(std::string_view name) { wire::drop(out_.dropped, name); }

  Status write_tools() {
    using Mode = ToolChoice::Mode;
    const Mode mode = request_.tool_choice.mode;
    if (mode == Mode::kNone) {
      if (!conversation_.called.empty()) {
        return fail(Code::kUnsupported, "the target cannot be kept from calling tools that the conversation has called",
                    "tool_choice");
      }
      return {};
    }
    for (size_t i = 0; i < request_.tools.size(); ++i) {
      const Tool& tool = request_.tools[i];
      const std::string field = "tools[" + std::to_string(i) + "]";
      if (allowed_ && tool.raw.empty() && !allowed_->has(tool.name)) continue;
      if (!tool.raw.empty()) {
        if (tool.origin != DialectId::kBedrock) {
          return fail(Code::kUnsupported, "the target does not have this built-in tool", field);
        }
        json::Writer(comma(tools_)).raw(tool.raw);
        continue;
      }
      write_tool(tool.name, tool.description, tool.parameters);
      if (tool.strict.value_or(false)) drop(field + ".strict");
      if (!tool.cache_control.empty()) json::Writer(comma(tools_)).raw(cache_point(tool.cache_control));
    }
    if (!tools_.empty()) return {};
    // The API demands declarations for tools that the history has called.
    for (const std::string& name : conversation_.called) write_tool(name, "", R"({"type":"object"})");
    return {};
  }
  static std::string& comma(std::string& list) {
    if (!list.empty()) list.push_back(',');
    return list;
  }
  void write_tool(std::string_view name, std::string_view description, std::string_view schema) {
    json::Writer w(comma(tools_));
    w.begin_object();
    w.key("toolSpec");
    w.begin_object();
    w.field("name", name);
    if (!description.empty()) w.field("description", description);
    w.key("inputSchema");
    w.begin_object();
    w.raw_field("json", schema.empty() ? std::string_view(R"({"type":"object","properties":{}})") : schema);
    w.end_object();
    w.end_object();
    w.end_object();
  }

  ToolChoice::Mode choice_mode() const {
    if (allowed_) return allowed_->required ? ToolChoice::Mode::kAny : ToolChoice::Mode::kAuto;
    return request_.tool_choice.mode;
  }
  void write_tool_config(json::Writer& w) {
    using Mode = ToolChoice::Mode;
    w.key("toolConfig");
    w.begin_object();
    w.raw_field("tools", "[" + tools_ + "]");
    if (choice_mode() == Mode::kAuto) {
      w.raw_field("toolChoice", R"({"auto":{}})");
    } else if (choice_mode() == Mode::kAny) {
      w.raw_field("toolChoice", R"({"any":{}})");
    } else if (choice_mode() == Mode::kNamed) {
      w.key("toolChoice");
      w.begin_object();
      w.key("tool");
      w.begin_object();
      w.field("name", request_.tool_choice.name);
      w.end_object();
      w.end_object();
    }
    w.end_object();
    if (!request_.parallel_tool_calls.value_or(true)) drop("parallel_tool_calls");
  }

  void write_system(json::Writer& w) {
    const ResponseFormat& format = request_.response_format;
    std::string order;  // what the API has no field for
    if (format.kind == ResponseFormat::Kind::kJsonObject) {
      order = "Answer with one valid JSON object and nothing else.";
    } else if (format.kind == ResponseFormat::Kind::kJsonSchema && !traits_.structured) {
      order = "Answer with one JSON value and nothing else. It must conform to this JSON Schema:\n" + format.schema;
      drop("response_format.strict");
    }
    std::string blocks = std::move(conversation_.system);
    if (!order.empty()) {
      json::Writer block(comma(blocks));
      block.begin_object();
      block.field("text", order);
      block.end_object();
    }
    if (!blocks.empty()) w.raw_field("system", "[" + blocks + "]");
  }

  // https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
  // https://docs.aws.amazon.com/nova/latest/nova2-userguide/using-converse-api.html
  void decide_thinking() {
    using Mode = Reasoning::Mode;
    const Reasoning& wish = request_.reasoning;
    const bool off = wish.off();
    if (wish.mode == Mode::kUnset || off) return;
    if (!traits_.thinking) return drop("reasoning");
    json::Writer w(fields_);
    const std::string_view effort = wish.mode == Mode::kBudget   ? effort_of_budget(wish.budget_tokens)
                                    : wish.mode == Mode::kEffort ? plain_effort(wish.effort)
                                                                 : std::string_view("medium");
    if (traits_.family == Family::kGptOss) return w.field("reasoning_effort", effort);
    if (traits_.family == Family::kNova) {
      w.key("reasoningConfig");
      w.begin_object();
      w.field("type", "enabled");
      w.field("maxReasoningEffort", effort);
      w.end_object();
      return;
    }
    // Claude refuses to think with a forced tool, a prefill, and after a turn of calls without thoughts.
    const bool forced = choice_mode() == ToolChoice::Mode::kAny || choice_mode() == ToolChoice::Mode::kNamed;
    if ((forced && !tools_.empty()) || conversation_.prefill) return drop("reasoning");
    if (!traits_.budget) {
      w.raw_field("thinking", R"({"type":"adaptive"})");
      if (wish.mode != Mode::kAdaptive) {
        w.key("output_config");
        w.begin_object();
        w.field("effort", effort);
        w.end_object();
      }
      thinks_ = true;
      return;
    }
    if (conversation_.tool_turn_without_thought) return drop("reasoning");
    int64_t budget = wish.mode == Mode::kBudget ? std::max(wish.budget_tokens, kMinBudget) : budget_of_effort(wish.effort);
    const auto limit = max_tokens();
    if (limit) budget = std::min(budget, wish.mode == Mode::kBudget ? *limit - 1 : std::max(*limit / 2, std::min(kMinBudget, *limit - 1)));
    if (budget < kMinBudget) return drop("reasoning");
    w.key("thinking");
    w.begin_object();
    w.field("type", "enabled");
    w.field("budget_tokens", budget);
    w.end_object();
    thinks_ = true;
  }

  std::optional<int64_t> max_tokens() const {
    if (request_.max_tokens) return request_.max_tokens;
    return target_.default_max_tokens > 0 ? std::optional(target_.default_max_tokens) : std::nullopt;
  }

  void write_inference(json::Writer& outer) {
    const Sampling& s = request_.sampling;
    const bool claude = traits_.family == Family::kClaude;
    std::string members;
    json::Writer w(members);
    if (const auto limit = max_tokens()) w.field("maxTokens", *limit);
    bool temperature_written = false;
    if (s.temperature) {
      const double value = std::clamp(*s.temperature, 0.0, 1.0);
      if (value != *s.temperature || !traits_.sampling || (thinks_ && value != 1.0)) drop("temperature");
      if (traits_.sampling && !(thinks_ && value != 1.0)) {
        w.field("temperature", value);
        temperature_written = true;
      }
    }
    if (s.top_p) {
      const bool both = temperature_written && !traits_.temperature_and_top_p;
      if (!traits_.sampling || both || (thinks_ && *s.top_p < 0.95)) drop("top_p");
      else w.field("topP", *s.top_p);
    }
    if (!request_.stop.empty()) {
      std::string stops;
      for (const std::string& stop : request_.stop) {
        if (blank(stop) && claude) drop("stop");  // it refuses these
        else json::append_string(comma(stops), stop);
      }
      if (!stops.empty()) w.raw_field("stopSequences", "[" + stops + "]");
    }
    if (!members.empty()) outer.raw_field("inferenceConfig", "{" + members + "}");
    if (!s.top_k) return;
    const std::string k = std::to_string(*s.top_k);
    if (claude && traits_.sampling && !thinks_) add_member(fields_, "top_k", k);
    else if (traits_.family == Family::kNova) add_member(fields_, "inferenceConfig", "{\"topK\":" + k + "}");
    else drop("top_k");
  }

  // https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
  void write_format(json::Writer& w) {
    const ResponseFormat& format = request_.response_format;
    if (format.kind != ResponseFormat::Kind::kJsonSchema || !traits_.structured) return;
    w.key("outputConfig");
    w.begin_object();
    w.key("textFormat");
    w.begin_object();
    w.field("type", "json_schema");
    w.key("structure");
    w.begin_object();
    w.key("jsonSchema");
    w.begin_object();
    w.field("schema", format.schema.empty() ? R"({"type":"object"})" : format.schema);
    w.field("name", format.name.empty() ? "response" : format.name);
    if (!format.description.empty()) w.field("description", format.description);
    w.end_object();
    w.end_object();
    w.end_object();
    w.end_object();
  }

  void write_tier(json::Writer& w) {
    const std::string& tier = request_.service_tier;
    if (tier == "priority" || tier == "flex" || tier == "default") {
      w.key("serviceTier");
      w.begin_object();
      w.field("type", tier);
      w.end_object();
    } else if (!tier.empty()) {
      drop("service_tier");
    }
  }

  Status write_extra_members(json::Writer& w) {
    if (request_.extra.empty()) return {};
    json::Document document;
    const auto members = document.parse_object("{" + request_.extra + "}");
    if (!members) return {};
    Request rest;
    for (const auto field : *members) {
      const bool ours = std::ranges::find(kPassed, field.key) != std::end(kPassed);
      if (target_.keep_unknown && ours) {
        w.raw_field(field.key, json::raw(field.value));
      } else if (target_.keep_unknown && field.key == "additionalModelRequestFields" && field.value.is_object()) {
        const std::string raw = json::raw(field.value);
        if (raw.size() > 2) merge_members(fields_, raw.substr(1, raw.size() - 2));
      } else {
        add_member(rest.extra, field.key, field.value);
      }
    }
    return drop_extra(rest, out_.dropped);
  }

  void list_dropped() {
    const Sampling& s = request_.sampling;
    if (s.frequency_penalty.value_or(0) != 0) drop("frequency_penalty");
    if (s.presence_penalty.value_or(0) != 0) drop("presence_penalty");
    if (s.seed) drop("seed");
    if (!s.logit_bias.empty() && s.logit_bias != "{}") drop("logit_bias");
    if (!request_.user.empty()) drop("user");
    if (!request_.metadata.empty() && request_.metadata != "{}") drop("metadata");
  }

  const Request& request_;
  const TargetInfo& target_;
  const ModelTraits traits_;
  WireRequest out_;
  Conversation conversation_;
  std::optional<AllowedTools> allowed_;
  std::string tools_;   // comma-separated
  RawMembers fields_;   // additionalModelRequestFields
  bool thinks_ = false;
};

}  // namespace

Result<WireRequest> write_request(const Request& request, const TargetInfo& target) {
  return RequestWriter(request, target).write();
}

}  // namespace ajar::wire::bedrock
