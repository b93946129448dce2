#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "json/write.h"
#include "wire/gemini/gemini.h"
#include "wire/gemini/reply.h"
#include "wire/outbound.h"

namespace ajar::wire::gemini {
namespace {

std::optional<json::Object> object_at(const json::Object& object, std::string_view key) {
  const auto value = json::find(object, key);
  return value ? json::as_object(*value) : std::nullopt;
}
std::optional<json::Array> array_at(const json::Object& object, std::string_view key) {
  const auto value = json::find(object, key);
  return value ? json::as_array(*value) : std::nullopt;
}

int64_t count(const json::Object& object, std::string_view key) {
  return std::clamp<int64_t>(json::int_or(object, key), 0, int64_t(1) << 50);
}

// The AUDIO line of promptTokensDetails and its like.
int64_t audio_tokens(const json::Object& metadata, std::string_view key) {
  int64_t sum = 0;
  if (const auto list = array_at(metadata, key)) {
    for (const json::Value item : *list) {
      const auto line = json::as_object(item);
      if (line && json::string_or(*line, "modality") == "AUDIO")
        sum = std::max(sum, count(*line, "tokenCount"));
    }
  }
  return sum;
}

// "34.4s" in milliseconds, rounded up.
int64_t retry_delay_ms(std::string_view delay) {
  if (!delay.ends_with('s')) return -1;
  const auto seconds = parse_double(delay.substr(0, delay.size() - 1));
  if (!seconds || !(*seconds >= 0) || *seconds > 1e9) return -1;
  return int64_t(std::ceil(*seconds * 1000));
}

void write_token(json::Writer& w, const json::Object& candidate) {
  const std::string_view token = json::string_or(candidate, "token");
  w.field("token", token);
  const auto probability = json::find(candidate, "logProbability");
  w.field("logprob", probability ? json::as_double(*probability).value_or(0) : 0.0);
  w.key("bytes");
  w.begin_array();
  for (const char c : token) w.integer(uint8_t(c));
  w.end_array();
}

}  // namespace

// https://ai.google.dev/api/generate-content#FinishReason
Finish finish_of(std::string_view reason, bool has_calls) {
  if (reason.empty() || reason == "FINISH_REASON_UNSPECIFIED") return Finish::kNone;
  if (reason == "STOP" || reason == "OTHER") return has_calls ? Finish::kToolCalls : Finish::kStop;
  if (reason == "MAX_TOKENS") return Finish::kLength;
  for (const std::string_view broken :
       {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE", "NO_IMAGE"}) {
    if (reason == broken) return Finish::kError;
  }
  for (const std::string_view filter :
       {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII",
        "IMAGE_OTHER", "MODEL_ARMOR"}) {
    if (reason.ends_with(filter)) return Finish::kContentFilter;
  }
  return Finish::kStop;
}

Usage usage_of(const json::Object& metadata) {
  Usage usage;
  usage.input = count(metadata, "promptTokenCount") + count(metadata, "toolUsePromptTokenCount");
  usage.cached_read = count(metadata, "cachedContentTokenCount");
  usage.reasoning = count(metadata, "thoughtsTokenCount");
  usage.output = count(metadata, "candidatesTokenCount") + usage.reasoning;
  usage.audio_input = audio_tokens(metadata, "promptTokensDetails");
  usage.audio_output = audio_tokens(metadata, "candidatesTokensDetails");
  usage.reported =
      json::find(metadata, "promptTokenCount") || json::find(metadata, "totalTokenCount");
  usage.clamp();
  return usage;
}

bool is_count(std::string_view member) {
  return member == "promptTokenCount" || member == "candidatesTokenCount" || member == "totalTokenCount" ||
         member == "thoughtsTokenCount" || member == "cachedContentTokenCount";
}

Error error_of(const json::Object& body, int status) {
  Error error{.upstream_status = status};
  const auto object = object_at(body, "error");
  if (!object) {
    error.message = json::string_or(body, "error", "the provider gave an error without a message");
    error.code = code_of_status(status);
    return error;
  }
  error.message = json::string_or(*object, "message");
  error.type = json::string_or(*object, "status");
  if (status == 0)
    error.upstream_status = int(std::clamp<int64_t>(json::int_or(*object, "code"), 0, 999));
  error.code = code_of_status(error.upstream_status);
  bool credential = error.type == "FAILED_PRECONDITION";  // billing or region of our account
  if (const auto details = array_at(*object, "details")) {
    for (const json::Value item : *details) {
      const auto detail = json::as_object(item);
      if (!detail) continue;
      if (json::string_or(*detail, "@type").ends_with("google.rpc.RetryInfo")) {
        error.retry_after_ms = retry_delay_ms(json::string_or(*detail, "retryDelay"));
      }
      const std::string_view reason = json::string_or(*detail, "reason");
      if (reason.starts_with("API_KEY")) {
        credential = true;
        error.type = reason;
      }
    }
  }
  if (error.code == Code::kInvalid &&
      error.message.find("exceeds the maximum number of tokens") != std::string::npos) {
    error.type = kContextTooLong;
  }
  if (credential && error.code == Code::kInvalid) error.code = Code::kUpstream;
  if (error.type == "RESOURCE_EXHAUSTED") error.code = Code::kRateLimit;
  if (error.type == "UNAVAILABLE") error.code = Code::kUnavailable;
  if (error.type == "DEADLINE_EXCEEDED") error.code = Code::kTimeout;
  if (error.message.empty()) {
    error.message =
        error.type.empty() ? "the provider gave an error without a message" : error.type;
  }
  return error;
}

std::optional<json::Object> find_error(const json::Value& body) {
  json::Value value = body;
  if (const auto list = json::as_array(body)) {
    if (list->size() == 0) return std::nullopt;
    value = list->at(0).value_unsafe();
  }
  const auto object = json::as_object(value);
  return object && json::find(*object, "error") ? object : std::nullopt;
}

Error read_error(int status, std::string_view, std::string_view body) {
  json::Document document;
  const auto value = document.parse(body);
  const auto object = value ? find_error(*value) : std::nullopt;
  return object ? error_of(*object, status) : opaque_error(status, body);
}

std::string logprobs_of(const json::Object& result) {
  std::string out;
  const auto chosen = array_at(result, "chosenCandidates");
  if (!chosen) return out;
  const auto top = array_at(result, "topCandidates");
  auto next_top = top ? top->begin() : chosen->end();
  json::Writer w(out);
  for (const json::Value item : *chosen) {
    const auto token = json::as_object(item);
    if (!token) continue;
    w.begin_object();
    write_token(w, *token);
    w.key("top_logprobs");
    w.begin_array();
    if (top && next_top != top->end()) {
      const auto object = json::as_object(*next_top);
      ++next_top;
      if (const auto list = object ? array_at(*object, "candidates") : std::nullopt) {
        for (const json::Value other : *list) {
          const auto candidate = json::as_object(other);
          if (!candidate) continue;
          w.begin_object();
          write_token(w, *candidate);
          w.end_object();
        }
      }
    }
    w.end_array();
    w.end_object();
  }
  return out;
}

std::vector<std::string> annotations_of(const json::Object& grounding, std::string_view text) {
  struct Page {
    std::string_view url, title;
  };
  std::vector<Page> pages;
  if (const auto chunks = array_at(grounding, "groundingChunks")) {
    for (const json::Value item : *chunks) {
      Page page;
      if (const auto chunk = json::as_object(item)) {
        auto source = object_at(*chunk, "web");
        if (!source) source = object_at(*chunk, "retrievedContext");
        if (!source) source = object_at(*chunk, "maps");
        if (source) page = {json::string_or(*source, "uri"), json::string_or(*source, "title")};
      }
      pages.push_back(page);
    }
  }
  std::vector<std::string> out;
  const auto cite = [&](const Page& page, int64_t from, int64_t to) {
    if (page.url.empty()) return;
    json::Writer w(out.emplace_back());
    w.begin_object();
    w.field("type", "url_citation");
    w.key("url_citation");
    w.begin_object();
    w.field("start_index", from);
    w.field("end_index", to);
    w.field("url", page.url);
    w.field("title", page.title);
    w.end_object();
    w.end_object();
  };
  const auto characters = [&](int64_t bytes) {
    const std::string_view head =
        text.substr(0, size_t(std::clamp<int64_t>(bytes, 0, int64_t(text.size()))));
    return int64_t(std::ranges::count_if(head, [](char c) { return (uint8_t(c) & 0xC0) != 0x80; }));
  };
  const auto supports = array_at(grounding, "groundingSupports");
  if (!supports) {
    for (const Page& page : pages) cite(page, 0, characters(int64_t(text.size())));
    return out;
  }
  for (const json::Value item : *supports) {
    const auto support = json::as_object(item);
    const auto segment = support ? object_at(*support, "segment") : std::nullopt;
    const auto indices = support ? array_at(*support, "groundingChunkIndices") : std::nullopt;
    if (!segment || !indices || out.size() > 2000) continue;
    const int64_t from = characters(json::int_or(*segment, "startIndex"));
    const int64_t to = characters(json::int_or(*segment, "endIndex"));
    for (const json::Value index : *indices) {
      const auto number = json::as_int(index);
      if (number && *number >= 0 && *number < int64_t(pages.size()))
        cite(pages[size_t(*number)], from, to);
    }
  }
  return out;
}

}  // namespace ajar::wire::gemini
