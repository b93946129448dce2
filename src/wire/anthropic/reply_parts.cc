#include <algorithm>
#include <initializer_list>

#include "json/write.h"
#include "wire/anthropic/anthropic.h"
#include "wire/anthropic/reply.h"
#include "wire/outbound.h"

namespace ajar::wire::anthropic {

Finish finish_of(std::string_view stop_reason) {
  if (stop_reason == "max_tokens" || stop_reason == "model_context_window_exceeded")
    return Finish::kLength;
  if (stop_reason == "tool_use") return Finish::kToolCalls;
  if (stop_reason == "pause_turn" || stop_reason == "compaction") return Finish::kPause;
  if (stop_reason == "refusal") return Finish::kRefusal;
  return Finish::kStop;
}

Error error_of(const json::Object& body, int status) {
  static constexpr std::pair<std::string_view, int> kStatus[] = {
      {"invalid_request_error", 400}, {"authentication_error", 401},
      {"billing_error", 402},         {"permission_error", 403},
      {"not_found_error", 404},       {"request_too_large", 413},
      {"rate_limit_error", 429},      {"api_error", 500},
      {"timeout_error", 504},         {"overloaded_error", 529},
  };
  Error error{.upstream_status = status};
  if (const auto value = json::find(body, "error")) {
    if (const auto object = json::as_object(*value)) {
      error.type = json::string_or(*object, "type");
      error.message = json::string_or(*object, "message");
    } else {
      error.message = json::as_string(*value).value_or("");
    }
  }
  for (const auto& [type, code] : kStatus) {
    if (error.upstream_status == 0 && error.type == type) error.upstream_status = code;
  }
  error.code = code_of_status(error.upstream_status);
  if (error.type == "overloaded_error")
    error.code = Code::kUnavailable;  // whatever a proxy made of the status
  if (error.type == "rate_limit_error") error.code = Code::kRateLimit;
  if (error.code == Code::kInvalid && error.message.starts_with("prompt is too long")) {
    error.type = kContextTooLong;
  }
  if (error.message.empty()) {
    error.message =
        error.type.empty() ? "the provider gave an error without a message" : error.type;
  }
  return error;
}

Error read_error(int status, std::string_view, std::string_view body) {
  json::Document document;
  const auto object = document.parse_object(body);
  if (!object || !json::find(*object, "error")) return opaque_error(status, body);
  return error_of(*object, status);
}

std::string annotation_of(const std::string& citation, int64_t from, int64_t to) {
  json::Document document;
  std::string out;
  json::Writer w(out);
  w.begin_object();
  const auto object = document.parse_object(citation);
  if (!object) return R"({"type":"file_citation"})";
  std::string_view url = json::string_or(*object, "url");
  if (url.empty()) url = json::string_or(*object, "source");
  const bool web = url.starts_with("http");
  const char* type = web ? "url_citation" : "file_citation";
  w.field("type", type);
  w.key(type);
  w.begin_object();
  w.field("start_index", from);
  w.field("end_index", to);
  if (web) {
    w.field("url", url);
    w.field("title", json::string_or(*object, "title"));
  } else {
    for (const auto field : *object) {
      if (field.key != "start_index" && field.key != "end_index")
        w.raw_field(field.key, json::raw(field.value));
    }
  }
  w.end_object();
  w.end_object();
  return out;
}

void UsageMeter::Counts::raise(const Counts& other) {
  input = std::max(input, other.input);
  output = std::max(output, other.output);
  cache_read = std::max(cache_read, other.cache_read);
  cache_write = std::max(cache_write, other.cache_write);
  cache_write_1h = std::max(cache_write_1h, other.cache_write_1h);
  reasoning = std::max(reasoning, other.reasoning);
}

void UsageMeter::Counts::add(const Counts& other) {
  input += other.input;
  output += other.output;
  cache_read += other.cache_read;
  cache_write += other.cache_write;
  cache_write_1h += other.cache_write_1h;
  reasoning += other.reasoning;
}

UsageMeter::Counts UsageMeter::read(const json::Object& usage) {
  // Bounded so that no sum below can overflow.
  const auto count = [](const json::Object& object, std::string_view key) {
    return std::clamp<int64_t>(json::int_or(object, key), 0, int64_t(1) << 50);
  };
  Counts counts{.input = count(usage, "input_tokens"),
                .output = count(usage, "output_tokens"),
                .cache_read = count(usage, "cache_read_input_tokens"),
                .cache_write = count(usage, "cache_creation_input_tokens")};
  if (const auto value = json::find(usage, "cache_creation")) {
    if (const auto split = json::as_object(*value)) {
      counts.cache_write_1h = count(*split, "ephemeral_1h_input_tokens");
      counts.cache_write = std::max(
          counts.cache_write, counts.cache_write_1h + count(*split, "ephemeral_5m_input_tokens"));
    }
  }
  if (const auto value = json::find(usage, "output_tokens_details")) {
    if (const auto details = json::as_object(*value))
      counts.reasoning = count(*details, "thinking_tokens");
  }
  return counts;
}

bool UsageMeter::counts(std::string_view member) {
  return member == "input_tokens" || member == "output_tokens" || member == "cache_creation" ||
         member == "cache_read_input_tokens" || member == "cache_creation_input_tokens";
}

UsageMeter::Counts UsageMeter::read_compaction(const json::Object& usage) {
  Counts sum;
  const auto value = json::find(usage, "iterations");
  const auto list = value ? json::as_array(*value) : std::nullopt;
  if (!list) return sum;
  size_t read_of_it = 0;
  for (const json::Value item : *list) {
    const auto pass = json::as_object(item);
    if (++read_of_it > 1000) break;
    if (pass && json::string_or(*pass, "type") == "compaction") sum.add(read(*pass));
  }
  return sum;
}

Usage without_compaction(const Usage& usage, const json::Object& usage_members) {
  if (!json::find(usage_members, "iterations")) return usage;
  const auto spent = UsageMeter::read_compaction(usage_members);
  Usage out = usage;
  out.input -= spent.input + spent.cache_read + spent.cache_write;
  out.output -= spent.output;
  out.cached_read -= spent.cache_read;
  out.cached_write -= spent.cache_write;
  out.cached_write_1h -= spent.cache_write_1h;
  out.reasoning -= spent.reasoning;
  out.clamp();
  return out;
}

bool UsageMeter::add(const json::Object& usage) {
  const Counts before = main_, compacted = compaction_;
  const bool first = !any_;
  any_ = true;
  main_.raise(read(usage));
  compaction_.raise(read_compaction(usage));
  return first || main_ != before || compaction_ != compacted;
}

Usage UsageMeter::usage() const {
  Counts all = main_;
  all.add(compaction_);
  Usage out;
  out.input = all.input + all.cache_read + all.cache_write;
  out.output = all.output;
  out.cached_read = all.cache_read;
  out.cached_write = all.cache_write;
  out.cached_write_1h = all.cache_write_1h;
  out.reasoning = all.reasoning;
  out.reported = true;
  out.clamp();
  return out;
}

}  // namespace ajar::wire::anthropic
