// Request -> POST /v1/messages. https://docs.claude.com/en/api/messages
#include <algorithm>

#include "base/text.h"
#include "json/read.h"
#include "json/write.h"
#include "wire/anthropic/anthropic.h"
#include "wire/anthropic/content.h"
#include "wire/anthropic/models.h"
#include "wire/anthropic/schema.h"
#include "wire/fields.h"
#include "wire/outbound.h"

namespace ajar::wire::anthropic {
namespace {

constexpr int64_t kMinBudget = 1024;       // the API's least thinking.budget_tokens
constexpr int64_t kOtherMaxTokens = 4096;  // for models whose limit is not known
constexpr size_t kMaxUserId = 256;

struct Thinking {
  enum class Mode : uint8_t { kNone, kBudget, kAdaptive };
  Mode mode = Mode::kNone;
  int64_t budget_tokens = 0;
  std::string effort;  // output_config.effort, or empty
};

class RequestWriter {
 public:
  RequestWriter(const Request& request, const TargetInfo& target)
      : request_(request),
        target_(target),
        traits_(model_traits(target.model)),
        ours_(request.dialect == DialectId::kAnthropic),
        vertex_(target.preset == "vertex-anthropic") {}

  Result<WireRequest> write() {
    if (!ours_) AJAR_TRY(refuse_foreign(request_));
    const bool gemini = request_.dialect == DialectId::kGemini;  // whose words name what is refused
    if (request_.choices() != 1) {
      return fail(Code::kUnsupported, "the target gives one answer per request",
                  gemini ? "generationConfig.candidateCount" : "n");
    }
    if (request_.logprobs.value_or(false) || request_.top_logprobs.value_or(0) > 0) {
      return fail(Code::kUnsupported, "the target gives no log probabilities",
                  gemini ? "generationConfig.responseLogprobs" : "logprobs");
    }
    AJAR_ASSIGN(conversation_, write_conversation(request_, out_.dropped));
    if (!ours_) {
      AJAR_ASSIGN(allowed_, read_allowed_tools(request_.tool_choice));
    }
    AJAR_TRY(write_tools());
    decide_thinking();
    decide_max_tokens();

    json::Writer w(out_.body);
    out_.body.reserve(conversation_.messages.size() + conversation_.system.size() + tools_.size() +
                      512);
    w.begin_object();
    if (vertex_) w.field("anthropic_version", target_.api_version.empty() ? "vertex-2023-10-16" : target_.api_version);
    else w.field("model", target_.model);
    w.field("max_tokens", max_tokens_);
    write_system(w);
    w.key("messages");
    w.begin_array();
    w.members(conversation_.messages);
    w.end_array();
    if (!tools_.empty()) {
      w.key("tools");
      w.begin_array();
      w.members(tools_);
      w.end_array();
      write_tool_choice(w);
    }
    write_thinking(w);
    write_output_config(w);
    write_sampling(w);
    write_stop(w);
    write_rest(w);
    if (request_.stream) w.field("stream", true);
    AJAR_TRY(write_extra(w, request_, ours_, target_.keep_unknown, out_.dropped));
    w.end_object();
    write_head();
    return std::move(out_);
  }

 private:
  void drop(std::string_view name) { wire::drop(out_.dropped, name); }

  Status write_tools() {
    for (size_t i = 0; i < request_.tools.size(); ++i) {
      const Tool& tool = request_.tools[i];
      const std::string field = "tools[" + std::to_string(i) + "]";
      const bool own =
          tool.origin == DialectId::kAnthropic || (tool.origin == DialectId::kNone && ours_);
      if (allowed_ && tool.raw.empty() && !allowed_->has(tool.name)) continue;
      if (!tools_.empty()) tools_.push_back(',');
      json::Writer w(tools_);
      if (!tool.raw.empty()) {
        if (!own)
          return refuse_tool(tool, field);
        w.raw(tool.raw);
        continue;
      }
      const bool strict = tool.strict.value_or(false) && traits_.structured;
      if (tool.strict.value_or(false) && !strict) drop(field + ".strict");
      bool lossy = false;
      RawJson schema = own ? tool.parameters : tool_schema(tool.parameters, lossy);
      if (strict && !own) schema = strict_schema(schema);
      if (lossy) drop(field + ".parameters");
      w.begin_object();
      w.field("name", tool.name);
      if (!tool.description.empty()) w.field("description", tool.description);
      w.raw_field("input_schema", schema);
      if (strict || (own && tool.strict)) w.field("strict", strict);
      if (!tool.cache_control.empty()) w.raw_field("cache_control", tool.cache_control);
      if (own) {
        w.members(tool.extra);
      } else {
        drop_tool_extra(tool, field, out_.dropped);
      }
      w.end_object();
    }
    if (!tools_.empty() || conversation_.called.empty()) return {};
    // The API demands declarations for tools that the history has called, though none may be called
    // now.
    stand_ins_ = true;
    for (const std::string& name : conversation_.called) {
      if (!tools_.empty()) tools_.push_back(',');
      json::Writer w(tools_);
      w.begin_object();
      w.field("name", name);
      w.raw_field("input_schema", R"({"type":"object"})");
      w.end_object();
    }
    return {};
  }

  ToolChoice::Mode choice_mode() const {
    if (stand_ins_) return ToolChoice::Mode::kNone;
    if (allowed_) return allowed_->required ? ToolChoice::Mode::kAny : ToolChoice::Mode::kAuto;
    return request_.tool_choice.mode;
  }
  void write_tool_choice(json::Writer& w) {
    using Mode = ToolChoice::Mode;
    const Mode mode = choice_mode();
    const bool one = !request_.parallel_tool_calls.value_or(true) && mode != Mode::kNone;
    if (mode == Mode::kRaw) return w.raw_field("tool_choice", request_.tool_choice.raw);
    if (mode == Mode::kUnset && !one) return;
    w.key("tool_choice");
    w.begin_object();
    switch (mode) {
      case Mode::kUnset:
      case Mode::kRaw:
      case Mode::kAuto:
        w.field("type", "auto");
        break;
      case Mode::kNone:
        w.field("type", "none");
        break;
      case Mode::kAny:
        w.field("type", "any");
        break;
      case Mode::kNamed:
        w.field("type", "tool");
        w.field("name", request_.tool_choice.name);
        break;
    }
    if (one) w.field("disable_parallel_tool_use", true);
    w.end_object();
  }

  // Whether the target's model takes an Anthropic client's own words as they are.
  bool takes(const Reasoning& wish) const {
    if (!traits_.known) return true;
    if (wish.mode == Reasoning::Mode::kBudget) return traits_.budget;
    if (wish.mode == Reasoning::Mode::kAdaptive) return traits_.adaptive;
    return wish.mode != Reasoning::Mode::kOff || !traits_.always_thinks;
  }

  // Effort and budget are two spellings of one wish; which of them a model takes depends on its
  // age.
  void decide_thinking() {
    using Mode = Reasoning::Mode;
    const Reasoning& wish = request_.reasoning;
    const bool off =
        wish.mode == Mode::kOff || (wish.mode == Mode::kEffort && wish.effort == "none");
    if (wish.mode == Mode::kUnset) return;
    if (ours_ && takes(wish)) {
      as_written_ = true;
      thinking_.effort = wish.effort;
      return;
    }
    if (off) {
      if (traits_.always_thinks) thinking_.effort = "low";
      return;
    }
    if (!traits_.thinking) return drop("reasoning");
    if (traits_.adaptive && wish.mode == Mode::kEffort)
      thinking_.effort = native_effort(wish.effort, traits_);
    if (!traits_.budget && wish.mode == Mode::kBudget) {
      thinking_.effort = native_effort(effort_of_budget(wish.budget_tokens), traits_);
    }
    const bool forced = !tools_.empty() && (choice_mode() == ToolChoice::Mode::kAny ||
                                            choice_mode() == ToolChoice::Mode::kNamed);
    // The API refuses thinking with a forced tool, and with a prefill.
    if (forced || conversation_.prefill) return drop("reasoning");
    if (traits_.adaptive && !(wish.mode == Mode::kBudget && traits_.budget)) {
      thinking_.mode = Thinking::Mode::kAdaptive;
      return;
    }
    if (conversation_.tool_turn_without_thought) return drop("reasoning");
    thinking_.budget_tokens = wish.mode == Mode::kBudget ? std::max(wish.budget_tokens, kMinBudget)
                                                         : budget_of_effort(wish.effort);
    if (request_.max_tokens) {  // the budget must leave room for the answer
      const int64_t room =
          std::max(*request_.max_tokens / 2, std::min(kMinBudget, *request_.max_tokens - 1));
      thinking_.budget_tokens = std::min(
          thinking_.budget_tokens, wish.mode == Mode::kBudget ? *request_.max_tokens - 1 : room);
      if (thinking_.budget_tokens < kMinBudget) return drop("reasoning");
    }
    thinking_.mode = Thinking::Mode::kBudget;
  }

  void decide_max_tokens() {
    const int64_t usual = target_.default_max_tokens > 0 ? target_.default_max_tokens
                          : traits_.known                ? traits_.max_output
                                                         : kOtherMaxTokens;
    max_tokens_ = request_.max_tokens.value_or(usual);
    if (as_written_) return;
    if (thinking_.mode == Thinking::Mode::kBudget && max_tokens_ <= thinking_.budget_tokens) {
      max_tokens_ = thinking_.budget_tokens + usual;
      if (traits_.known) max_tokens_ = std::min(max_tokens_, traits_.max_output);
      if (max_tokens_ <= thinking_.budget_tokens)
        thinking_.budget_tokens = std::max(kMinBudget, max_tokens_ / 2);
    }
  }

  void write_system(json::Writer& w) {
    const ResponseFormat& format = request_.response_format;
    std::string order;  // what the API has no field for
    if (format.kind == ResponseFormat::Kind::kJsonObject) {
      order = "Answer with one valid JSON object and nothing else.";
    } else if (format.kind == ResponseFormat::Kind::kJsonSchema && !traits_.structured) {
      order =
          "Answer with one JSON value and nothing else. It must conform to this JSON Schema:\n" +
          format.schema;
      drop("response_format.strict");
    }
    if (order.empty() && conversation_.system_blocks == 0) return;
    if (order.empty() && !conversation_.system_plain.empty())
      return w.field("system", conversation_.system_plain);
    w.key("system");
    w.begin_array();
    w.members(conversation_.system);
    if (!order.empty()) {
      w.begin_object();
      w.field("type", "text");
      w.field("text", order);
      w.end_object();
    }
    w.end_array();
  }

  void write_thinking(json::Writer& w) {
    using Mode = Reasoning::Mode;
    const Reasoning& wish = request_.reasoning;
    if (as_written_) {
      if (wish.mode == Mode::kUnset || wish.mode == Mode::kEffort) return;
      w.key("thinking");
      w.begin_object();
      w.field("type", wish.mode == Mode::kOff      ? "disabled"
                      : wish.mode == Mode::kBudget ? "enabled"
                                                   : "adaptive");
      if (wish.mode == Mode::kBudget) w.field("budget_tokens", wish.budget_tokens);
      w.members(wish.extra);
      w.end_object();
      return;
    }
    if (thinking_.mode == Thinking::Mode::kNone) return;
    w.key("thinking");
    w.begin_object();
    if (thinking_.mode == Thinking::Mode::kBudget) {
      w.field("type", "enabled");
      w.field("budget_tokens", thinking_.budget_tokens);
    } else {
      w.field("type", "adaptive");
      // Newer models keep their thoughts to themselves unless asked.
      if (!traits_.budget) {
        w.field("display",
                request_.reasoning.include_thoughts.value_or(true) ? "summarized" : "omitted");
      }
    }
    w.end_object();
  }

  void write_output_config(json::Writer& w) {
    const bool schema =
        request_.response_format.kind == ResponseFormat::Kind::kJsonSchema && traits_.structured;
    const RawMembers& rest = request_.response_format.extra;
    const bool more = ours_ && !rest.empty();
    if (thinking_.effort.empty() && !schema && !more) return;
    w.key("output_config");
    w.begin_object();
    if (!thinking_.effort.empty()) w.field("effort", thinking_.effort);
    if (schema) {
      w.key("format");
      w.begin_object();
      w.field("type", "json_schema");
      const RawJson& wanted = request_.response_format.schema;
      w.raw_field("schema", ours_ ? wanted
                                  : strict_schema(wanted.empty() ? R"({"type":"object"})" : wanted));
      if (ours_) w.members(request_.response_format.inner_extra);
      w.end_object();
    }
    if (more) w.members(rest);
    w.end_object();
  }

  void write_sampling(json::Writer& w) {
    const Sampling& s = request_.sampling;
    const bool thinks = !as_written_ && thinking_.mode != Thinking::Mode::kNone;
    bool temperature_written = false;
    if (s.temperature) {
      const double value = std::clamp(*s.temperature, 0.0, 1.0);
      if (!traits_.sampling || (thinks && value != 1.0)) {
        if (value != 1.0 || *s.temperature != value) drop("temperature");
      } else {
        if (value != *s.temperature) drop("temperature");
        w.field("temperature", value);
        temperature_written = true;
      }
    }
    if (s.top_p) {
      const bool both = temperature_written && !traits_.temperature_and_top_p;
      if (!traits_.sampling || both || (thinks && *s.top_p < 0.95)) {
        if (*s.top_p != 1.0) drop("top_p");
      } else {
        w.field("top_p", *s.top_p);
      }
    }
    if (s.top_k) {
      if (traits_.sampling && !thinks) {
        w.field("top_k", *s.top_k);
      } else {
        drop("top_k");
      }
    }
    if (s.frequency_penalty.value_or(0) != 0) drop("frequency_penalty");
    if (s.presence_penalty.value_or(0) != 0) drop("presence_penalty");
    if (s.seed) drop("seed");
    if (!s.logit_bias.empty() && s.logit_bias != "{}") drop("logit_bias");
  }

  void write_stop(json::Writer& w) {
    bool open = false;
    for (const std::string& stop : request_.stop) {
      if (blank(stop)) {  // the API refuses these
        drop("stop");
        continue;
      }
      if (!open) {
        w.key("stop_sequences");
        w.begin_array();
        open = true;
      }
      w.string(stop);
    }
    if (open) w.end_array();
  }

  void write_rest(json::Writer& w) {
    RawMembers more;
    if (ours_ && request_.metadata.size() > 2) {
      more = request_.metadata.substr(1, request_.metadata.size() - 2);
    } else if (!request_.metadata.empty() && request_.metadata != "{}") {
      drop("metadata");
    }
    const bool user = !request_.user.empty() && request_.user.size() <= kMaxUserId;
    if (!request_.user.empty() && !user) drop("user");
    if (user || !more.empty()) {
      w.key("metadata");
      w.begin_object();
      if (user) w.field("user_id", request_.user);
      w.members(more);
      w.end_object();
    }
    // https://docs.claude.com/en/api/service-tiers
    const std::string& tier = request_.service_tier;
    if (tier == "auto" || tier == "standard_only" || (ours_ && !tier.empty())) {
      w.field("service_tier", tier);
    } else if (tier == "default") {
      w.field("service_tier", "standard_only");
    } else if (!tier.empty()) {
      drop("service_tier");
    }
  }

  void write_head() {
    if (vertex_) return write_vertex_head();
    std::string_view base = target_.base_path;
    while (base.ends_with('/')) base.remove_suffix(1);
    out_.path = std::string(base) + (base.ends_with("/v1") ? "/messages" : "/v1/messages");
    out_.headers.emplace_back("anthropic-version",
                              target_.api_version.empty() ? "2023-06-01" : target_.api_version);
    write_betas();
  }

  // What the client asks for, and what its files need.
  void write_betas() {
    constexpr std::string_view kFiles = "files-api-2025-04-14";
    std::string betas = request_.betas;
    if (conversation_.uses_files && betas.find(kFiles) == betas.npos) {
      if (!betas.empty()) betas.push_back(',');
      betas += kFiles;
    }
    if (!betas.empty()) out_.headers.emplace_back("anthropic-beta", std::move(betas));
  }

  // https://docs.claude.com/en/api/claude-on-vertex-ai
  void write_vertex_head() {
    out_.path = target_.base_path + "/models/" + percent_encode(target_.model) +
                (request_.stream ? ":streamRawPredict" : ":rawPredict");
    write_betas();
  }

  const Request& request_;
  const TargetInfo& target_;
  const ModelTraits traits_;
  const bool ours_;
  const bool vertex_;  // Google's Vertex AI: the model and the version stand elsewhere
  WireRequest out_;
  Conversation conversation_;
  std::string tools_;       // comma-separated
  bool stand_ins_ = false;  // tools_ were made up from the history
  std::optional<AllowedTools> allowed_;
  Thinking thinking_;
  bool as_written_ = false;  // an Anthropic client's wish for thinking, passed on
  int64_t max_tokens_ = 0;
};

}  // namespace

Result<WireRequest> write_request(const Request& request, const TargetInfo& target) {
  return RequestWriter(request, target).write();
}

}  // namespace ajar::wire::anthropic
