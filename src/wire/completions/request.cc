// https://platform.openai.com/docs/api-reference/completions/create
#include <limits>

#include "json/write.h"
#include "wire/completions/completions.h"
#include "wire/fields.h"
#include "wire/openai_error.h"

namespace ajar::wire::completions {
namespace {

enum Top {
  kModel, kPrompt, kMaxTokens, kTemperature, kTopP, kN, kStream, kStreamOptions, kStop, kPresence, kFrequency, kSeed,
  kLogitBias, kUser, kLogprobs, kEcho, kSuffix, kBestOf, kTopCount
};
constexpr std::array<std::string_view, kTopCount> kNames = {
    "model", "prompt", "max_tokens", "temperature", "top_p", "n", "stream", "stream_options", "stop",
    "presence_penalty", "frequency_penalty", "seed", "logit_bias", "user", "logprobs", "echo", "suffix", "best_of"};
using TopFields = Fields<kTopCount>;

constexpr double kAny = std::numeric_limits<double>::infinity();
constexpr int64_t kDefaultMaxTokens = 16;  // the API's own

void add_turn(Request& request, std::string_view text) {
  Message& message = request.messages.emplace_back();
  message.origin = DialectId::kOpenAiChat;
  message.plain_text = true;
  Part& part = message.parts.emplace_back();
  part.origin = DialectId::kOpenAiChat;
  part.text = text;
}

// A list of token ids; false when it is none.
Result<size_t> read_tokens(const json::Array& list, const Path& path) {
  size_t count = 0;
  for (const auto token : list) {
    AJAR_TRY(need_int(token, path[count]));
    ++count;
  }
  return count;
}

// Only for estimates of its size: what a token says is the model's affair.
std::string stand_in(size_t tokens) {
  std::string out;
  out.reserve(tokens * 4);
  for (size_t i = 0; i < tokens; ++i) out += "tok ";
  return out;
}

// A string, a list of strings, a list of token ids, or a list of such lists.
Status read_prompt(const json::Value& value, const Path& path, Request& request) {
  if (const auto text = json::as_string(value)) {
    add_turn(request, *text);
    return {};
  }
  const auto list = json::as_array(value);
  if (!list) return wrong_type(path, "a string, an array of strings, or arrays of token ids", value);
  if (list->size() == 0) return invalid(path.str(), "'prompt' must not be empty");
  const json::Value first = list->at(0).value_unsafe();
  if (first.is_number()) {
    AJAR_ASSIGN(const size_t tokens, read_tokens(*list, path));
    add_turn(request, stand_in(tokens));
    return {};
  }
  size_t index = 0;
  for (const auto item : *list) {
    const Path at = path[index++];
    if (const auto tokens = json::as_array(item)) {
      AJAR_ASSIGN(const size_t count, read_tokens(*tokens, at));
      add_turn(request, stand_in(count));
    } else {
      AJAR_ASSIGN(const auto text, need_string(item, at));
      add_turn(request, text);
    }
  }
  return {};
}

Status number_field(const TopFields& fields, Top which, double low, double high, std::optional<double>& out) {
  if (!fields.has(which)) return {};
  const Path root;
  const Path path = root / kNames[which];
  AJAR_ASSIGN(out, need_number(fields[which], path));
  return check_range(*out, low, high, path);
}
Status int_field(const TopFields& fields, Top which, double low, double high, std::optional<int64_t>& out) {
  if (!fields.has(which)) return {};
  const Path root;
  const Path path = root / kNames[which];
  AJAR_ASSIGN(out, need_int(fields[which], path));
  return check_range(double(*out), low, high, path);
}

Status read_stop(const json::Value& value, const Path& path, Request& request) {
  if (const auto one = json::as_string(value)) {
    request.stop.emplace_back(*one);
    request.stop_is_string = true;
    return {};
  }
  const auto list = json::as_array(value);
  if (!list) return wrong_type(path, "a string or an array of strings", value);
  size_t index = 0;
  for (const auto item : *list) {
    AJAR_ASSIGN(const auto text, need_string(item, path[index]));
    request.stop.emplace_back(text);
    ++index;
  }
  return {};
}

// One text is the message itself; every other prompt is kept as it was written, as the first of the own members.
bool keeps_prompt(const RawMembers& own) { return own.starts_with("\"prompt\":"); }

// What only this API has: checked, and kept as it was written.
Status read_own(const TopFields& fields, const Path& root, Request& request) {
  if (!fields[kPrompt].is_string()) add_member(request.extra, "prompt", fields[kPrompt]);
  if (fields.has_unknown()) request.extra.append(request.extra.empty() ? "" : ",").append(fields.extra());
  std::optional<int64_t> logprobs, best_of;
  AJAR_TRY(int_field(fields, kLogprobs, 0, 20, logprobs));
  if (logprobs) {
    request.logprobs = true;
    request.top_logprobs = logprobs;
    add_member(request.extra, "logprobs", fields[kLogprobs]);
  }
  AJAR_TRY(int_field(fields, kBestOf, 1, 128, best_of));
  if (best_of && *best_of < request.choices()) {
    return invalid("best_of", "'best_of' must be at least as large as 'n'");
  }
  if (best_of) add_member(request.extra, "best_of", fields[kBestOf]);
  if (fields.has(kEcho)) {
    AJAR_ASSIGN(const bool echo, need_bool(fields[kEcho], root / "echo"));
    if (echo) add_member(request.extra, "echo", "true");
  }
  if (fields.has(kSuffix)) {
    AJAR_ASSIGN(const auto suffix, need_string(fields[kSuffix], root / "suffix"));
    if (!suffix.empty()) add_member(request.extra, "suffix", fields[kSuffix]);
  }
  return {};
}

}  // namespace

Result<Request> read_request(std::string_view body) {
  AJAR_ASSIGN(const auto document, json::scratch().parse(body));
  const Path root;
  AJAR_ASSIGN(const auto object, need_object(document, root));
  const TopFields fields(object, kNames);
  Request request;
  request.dialect = DialectId::kOpenAiCompletions;
  if (!fields.has(kModel)) return missing(root / "model");
  AJAR_ASSIGN(request.model, need_string(fields[kModel], root / "model"));
  if (request.model.empty()) return invalid("model", "'model' must not be empty");
  if (!fields.has(kPrompt)) return missing(root / "prompt");
  AJAR_TRY(read_prompt(fields[kPrompt], root / "prompt", request));
  Sampling& sampling = request.sampling;
  AJAR_TRY(number_field(fields, kTemperature, 0, 2, sampling.temperature));
  AJAR_TRY(number_field(fields, kTopP, 0, 1, sampling.top_p));
  AJAR_TRY(number_field(fields, kPresence, -2, 2, sampling.presence_penalty));
  AJAR_TRY(number_field(fields, kFrequency, -2, 2, sampling.frequency_penalty));
  AJAR_TRY(int_field(fields, kSeed, -kAny, kAny, sampling.seed));
  AJAR_TRY(int_field(fields, kN, 1, 128, request.n));
  AJAR_TRY(int_field(fields, kMaxTokens, 0, kAny, request.max_tokens));
  if (!request.max_tokens) request.max_tokens = kDefaultMaxTokens;
  if (fields.has(kLogitBias)) {
    AJAR_TRY(need_object(fields[kLogitBias], root / "logit_bias"));
    sampling.logit_bias = json::raw(fields[kLogitBias]);
  }
  if (fields.has(kUser)) {
    AJAR_ASSIGN(request.user, need_string(fields[kUser], root / "user"));
  }
  if (fields.has(kStop)) AJAR_TRY(read_stop(fields[kStop], root / "stop", request));
  if (fields.has(kStream)) {
    AJAR_ASSIGN(request.stream, need_bool(fields[kStream], root / "stream"));
  }
  if (fields.has(kStreamOptions)) {
    static constexpr std::array<std::string_view, 1> kUsage = {"include_usage"};
    const Path at = root / "stream_options";
    AJAR_ASSIGN(const auto options, need_object(fields[kStreamOptions], at));
    const Fields<1> inner(options, kUsage);
    if (inner.has(0)) {
      AJAR_ASSIGN(request.include_usage, need_bool(inner[0], at / "include_usage"));
    }
    request.stream_options_extra = inner.extra();
  }
  AJAR_TRY(read_own(fields, root, request));
  return request;
}

Result<WireRequest> write_request(const Request& request, const TargetInfo& target) {
  if (request.dialect != DialectId::kOpenAiCompletions) {
    return fail(Code::kUnsupported, "this target completes prompts and does not chat", "messages");
  }
  WireRequest out;
  out.path = target.base_path + "/completions";
  json::Writer w(out.body);
  w.begin_object();
  w.field("model", target.model);
  const auto number = [&](std::string_view name, const std::optional<double>& value) {
    if (value) w.field(name, *value);
  };
  const auto integer = [&](std::string_view name, const std::optional<int64_t>& value) {
    if (value) w.field(name, *value);
  };
  integer("max_tokens", request.max_tokens);
  number("temperature", request.sampling.temperature);
  number("top_p", request.sampling.top_p);
  integer("n", request.n);
  number("presence_penalty", request.sampling.presence_penalty);
  number("frequency_penalty", request.sampling.frequency_penalty);
  integer("seed", request.sampling.seed);
  if (!request.sampling.logit_bias.empty()) w.raw_field("logit_bias", request.sampling.logit_bias);
  if (!request.user.empty()) w.field("user", request.user);
  if (request.stop_is_string && request.stop.size() == 1) {
    w.field("stop", request.stop[0]);
  } else if (!request.stop.empty()) {
    w.key("stop");
    w.begin_array();
    for (const std::string& word : request.stop) w.string(word);
    w.end_array();
  }
  if (request.stream) {
    w.field("stream", true);
    w.key("stream_options");
    w.begin_object();
    w.field("include_usage", true);
    w.members(request.stream_options_extra);
    w.end_object();
  }
  if (!keeps_prompt(request.extra) && !request.messages.empty()) w.field("prompt", request.messages[0].parts[0].text);
  if (target.keep_unknown) {
    w.members(request.extra);
  } else {
    json::Document document;
    AJAR_ASSIGN(const auto members, document.parse_object("{" + request.extra + "}"));
    for (const auto field : members) {
      bool known = false;
      for (const std::string_view name : kNames) known = known || name == field.key;
      if (known) {
        w.raw_field(field.key, json::raw(field.value));
      } else {
        out.dropped.emplace_back(field.key);
      }
    }
  }
  w.end_object();
  return out;
}

RawMembers echo(const Request& request) {
  if (!has_member(request.extra, "echo") || request.messages.size() != 1) return {};
  RawMembers out;
  json::Writer w(out);
  w.field("prompt", request.messages[0].parts[0].text);
  return out;
}

const Front& front() {
  static constexpr Front kFront = {.id = DialectId::kOpenAiCompletions,
                                   .endpoint = "completions",
                                   .stream_type = "text/event-stream; charset=utf-8",
                                   .read_request = read_request,
                                   .new_encoder = new_encoder,
                                   .write_reply = write_reply,
                                   .write_error = openai::write_error,
                                   .echo = echo};
  return kFront;
}

}  // namespace ajar::wire::completions
