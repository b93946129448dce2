// Our request as Chat Completions says it, for OpenAI and for every server that imitates it.
// https://platform.openai.com/docs/api-reference/chat/create
#include <algorithm>

#include "json/write.h"
#include "wire/fields.h"
#include "wire/outbound.h"
#include "wire/openai/chat.h"
#include "wire/openai/message_write.h"
#include "wire/openai/presets.h"

namespace ajar::wire::openai {
namespace {

class RequestWriter {
 public:
  RequestWriter(const Request& request, const TargetInfo& target)
      : request_(request), target_(target), preset_(find_preset(target.preset)), w_(out_.body) {}

  Result<WireRequest> write() {
    if (preset_.mistral && (request_.logprobs.value_or(false) || request_.top_logprobs.value_or(0) > 0)) {
      return fail(Code::kUnsupported, "the target gives no log probabilities", "logprobs");
    }
    if (!same_dialect()) AJAR_TRY(drop_extra(request_, out_.dropped));
    out_.path = endpoint_path(preset_, target_, "/chat/completions");
    out_.body.reserve(size_hint());
    w_.begin_object();
    w_.field("model", target_.model);
    w_.key("messages");
    w_.begin_array();
    AJAR_TRY(MessageWriter(w_, preset_, target_.keep_unknown, out_.dropped).write(request_.messages));
    w_.end_array();
    AJAR_TRY(tools());
    sampling();
    limits();
    response_format();
    reasoning();
    if (request_.stream) stream();
    user();
    if (!request_.service_tier.empty() && knows("service_tier")) {
      if (same_dialect())
        w_.field("service_tier", request_.service_tier);
      else
        out_.dropped.push_back("service_tier");
    }
    if (!request_.metadata.empty()) {
      if (same_dialect())
        w_.raw_field("metadata", request_.metadata);
      else
        out_.dropped.push_back("metadata");
    }
    extra("", request_.extra);
    w_.end_object();
    return std::move(out_);
  }

 private:
  bool same_dialect() const { return request_.dialect == DialectId::kOpenAiChat; }

  // What Mistral's API answers with 422 is left out. https://docs.mistral.ai/api/#tag/chat
  bool knows(std::string_view member) {
    if (preset_.mistral) out_.dropped.emplace_back(member);
    return !preset_.mistral;
  }

  size_t size_hint() const {
    size_t size = 1024 + request_.extra.size();
    for (const Message& message : request_.messages) {
      size += 64;
      for (const Part& part : message.parts) {
        size += 64 + part.text.size() + part.data.size() + part.arguments.size();
        for (const Part& inner : part.content) size += 64 + inner.text.size() + inner.data.size();
      }
    }
    for (const Tool& tool : request_.tools) {
      size += 64 + tool.description.size() + tool.parameters.size() + tool.raw.size();
    }
    return size + size / 16;
  }

  void extra(std::string_view where, const RawMembers& members) {
    if (members.empty() || !same_dialect()) return;
    if (target_.keep_unknown) return w_.members(members);
    for (const std::string& name : member_names(members))
      out_.dropped.push_back(std::string(where) + name);
  }

  // OpenAI refuses longer ones; other APIs' are as long as their clients like.
  void user() {
    if (request_.user.empty()) return;
    constexpr size_t kMaxUser = 64;
    if (!same_dialect() && request_.user.size() > kMaxUser) return out_.dropped.push_back("user");
    if (knows("user")) w_.field("user", request_.user);
  }

  Status tools() {
    using Mode = ToolChoice::Mode;
    bool any = false;
    size_t index = 0;
    for (const Tool& tool : request_.tools) {
      const std::string where = "tools[" + std::to_string(index++) + "]";
      if (tool.origin != DialectId::kOpenAiChat && !tool.raw.empty()) return refuse_tool(tool, where);
      const auto& allowed = request_.tool_choice.allowed;
      if (!allowed.empty() && std::ranges::find(allowed, tool.name) == allowed.end()) continue;
      if (tool.name.empty() && (tool.origin != DialectId::kOpenAiChat || tool.raw.empty())) {
        out_.dropped.push_back(where);
        continue;
      }
      if (!any) w_.key("tools"), w_.begin_array();
      any = true;
      if (tool.name.empty()) {
        w_.raw(tool.raw);
      } else {
        function(tool, where);
      }
    }
    if (any) w_.end_array();
    const bool none_left = !request_.tools.empty() && !any;
    const ToolChoice& choice = request_.tool_choice;
    if (none_left && choice.mode != Mode::kUnset) {
      out_.dropped.push_back("tool_choice");
    } else if (choice.mode == Mode::kNamed) {
      w_.key("tool_choice");
      w_.begin_object();
      w_.field("type", "function");
      w_.key("function");
      w_.begin_object();
      w_.field("name", choice.name);
      w_.end_object();
      w_.end_object();
    } else if (choice.mode == Mode::kRaw) {
      if (same_dialect())
        w_.raw_field("tool_choice", choice.raw);
      else
        out_.dropped.push_back("tool_choice");
    } else if (choice.mode != Mode::kUnset) {
      w_.field("tool_choice", choice.mode == Mode::kAuto   ? "auto"
                              : choice.mode == Mode::kNone ? "none"
                                                           : "required");
    }
    if (request_.parallel_tool_calls && !none_left)
      w_.field("parallel_tool_calls", *request_.parallel_tool_calls);
    return {};
  }

  void function(const Tool& tool, const std::string& where) {
    w_.begin_object();
    w_.field("type", "function");
    w_.key("function");
    w_.begin_object();
    w_.field("name", tool.name);
    if (!tool.description.empty()) w_.field("description", tool.description);
    if (!tool.parameters.empty()) w_.raw_field("parameters", tool.parameters);
    if (tool.strict) w_.field("strict", *tool.strict);
    extra(where + ".function.", tool.inner_extra);
    w_.end_object();
    if (!tool.cache_control.empty()) {
      if (preset_.cache_control)
        w_.raw_field("cache_control", tool.cache_control);
      else
        out_.dropped.push_back(where + ".cache_control");
    }
    if (!same_dialect()) drop_tool_extra(tool, where, out_.dropped);
    extra(where + ".", tool.extra);
    w_.end_object();
  }

  void sampling() {
    const Sampling& sampling = request_.sampling;
    const auto number = [&](std::string_view name, const std::optional<double>& value) {
      if (value) w_.field(name, *value);
    };
    const auto integer = [&](std::string_view name, const std::optional<int64_t>& value) {
      if (value) w_.field(name, *value);
    };
    number("temperature", sampling.temperature);
    number("top_p", sampling.top_p);
    number("frequency_penalty", sampling.frequency_penalty);
    number("presence_penalty", sampling.presence_penalty);
    const bool openai = preset_.name == "openai" || preset_.name == "azure";
    if (sampling.top_k && openai && !same_dialect()) {
      out_.dropped.push_back("top_k");  // it would be refused; clients of other APIs cannot know
    } else if (sampling.top_k && knows("top_k")) {
      integer("top_k", sampling.top_k);
    }
    integer(preset_.mistral ? "random_seed" : "seed", sampling.seed);
    if (!sampling.logit_bias.empty() && knows("logit_bias")) w_.raw_field("logit_bias", sampling.logit_bias);
    integer("n", request_.n);
    if (preset_.mistral) return;
    if (request_.logprobs) w_.field("logprobs", *request_.logprobs);
    integer("top_logprobs", request_.top_logprobs);
  }

  void limits() {
    int64_t limit = request_.max_tokens.value_or(target_.default_max_tokens);
    const bool own_spelling = same_dialect() && request_.max_tokens.has_value();
    bool newer =
        own_spelling ? request_.max_completion_tokens : preset_.limit == Preset::Limit::kNew;
    if (preset_.limit == Preset::Limit::kOld) newer = false;
    if ((preset_.name == "openai" || preset_.name == "azure") && is_reasoning_model(target_.model))
      newer = true;
    if (limit > 0) w_.field(newer ? "max_completion_tokens" : "max_tokens", limit);
    if (request_.stop.empty()) return;
    if (request_.stop_is_string && request_.stop.size() == 1)
      return w_.field("stop", request_.stop[0]);
    w_.key("stop");
    w_.begin_array();
    for (const std::string& word : request_.stop) w_.string(word);
    w_.end_array();
  }

  void response_format() {
    using Kind = ResponseFormat::Kind;
    const ResponseFormat& format = request_.response_format;
    if (format.kind == Kind::kUnset) return;
    w_.key("response_format");
    w_.begin_object();
    w_.field("type", format.kind == Kind::kText         ? "text"
                     : format.kind == Kind::kJsonObject ? "json_object"
                                                        : "json_schema");
    if (format.kind == Kind::kJsonSchema) {
      w_.key("json_schema");
      w_.begin_object();
      if (!format.name.empty())
        w_.field("name", format.name);
      else if (!same_dialect())
        w_.field("name", "response");  // OpenAI demands one
      if (!format.description.empty()) w_.field("description", format.description);
      if (!format.schema.empty()) w_.raw_field("schema", format.schema);
      if (format.strict) w_.field("strict", *format.strict);
      extra("response_format.json_schema.", format.inner_extra);
      w_.end_object();
    }
    extra("response_format.", format.extra);
    w_.end_object();
  }

  // reasoning_effort, or `reasoning` or `thinking` objects: what the server knows, else as the
  // client said it.
  void reasoning() {
    using Mode = Reasoning::Mode;
    using Effort = Preset::Effort;
    const Reasoning& r = request_.reasoning;
    if (r.mode == Mode::kUnset && r.form.empty()) return;
    std::string_view form = r.form;
    if (preset_.effort == Effort::kWord) form = "";
    if (preset_.effort == Effort::kObject && r.form == "thinking") form = "reasoning";
    if (preset_.effort == Effort::kThinking &&
        (r.form == "reasoning" || (r.form.empty() && r.mode != Mode::kEffort))) {
      form = "thinking";
    }
    const bool own = form == r.form;
    if (form == "reasoning") {
      w_.key("reasoning");
      w_.begin_object();
      if (!r.effort.empty()) w_.field("effort", r.effort);
      if (r.budget_tokens > 0) w_.field("max_tokens", r.budget_tokens);
      if (r.mode == Mode::kOff) w_.field("enabled", false);
      if (r.mode == Mode::kAdaptive) w_.field("enabled", true);
      if (r.include_thoughts) w_.field("exclude", !*r.include_thoughts);
      if (own) extra("reasoning.", r.extra);
      w_.end_object();
    } else if (form == "thinking") {
      w_.key("thinking");
      w_.begin_object();
      const bool said =
          own && target_.keep_unknown && has_member(r.extra, "type");  // a word of its own
      const bool adaptive = r.mode == Mode::kAdaptive && own && preset_.effort != Effort::kThinking;
      if (!said)
        w_.field("type", r.mode == Mode::kOff ? "disabled" : adaptive ? "adaptive" : "enabled");
      if (r.budget_tokens > 0) w_.field("budget_tokens", r.budget_tokens);
      if (own) extra("thinking.", said ? r.extra : without_member(r.extra, "type"));
      w_.end_object();
    } else if (!r.effort.empty()) {
      w_.field("reasoning_effort", !same_dialect() && r.effort == "max" ? "xhigh" : r.effort);
    } else if (r.mode == Mode::kBudget) {
      w_.field("reasoning_effort", r.budget_tokens <= 2048    ? "low"
                                   : r.budget_tokens <= 16384 ? "medium"
                                                              : "high");
    } else if (r.mode != Mode::kAdaptive) {  // adaptive is what such a server does by itself
      out_.dropped.push_back(r.form.empty() ? "reasoning" : r.form);
    }
  }

  void stream() {
    w_.field("stream", true);
    if (!preset_.stream_options) {
      for (const std::string& name : member_names(request_.stream_options_extra)) {
        out_.dropped.push_back("stream_options." + name);
      }
      return;
    }
    w_.key("stream_options");
    w_.begin_object();
    w_.field("include_usage", true);
    extra("stream_options.", request_.stream_options_extra);
    w_.end_object();
  }

  const Request& request_;
  const TargetInfo& target_;
  const Preset& preset_;
  WireRequest out_;
  json::Writer w_;
};

}  // namespace

Result<WireRequest> write_request(const Request& request, const TargetInfo& target) {
  return RequestWriter(request, target).write();
}

}  // namespace ajar::wire::openai
