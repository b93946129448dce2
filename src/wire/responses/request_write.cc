// Request -> POST /responses. https://platform.openai.com/docs/api-reference/responses/create
#include "wire/responses/request_write.h"

#include <algorithm>

#include "base/text.h"
#include "json/read.h"
#include "wire/fields.h"
#include "wire/outbound.h"
#include "wire/responses/item_write.h"
#include "wire/responses/object.h"
#include "wire/responses/responses.h"

namespace ajar::wire::responses {
namespace {

// The members of the value of `name` among raw members.
RawMembers inside(const RawMembers& members, std::string_view name) {
  if (!has_member(members, name)) return {};
  json::Document document;
  const auto object = document.parse_object("{" + members + "}");
  const auto value = object ? json::find(*object, name) : std::nullopt;
  std::string raw = value ? json::raw(*value) : std::string();
  return raw.size() > 2 ? raw.substr(1, raw.size() - 2) : RawMembers();
}

class RequestWriter {
 public:
  RequestWriter(const Request& request, const TargetInfo& target)
      : request_(request),
        target_(target),
        w_(out_.body),
        ours_(request.dialect == DialectId::kOpenAiResponses) {}

  Result<WireRequest> write() {
    if (request_.choices() != 1) return fail(Code::kUnsupported, "the target gives one answer per request", "n");
    if (!request_.stop.empty()) return fail(Code::kUnsupported, "the target has no stop sequences", "stop");
    out_.path = target_.base_path + "/responses";
    if (!target_.api_version.empty()) out_.path += "?api-version=" + percent_encode(target_.api_version);
    w_.begin_object();
    w_.field("model", target_.model);
    AJAR_TRY(input());
    AJAR_TRY(tools());
    settings();
    text();
    AJAR_TRY(reasoning());
    state();
    if (request_.stream) {
      w_.field("stream", true);
      if (ours_ && !request_.stream_options_extra.empty()) {
        w_.raw_field("stream_options", "{" + request_.stream_options_extra + "}");
      }
    }
    RawMembers rest = request_.extra;
    if (ours_) {
      for (const std::string_view name : {"text", "include"}) rest = without_member(rest, name);
    }
    if (!ours_) {
      AJAR_TRY(drop_extra(request_, out_.dropped));
    } else if (target_.keep_unknown) {
      w_.members(rest);
    } else {
      for (const std::string& name : member_names(rest)) drop(name);
    }
    w_.end_object();
    return std::move(out_);
  }

 private:
  void drop(std::string_view name) { wire::drop(out_.dropped, name); }

  // Instructions that a client of another dialect gave at the beginning are instructions here, too; later ones stay turns.
  Status input() {
    std::vector<Message> rest;
    const std::vector<Message>* messages = &request_.messages;
    if (ours_) {
      if (const Part* text = instructions_of(request_)) w_.field("instructions", text->text);
    }
    if (ours_ && request_.messages.empty()) return {};
    w_.key("input");
    w_.begin_array();
    AJAR_TRY(ItemWriter(w_, {.keep_unknown = target_.keep_unknown}, out_.dropped).write(*messages));
    w_.end_array();
    return {};
  }

  Status tools() {
    bool any = false;
    for (size_t i = 0; i < request_.tools.size(); ++i) {
      const Tool& tool = request_.tools[i];
      const std::string field = "tools[" + std::to_string(i) + "]";
      if (!any) w_.key("tools"), w_.begin_array();
      any = true;
      if (tool.name.empty()) {
        if (tool.origin == DialectId::kOpenAiResponses) {
          w_.raw(tool.raw);
        } else if (!custom_tool(tool)) {
          return refuse_tool(tool, field);
        }
        continue;
      }
      if (!tool.cache_control.empty()) drop(field + ".cache_control");
      write_function(w_, tool, tool.origin == DialectId::kOpenAiResponses && target_.keep_unknown);
    }
    if (any) w_.end_array();
    if (request_.tool_choice.mode == ToolChoice::Mode::kRaw && !ours_) {
      AJAR_ASSIGN(const auto allowed, read_allowed_tools(request_.tool_choice));
      if (allowed) allowed_tools(*allowed);
    } else if (request_.tool_choice.mode != ToolChoice::Mode::kUnset) {
      w_.key("tool_choice");
      write_tool_choice(w_, request_.tool_choice);
    }
    if (request_.parallel_tool_calls) w_.field("parallel_tool_calls", *request_.parallel_tool_calls);
    return {};
  }

  // Chat Completions nests what this API has flat.
  bool custom_tool(const Tool& tool) {
    json::Document document;
    const auto object = document.parse_object(tool.raw);
    if (!object || json::string_or(*object, "type") != "custom") return false;
    const auto value = json::find(*object, "custom");
    const auto custom = value ? json::as_object(*value) : std::nullopt;
    if (!custom) return false;
    w_.begin_object();
    w_.field("type", "custom");
    for (const auto field : *custom) {
      const auto format = field.key == "format" ? json::as_object(field.value) : std::nullopt;
      const auto nested = format ? json::find(*format, "grammar") : std::nullopt;
      const auto grammar = nested ? json::as_object(*nested) : std::nullopt;
      w_.key(field.key);
      if (!grammar) {
        w_.raw(json::raw(field.value));
        continue;
      }
      w_.begin_object();
      w_.field("type", "grammar");
      for (const auto inner : *grammar) w_.raw_field(inner.key, json::raw(inner.value));
      w_.end_object();
    }
    w_.end_object();
    return true;
  }

  void allowed_tools(const AllowedTools& allowed) {
    w_.key("tool_choice");
    w_.begin_object();
    w_.field("type", "allowed_tools");
    w_.field("mode", allowed.required ? "required" : "auto");
    w_.key("tools");
    w_.begin_array();
    for (const std::string& name : allowed.names) {
      w_.begin_object();
      w_.field("type", "function");
      w_.field("name", name);
      w_.end_object();
    }
    w_.end_array();
    w_.end_object();
  }

  void settings() {
    const Sampling& s = request_.sampling;
    if (s.temperature) w_.field("temperature", *s.temperature);
    if (s.top_p) w_.field("top_p", *s.top_p);
    if (s.frequency_penalty.value_or(0) != 0) drop("frequency_penalty");
    if (s.presence_penalty.value_or(0) != 0) drop("presence_penalty");
    if (s.top_k) drop("top_k");
    if (s.seed) drop("seed");
    if (!s.logit_bias.empty() && s.logit_bias != "{}") drop("logit_bias");
    if (request_.top_logprobs) w_.field("top_logprobs", *request_.top_logprobs);
    const int64_t limit = request_.max_tokens.value_or(target_.default_max_tokens);
    if (limit > 0) w_.field("max_output_tokens", limit);
    if (!request_.user.empty()) w_.field("user", request_.user);
    if (!request_.service_tier.empty()) {
      if (ours_ || request_.dialect == DialectId::kOpenAiChat) {
        w_.field("service_tier", request_.service_tier);
      } else {
        drop("service_tier");
      }
    }
    if (!request_.metadata.empty()) {
      if (ours_ || request_.dialect == DialectId::kOpenAiChat) {
        w_.raw_field("metadata", request_.metadata);
      } else {
        drop("metadata");
      }
    }
  }

  void text() {
    const bool more = ours_ && target_.keep_unknown && has_member(request_.extra, "text");
    if (request_.response_format.kind == ResponseFormat::Kind::kUnset && !more) return;
    w_.key("text");
    write_text(w_, request_);
  }

  Status reasoning() {
    using Mode = Reasoning::Mode;
    const Reasoning& r = request_.reasoning;
    std::string_view effort = r.effort;
    if (r.mode == Mode::kBudget) effort = r.budget_tokens <= 2048 ? "low" : r.budget_tokens <= 16384 ? "medium" : "high";
    if (r.mode == Mode::kOff) drop("reasoning");  // what is off differs from model to model; there is no word for it
    const bool extra = ours_ && !r.extra.empty();
    // Clients of other makers' APIs see thoughts when they ask for thinking; here summaries must be asked for, too. Those
    // of Chat Completions do not expect any, and OpenAI gives summaries only to verified organisations.
    const bool thinks = r.mode != Mode::kUnset && r.mode != Mode::kOff && effort != "none";
    const bool expects = request_.dialect != DialectId::kOpenAiChat && request_.dialect != DialectId::kOpenAiCompletions;
    const bool summary = !ours_ && thinks && r.include_thoughts.value_or(expects);
    if ((effort.empty() || r.mode == Mode::kOff) && !extra && !summary) return {};
    w_.key("reasoning");
    w_.begin_object();
    if (!effort.empty() && r.mode != Mode::kOff) w_.field("effort", effort);
    if (extra && target_.keep_unknown) w_.members(r.extra);
    if (summary) w_.field("summary", "auto");
    w_.end_object();
    return {};
  }

  // What the provider is to keep, and what it is to tell.
  void state() {
    const bool stores = ours_ && request_.store.value_or(false);
    w_.field("store", stores);
    if (ours_ && !request_.previous_id.empty()) w_.field("previous_response_id", request_.previous_id);
    bool asked = false;
    const std::string more = ours_ ? include(asked) : std::string();
    const bool sealed = asked || (!stores && thinks());
    const bool logprobs = request_.logprobs.value_or(false);
    if (!sealed && !logprobs && more.empty()) return;
    w_.key("include");
    w_.begin_array();
    if (sealed) w_.string("reasoning.encrypted_content");
    if (logprobs) w_.string("message.output_text.logprobs");
    w_.members(more);
    w_.end_array();
  }

  // Models that do not think refuse to be asked for encrypted thoughts.
  bool thinks() const {
    using Mode = Reasoning::Mode;
    if (request_.reasoning.mode != Mode::kUnset && request_.reasoning.mode != Mode::kOff) return true;
    std::string_view model = target_.model;
    if (const size_t slash = model.rfind('/'); slash != model.npos) model.remove_prefix(slash + 1);
    if (model.find("-chat") != model.npos) return false;
    const bool o_series = model.size() >= 2 && model[0] == 'o' && model[1] >= '1' && model[1] <= '9';
    return o_series || model.starts_with("gpt-5") || model.find("codex") != model.npos;
  }

  // What else the client wants included, comma-separated; `sealed`: its thoughts encrypted.
  std::string include(bool& sealed) const {
    std::string out;
    if (!has_member(request_.extra, "include")) return out;
    json::Document document;
    const auto object = document.parse_object("{" + request_.extra + "}");
    const auto value = object ? json::find(*object, "include") : std::nullopt;
    const auto list = value ? json::as_array(*value) : std::nullopt;
    if (!list) return out;
    for (const auto item : *list) {
      const std::string_view word = json::as_string(item).value_or("");
      if (word == "reasoning.encrypted_content") {
        sealed = true;
        continue;
      }
      if (!out.empty()) out.push_back(',');
      json::append_string(out, word);
    }
    return out;
  }

  const Request& request_;
  const TargetInfo& target_;
  WireRequest out_;
  json::Writer w_;
  const bool ours_;
};

}  // namespace

void write_function(json::Writer& w, const Tool& tool, bool ours) {
  w.begin_object();
  w.field("type", "function");
  w.field("name", tool.name);
  if (!tool.description.empty()) w.field("description", tool.description);
  if (!tool.parameters.empty()) {
    w.raw_field("parameters", tool.parameters);
  } else if (tool.origin != DialectId::kOpenAiResponses) {
    w.raw_field("parameters", R"({"type":"object","properties":{}})");
  }
  // Here a function is strict unless it says otherwise; elsewhere it is not.
  if (tool.strict) {
    w.field("strict", *tool.strict);
  } else if (tool.origin != DialectId::kOpenAiResponses) {
    w.field("strict", false);
  }
  if (ours) w.members(tool.extra);
  w.end_object();
}

void write_tool_choice(json::Writer& w, const ToolChoice& choice) {
  using Mode = ToolChoice::Mode;
  switch (choice.mode) {
    case Mode::kUnset:
    case Mode::kAuto:
      return w.string("auto");
    case Mode::kNone:
      return w.string("none");
    case Mode::kAny:
      return w.string("required");
    case Mode::kRaw:
      return w.raw(choice.raw);
    case Mode::kNamed:
      w.begin_object();
      w.field("type", "function");
      w.field("name", choice.name);
      w.end_object();
  }
}

void write_format(json::Writer& w, const ResponseFormat& format, bool ours) {
  using Kind = ResponseFormat::Kind;
  w.begin_object();
  w.field("type", format.kind == Kind::kJsonObject   ? "json_object"
                  : format.kind == Kind::kJsonSchema ? "json_schema"
                                                     : "text");
  if (format.kind == Kind::kJsonSchema) {
    w.field("name", format.name.empty() ? "response" : format.name);
    if (!format.description.empty()) w.field("description", format.description);
    w.raw_field("schema", format.schema.empty() ? R"({"type":"object"})" : format.schema);
    if (format.strict) w.field("strict", *format.strict);
  }
  if (ours) w.members(format.extra);
  w.end_object();
}

void write_text(json::Writer& w, const Request& request) {
  const bool ours = request.dialect == DialectId::kOpenAiResponses;
  w.begin_object();
  if (request.response_format.kind != ResponseFormat::Kind::kUnset) {
    w.key("format");
    write_format(w, request.response_format, ours);
  }
  if (ours) w.members(inside(request.extra, "text"));
  w.end_object();
}

Result<WireRequest> write_request(const Request& request, const TargetInfo& target) {
  return RequestWriter(request, target).write();
}

// https://platform.openai.com/docs/api-reference/responses/object
RawMembers echo(const Request& request) {
  std::string out;
  json::Writer w(out);
  const auto number = [&](std::string_view name, const std::optional<double>& value) {
    w.key(name);
    value ? w.number(*value) : w.null();
  };
  const auto integer = [&](std::string_view name, const std::optional<int64_t>& value) {
    w.key(name);
    value ? w.integer(*value) : w.null();
  };
  const auto words = [&](std::string_view name, const std::string& value) {
    w.key(name);
    value.empty() ? w.null() : w.string(value);
  };
  const Part* instructions = instructions_of(request);
  words("instructions", instructions != nullptr ? instructions->text : std::string());
  integer("max_output_tokens", request.max_tokens);
  w.raw_field("metadata", request.metadata.empty() ? "{}" : request.metadata);
  w.field("parallel_tool_calls", request.parallel_tool_calls.value_or(true));
  words("previous_response_id", request.previous_id);
  w.key("reasoning");
  w.begin_object();
  words("effort", request.reasoning.effort);
  if (!has_member(request.reasoning.extra, "summary")) w.null_field("summary");
  w.members(request.reasoning.extra);
  w.end_object();
  words("service_tier", request.service_tier);
  w.field("store", request.store.value_or(true));
  number("temperature", request.sampling.temperature);
  w.key("text");
  w.begin_object();
  w.key("format");
  write_format(w, request.response_format, true);
  w.members(inside(request.extra, "text"));
  w.end_object();
  w.key("tool_choice");
  write_tool_choice(w, request.tool_choice);
  w.key("tools");
  w.begin_array();
  for (const Tool& tool : request.tools) tool.name.empty() ? w.raw(tool.raw) : write_function(w, tool, true);
  w.end_array();
  integer("top_logprobs", request.top_logprobs);
  number("top_p", request.sampling.top_p);
  w.field("truncation", has_member(request.extra, "truncation") ? "auto" : "disabled");
  words("user", request.user);
  for (const std::string_view name : {"safety_identifier", "prompt_cache_key", "prompt_cache_retention", "max_tool_calls"}) {
    if (!has_member(request.extra, name)) continue;
    json::Document document;
    const auto object = document.parse_object("{" + request.extra + "}");
    if (const auto value = object ? json::find(*object, name) : std::nullopt) w.raw_field(name, json::raw(*value));
  }
  return out;
}

}  // namespace ajar::wire::responses
