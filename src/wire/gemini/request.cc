// Request -> POST models/{model}:generateContent. https://ai.google.dev/api/generate-content
#include <algorithm>

#include "base/text.h"
#include "json/write.h"
#include "wire/fields.h"
#include "wire/gemini/content.h"
#include "wire/gemini/gemini.h"
#include "wire/gemini/models.h"
#include "wire/gemini/path.h"
#include "wire/gemini/schema.h"
#include "wire/outbound.h"

namespace ajar::wire::gemini {

std::string model_path(const TargetInfo& target) {
  std::string_view base = target.base_path, model = target.model;
  while (base.ends_with('/')) base.remove_suffix(1);
  std::string path(base);
  if (model.find('/') == std::string_view::npos) path += "/models";
  for (const std::string_view step : split(model, '/')) path += "/" + percent_encode(step);
  return path;
}

namespace {

class RequestWriter {
 public:
  RequestWriter(const Request& request, const TargetInfo& target)
      : request_(request),
        target_(target),
        traits_(model_traits(target.model)),
        ours_(request.dialect == DialectId::kGemini) {}

  Result<WireRequest> write() {
    if (!ours_) AJAR_TRY(refuse_foreign(request_));
    AJAR_ASSIGN(const Conversation conversation,
                write_conversation(request_, traits_, out_.dropped));
    json::Writer w(out_.body);
    out_.body.reserve(conversation.contents.size() + conversation.system.size() + 1024);
    w.begin_object();
    w.key("contents");
    w.begin_array();
    w.members(conversation.contents);
    w.end_array();
    if (!conversation.system.empty()) {
      w.key("systemInstruction");
      w.begin_object();
      w.key("parts");
      w.begin_array();
      w.members(conversation.system);
      w.end_array();
      w.end_object();
    }
    if (!ours_) {
      AJAR_ASSIGN(allowed_, read_allowed_tools(request_.tool_choice));
    }
    AJAR_TRY(write_tools(w));
    write_tool_choice(w);
    write_generation_config(w);
    if (ours_) {
      Request rest;
      rest.extra = without_member(request_.extra, "generationConfig");
      AJAR_TRY(write_extra(w, rest, true, target_.keep_unknown, out_.dropped));
    } else {
      AJAR_TRY(drop_extra(request_, out_.dropped));
    }
    w.end_object();
    list_dropped();
    out_.path = model_path(target_) +
                (request_.stream ? ":streamGenerateContent?alt=sse" : ":generateContent");
    return std::move(out_);
  }

 private:
  void drop(std::string_view name) { wire::drop(out_.dropped, name); }

  Status write_tools(json::Writer& w) {
    std::string functions, others;
    for (size_t i = 0; i < request_.tools.size(); ++i) {
      const Tool& tool = request_.tools[i];
      const std::string field = "tools[" + std::to_string(i) + "]";
      const bool own =
          tool.origin == DialectId::kGemini || (tool.origin == DialectId::kNone && ours_);
      if (allowed_ && tool.raw.empty() && !allowed_->has(tool.name)) continue;
      std::string& list = tool.raw.empty() ? functions : others;
      if (!list.empty()) list.push_back(',');
      json::Writer tool_writer(list);
      if (!tool.raw.empty()) {
        if (!own)
          return refuse_tool(tool, field);
        tool_writer.raw(tool.raw);
        continue;
      }
      if (tool.strict.value_or(false)) drop(field + ".strict");
      tool_writer.begin_object();
      tool_writer.field("name", tool.name);
      if (!tool.description.empty()) tool_writer.field("description", tool.description);
      if (ours_ && tool.origin == DialectId::kGemini) {  // as the client wrote it
        if (!tool.inner_extra.empty()) {
          tool_writer.members(tool.inner_extra);
        } else if (!tool.parameters.empty()) {
          tool_writer.raw_field("parametersJsonSchema", tool.parameters);
        }
      } else if (!takes_nothing(tool.parameters)) {
        if (traits_.json_schema) {
          tool_writer.raw_field("parametersJsonSchema", json_schema(tool.parameters));
        } else {
          tool_writer.raw_field("parameters", openapi_schema(tool.parameters));
        }
      }
      if (!tool.cache_control.empty()) drop("cache_control");
      if (own) {
        tool_writer.members(tool.extra);
      } else {
        drop_tool_extra(tool, field, out_.dropped);
      }
      tool_writer.end_object();
    }
    if (functions.empty() && others.empty()) return {};
    has_functions_ = !functions.empty();
    w.key("tools");
    w.begin_array();
    if (has_functions_) {
      w.begin_object();
      w.raw_field("functionDeclarations", "[" + functions + "]");
      w.end_object();
    }
    w.members(others);
    w.end_array();
    return {};
  }

  void write_tool_choice(json::Writer& w) {
    using Mode = ToolChoice::Mode;
    Mode mode = request_.tool_choice.mode;
    if (allowed_) mode = allowed_->required ? Mode::kAny : Mode::kAuto;
    if (mode == Mode::kRaw || (ours_ && !request_.tool_choice.raw.empty())) return w.raw_field("toolConfig", request_.tool_choice.raw);
    if (!has_functions_) return;
    if (!request_.parallel_tool_calls.value_or(true)) drop("parallel_tool_calls");
    if (mode == Mode::kUnset) return;
    w.key("toolConfig");
    w.begin_object();
    w.key("functionCallingConfig");
    w.begin_object();
    w.field("mode", mode == Mode::kAuto ? "AUTO" : mode == Mode::kNone ? "NONE" : "ANY");
    if (mode == Mode::kNamed) {
      w.key("allowedFunctionNames");
      w.begin_array();
      w.string(request_.tool_choice.name);
      w.end_array();
    }
    w.end_object();
    w.end_object();
  }

  void write_generation_config(json::Writer& outer) {
    const Sampling& s = request_.sampling;
    std::string config;
    json::Writer w(config);
    if (s.temperature) w.field("temperature", *s.temperature);
    if (s.top_p) w.field("topP", *s.top_p);
    if (s.top_k) w.field("topK", *s.top_k);
    if (request_.max_tokens) w.field("maxOutputTokens", *request_.max_tokens);
    if (request_.n && *request_.n > 1) w.field("candidateCount", *request_.n);
    if (s.seed) w.field("seed", *s.seed);
    if (s.presence_penalty) w.field("presencePenalty", *s.presence_penalty);
    if (s.frequency_penalty) w.field("frequencyPenalty", *s.frequency_penalty);
    std::string stops;
    for (const std::string& stop : request_.stop) {
      if (stop.empty()) continue;
      if (!stops.empty()) stops.push_back(',');
      json::append_string(stops, stop);
    }
    if (!stops.empty()) w.raw_field("stopSequences", "[" + stops + "]");
    if (request_.logprobs.value_or(false)) {
      w.field("responseLogprobs", true);
      if (request_.top_logprobs) w.field("logprobs", *request_.top_logprobs);
    }
    write_format(w);
    write_thinking(w);
    if (ours_) write_config_extra(w);
    if (!config.empty()) outer.raw_field("generationConfig", "{" + config + "}");
  }

  // The members of a Gemini client's generationConfig that have no words of ours.
  void write_config_extra(json::Writer& w) {
    if (request_.extra.find("\"generationConfig\"") == std::string::npos) return;
    json::Document document;
    const auto extra = document.parse_object("{" + request_.extra + "}");
    const auto config = extra ? json::find(*extra, "generationConfig") : std::nullopt;
    const auto members = config ? json::as_object(*config) : std::nullopt;
    if (!members) return;
    for (const auto field : *members) {
      if (target_.keep_unknown) {
        w.raw_field(field.key, json::raw(field.value));
      } else {
        drop("generationConfig." + std::string(field.key));
      }
    }
  }

  void write_format(json::Writer& w) {
    const ResponseFormat& format = request_.response_format;
    if (ours_ && format.kind == ResponseFormat::Kind::kText) w.field("responseMimeType", "text/plain");
    if (format.kind != ResponseFormat::Kind::kJsonObject &&
        format.kind != ResponseFormat::Kind::kJsonSchema)
      return;
    w.field("responseMimeType", "application/json");
    if (format.kind == ResponseFormat::Kind::kJsonObject || format.schema.empty()) return;
    if (ours_) {
      if (!format.inner_extra.empty()) return w.members(format.inner_extra);
      return w.raw_field("responseJsonSchema", format.schema);
    }
    if (traits_.json_schema) {
      w.raw_field("responseJsonSchema", json_schema(format.schema));
    } else {
      w.raw_field("responseSchema", openapi_schema(format.schema));
    }
  }

  void write_thinking(json::Writer& w) {
    using Mode = Reasoning::Mode;
    using Thinking = ModelTraits::Thinking;
    const Reasoning& wish = request_.reasoning;
    if (wish.mode == Mode::kUnset && !wish.include_thoughts) return;
    if (traits_.thinking == Thinking::kNone && !ours_) {
      if (wish.mode != Mode::kUnset && wish.mode != Mode::kOff) drop("reasoning");
      return;
    }
    const bool off = wish.off();
    w.key("thinkingConfig");
    w.begin_object();
    if (ours_ && wish.mode == Mode::kEffort) {
      w.field("thinkingLevel", wish.effort);
    } else if (ours_ && wish.mode != Mode::kEffort) {  // as the client wrote it
      if (wish.mode != Mode::kUnset)
        w.field("thinkingBudget", wish.mode == Mode::kOff        ? 0
                                  : wish.mode == Mode::kAdaptive ? -1
                                                                 : wish.budget_tokens);
    } else if (wish.mode == Mode::kBudget) {  // understood by level models too
      w.field("thinkingBudget",
              std::clamp(wish.budget_tokens, traits_.min_budget, traits_.max_budget));
    } else if (off || wish.mode == Mode::kEffort || !wish.effort.empty()) {
      const std::string_view effort = off ? std::string_view("none") : wish.effort;
      if (traits_.thinking == Thinking::kLevel) {
        w.field("thinkingLevel", level_of_effort(effort, traits_));
      } else {
        w.field("thinkingBudget", budget_of_effort(effort, traits_));
      }
    } else if (wish.mode == Mode::kAdaptive && traits_.thinking == Thinking::kBudget) {
      w.field("thinkingBudget", -1);
    }
    const bool show = wish.include_thoughts.value_or(wish.mode != Mode::kUnset && !off);
    if (show || (wish.include_thoughts && !(ours_ && wish.mode != Mode::kUnset)))
      w.field("includeThoughts", show);
    if (ours_) w.members(wish.extra);
    w.end_object();
  }

  void list_dropped() {
    if (!request_.sampling.logit_bias.empty() && request_.sampling.logit_bias != "{}")
      drop("logit_bias");
    if (!request_.user.empty()) drop("user");
    if (!request_.metadata.empty() && request_.metadata != "{}") drop("metadata");
    if (!request_.service_tier.empty()) drop("service_tier");
  }

  const Request& request_;
  const TargetInfo& target_;
  const ModelTraits traits_;
  const bool ours_;
  WireRequest out_;
  bool has_functions_ = false;
  std::optional<AllowedTools> allowed_;
};

}  // namespace

Result<WireRequest> write_request(const Request& request, const TargetInfo& target) {
  return RequestWriter(request, target).write();
}

}  // namespace ajar::wire::gemini
