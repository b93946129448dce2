// Request -> POST /models/{owner}/{name}/predictions, or /predictions with a version.
// https://replicate.com/docs/reference/http#models.predictions.create
#include "base/text.h"
#include "json/read.h"
#include "json/write.h"
#include "wire/fields.h"
#include "wire/media.h"
#include "wire/outbound.h"
#include "wire/replicate/replicate.h"

namespace ajar::wire::replicate {
namespace {

using PartKind = Part::Kind;

class RequestWriter {
 public:
  RequestWriter(const Request& request, const TargetInfo& target) : request_(request), target_(target) {}

  Result<WireRequest> write() {
    AJAR_TRY(refuse());
    AJAR_TRY(read_messages());
    write_input();
    write_path();
    if (!request_.stream) out_.headers.emplace_back("prefer", "wait");
    list_dropped();
    return std::move(out_);
  }

 private:
  void drop(std::string_view name) { wire::drop(out_.dropped, name); }

  Status refuse() const {
    AJAR_TRY(refuse_foreign(request_));
    const auto refused = [](const char* field, const char* why) { return fail(Code::kUnsupported, why, field); };
    if (request_.choices() != 1) return refused("n", "the target gives one answer per request");
    if (request_.logprobs.value_or(false)) return refused("logprobs", "the target gives no log probabilities");
    if (!request_.tools.empty() && request_.tool_choice.mode != ToolChoice::Mode::kNone) {
      return refused("tools", "the target calls no tools");
    }
    const auto format = request_.response_format.kind;
    if (format == ResponseFormat::Kind::kJsonObject || format == ResponseFormat::Kind::kJsonSchema) {
      return refused("response_format", "the target gives text only and cannot follow a response_format");
    }
    return {};
  }

  Status read_messages() {
    std::vector<std::pair<Role, std::string>> turns;
    for (size_t m = 0; m < request_.messages.size(); ++m) {
      const Message& message = request_.messages[m];
      if (!message.name.empty()) drop("messages.name");
      std::string text;
      for (size_t p = 0; p < message.parts.size(); ++p) {
        const Part& part = message.parts[p];
        const std::string field = part_field(m, p);
        if (part.kind == PartKind::kText || part.kind == PartKind::kRefusal) text += part.text;
        else if (part.kind == PartKind::kThought) drop(field);
        else if (part.kind == PartKind::kImage && message.role == Role::kUser) AJAR_TRY(image(part, field));
        else return fail(Code::kUnsupported, "the target takes texts and one image", field);
      }
      if (text.empty()) continue;
      if (is_instruction(message)) system_ += (system_.empty() ? "" : "\n\n") + text;
      else turns.emplace_back(message.role, std::move(text));
    }
    if (turns.size() == 1 && turns[0].first != Role::kAssistant) {
      prompt_ = std::move(turns[0].second);
      return {};
    }
    for (const auto& [role, text] : turns) prompt_ += (role == Role::kAssistant ? "Assistant: " : "User: ") + text + "\n\n";
    if (prompt_.empty()) return invalid("messages", "there is nothing in them to answer");
    if (turns.back().first == Role::kAssistant) prompt_ = std::string(trim_right(prompt_));  // to be continued
    else prompt_ += "Assistant:";
    return {};
  }

  Status image(const Part& part, const std::string& field) {
    if (!image_.empty()) return fail(Code::kUnsupported, "the target takes one image", field);
    if (part.url.empty() && part.data.empty()) return fail(Code::kUnsupported, "file ids of another provider mean nothing to the target", field);
    image_ = part.url.empty() ? join_data_uri(part.media_type.empty() ? "image/png" : part.media_type, part.data) : part.url;
    return {};
  }

  void write_input() {
    RawMembers input;
    json::Writer w(input);
    w.field("prompt", prompt_);
    if (!system_.empty()) w.field("system_prompt", system_);
    if (!image_.empty()) w.field("image", image_);
    const Sampling& s = request_.sampling;
    if (request_.max_tokens) w.field("max_tokens", *request_.max_tokens);
    else if (target_.default_max_tokens > 0) w.field("max_tokens", target_.default_max_tokens);
    if (s.temperature) w.field("temperature", *s.temperature);
    if (s.top_p) w.field("top_p", *s.top_p);
    if (s.top_k) w.field("top_k", *s.top_k);
    if (s.seed) w.field("seed", *s.seed);
    if (s.frequency_penalty) w.field("frequency_penalty", *s.frequency_penalty);
    if (s.presence_penalty) w.field("presence_penalty", *s.presence_penalty);
    if (!request_.stop.empty()) {  // a list in one string: a comma inside cannot be said
      std::string stops;
      for (const std::string& stop : request_.stop) {
        if (stop.find(',') != stop.npos) drop("stop");
        else stops.append(stops.empty() ? "" : ",").append(stop);
      }
      if (!stops.empty()) w.field("stop_sequences", stops);
    }
    merge_members(input, own_input());
    json::Writer body(out_.body);
    body.begin_object();
    if (const std::string_view version = this->version(); !version.empty()) body.field("version", version);
    body.raw_field("input", "{" + input + "}");
    if (request_.stream) body.field("stream", true);
    body.end_object();
  }

  RawMembers own_input() {
    if (request_.extra.empty()) return {};
    json::Document document;
    const auto members = document.parse_object("{" + request_.extra + "}");
    RawMembers own;
    if (!members) return own;
    for (const auto field : *members) {
      const std::string raw = json::raw(field.value);
      if (target_.keep_unknown && field.key == "input" && field.value.is_object()) own = raw.substr(1, raw.size() - 2);
      else drop(field.key);
    }
    return own;
  }

  // "owner/name:version", or the version alone.
  std::string_view version() const {
    const std::string_view model = target_.model;
    if (const size_t colon = model.find(':'); colon != model.npos) return model.substr(colon + 1);
    return model.find('/') == model.npos ? model : std::string_view();
  }
  void write_path() {
    out_.path = target_.base_path;
    if (version().empty()) {
      const bool deployment = target_.model.starts_with("deployments/");
      if (!deployment) out_.path += "/models";
      for (const auto word : split(target_.model, '/')) out_.path += "/" + percent_encode(word);
    }
    out_.path += "/predictions";
  }

  void list_dropped() {
    if (request_.reasoning.mode != Reasoning::Mode::kUnset) drop("reasoning");
    if (!request_.sampling.logit_bias.empty() && request_.sampling.logit_bias != "{}") drop("logit_bias");
    if (!request_.user.empty()) drop("user");
    if (!request_.metadata.empty() && request_.metadata != "{}") drop("metadata");
    if (!request_.service_tier.empty()) drop("service_tier");
  }

  const Request& request_;
  const TargetInfo& target_;
  WireRequest out_;
  std::string prompt_, system_, image_;
};

}  // namespace

Result<WireRequest> write_request(const Request& request, const TargetInfo& target) {
  return RequestWriter(request, target).write();
}

}  // namespace ajar::wire::replicate
