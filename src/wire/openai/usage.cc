#include "wire/openai/usage.h"

#include "wire/fields.h"

namespace ajar::wire::openai {
namespace {

enum Count {
  kPrompt,
  kCompletion,
  kTotal,
  kPromptDetails,
  kCompletionDetails,
  kCacheHit,
  kCacheWrite,
  kCountCount
};
constexpr std::array<std::string_view, kCountCount> kNames = {"prompt_tokens",
                                                              "completion_tokens",
                                                              "total_tokens",
                                                              "prompt_tokens_details",
                                                              "completion_tokens_details",
                                                              "prompt_cache_hit_tokens",
                                                              "cache_creation_input_tokens"};
constexpr std::array<std::string_view, 3> kPromptNames = {"cached_tokens", "audio_tokens",
                                                          "cache_creation_tokens"};
constexpr std::array<std::string_view, 2> kCompletionNames = {"reasoning_tokens", "audio_tokens"};

template <class FieldsT>
int64_t count(const FieldsT& fields, size_t which) {
  return fields.has(which) ? json::as_int(fields[which]).value_or(0) : 0;
}

// Members of the details object `name` that were kept in `extra`.
void nested(json::Writer& w, const std::optional<json::Object>& extra, std::string_view name) {
  if (!extra) return;
  const auto value = json::find(*extra, name);
  const auto object = value ? json::as_object(*value) : std::nullopt;
  if (!object) return;
  for (const auto field : *object) {
    w.key(field.key);
    w.raw(json::raw(field.value));
  }
}

}  // namespace

Usage read_usage(const json::Object& object, RawMembers& extra) {
  const Fields<kCountCount> fields(object, kNames);
  Usage usage;
  usage.input = count(fields, kPrompt);
  usage.output = count(fields, kCompletion);
  usage.reported = fields.has(kPrompt) || fields.has(kCompletion) || fields.has(kTotal);
  extra = fields.extra();
  // Even empty: that the provider tells of such details at all is worth keeping.
  const auto keep = [&extra](std::string_view name, const RawMembers& rest) {
    add_member(extra, name, "{" + rest + "}");
  };
  if (const auto details =
          fields.has(kPromptDetails) ? json::as_object(fields[kPromptDetails]) : std::nullopt) {
    const Fields<3> prompt(*details, kPromptNames);
    usage.cached_read = count(prompt, 0);
    usage.audio_input = count(prompt, 1);
    usage.cached_write = std::max(
        count(prompt, 2), json::int_or(*details, "cache_write_tokens"));  // OpenRouter's word
    keep("prompt_tokens_details", prompt.extra());
  }
  if (const auto details = fields.has(kCompletionDetails)
                               ? json::as_object(fields[kCompletionDetails])
                               : std::nullopt) {
    const Fields<2> completion(*details, kCompletionNames);
    usage.reasoning = count(completion, 0);
    usage.audio_output = count(completion, 1);
    keep("completion_tokens_details", completion.extra());
  }
  if (fields.has(kCacheHit)) {  // DeepSeek
    if (usage.cached_read == 0) usage.cached_read = count(fields, kCacheHit);
    add_member(extra, kNames[kCacheHit], fields[kCacheHit]);
  }
  if (fields.has(kCacheWrite)) {  // LiteLLM and others in front of Anthropic
    if (usage.cached_write == 0) usage.cached_write = count(fields, kCacheWrite);
    add_member(extra, kNames[kCacheWrite], fields[kCacheWrite]);
  }
  // xAI and Gemini's compatible endpoint count reasoning beside the completion, and only the total
  // shows it.
  const int64_t total = count(fields, kTotal);
  if (usage.reasoning > 0 && total == usage.input + usage.output + usage.reasoning)
    usage.output += usage.reasoning;
  if (!fields.has(kPrompt) && !fields.has(kCompletion)) usage.input = total;
  usage.clamp();
  return usage;
}

void write_usage(json::Writer& w, const Usage& usage, const RawMembers& extra) {
  // Not scratch(): a caller may still be walking that.
  thread_local json::Document document;
  std::optional<json::Object> kept;
  if (!extra.empty()) {
    if (const auto parsed = document.parse_object("{" + extra + "}")) kept = *parsed;
  }
  const bool more_prompt = kept && json::find(*kept, "prompt_tokens_details");
  const bool more_completion = kept && json::find(*kept, "completion_tokens_details");
  w.begin_object();
  w.field("prompt_tokens", usage.input);
  w.field("completion_tokens", usage.output);
  w.field("total_tokens", usage.total());
  if (usage.cached_read > 0 || usage.cached_write > 0 || usage.audio_input > 0 || more_prompt) {
    w.key("prompt_tokens_details");
    w.begin_object();
    w.field("cached_tokens", usage.cached_read);
    w.field("audio_tokens", usage.audio_input);
    if (usage.cached_write > 0) w.field("cache_creation_tokens", usage.cached_write);
    nested(w, kept, "prompt_tokens_details");
    w.end_object();
  }
  if (usage.reasoning > 0 || usage.audio_output > 0 || more_completion) {
    w.key("completion_tokens_details");
    w.begin_object();
    w.field("reasoning_tokens", usage.reasoning);
    w.field("audio_tokens", usage.audio_output);
    nested(w, kept, "completion_tokens_details");
    w.end_object();
  }
  if (kept) {
    for (const auto field : *kept) {
      if (field.key == "prompt_tokens_details" || field.key == "completion_tokens_details")
        continue;
      w.key(field.key);
      w.raw(json::raw(field.value));
    }
  }
  w.end_object();
}

Finish read_finish(std::string_view word) {
  struct Row {
    std::string_view word;
    Finish finish;
  };
  static constexpr Row kRows[] = {
      {"stop", Finish::kStop},
      {"length", Finish::kLength},
      {"tool_calls", Finish::kToolCalls},
      {"function_call", Finish::kToolCalls},
      {"content_filter", Finish::kContentFilter},
      {"model_length", Finish::kLength},  // Mistral
      {"max_tokens", Finish::kLength},
      {"tool_use", Finish::kToolCalls},
      {"refusal", Finish::kRefusal},
      {"safety", Finish::kContentFilter},
      {"error", Finish::kError},                         // OpenRouter, Mistral
      {"insufficient_system_resource", Finish::kError},  // DeepSeek
      {"pause_turn", Finish::kPause},
  };
  for (const Row& row : kRows) {
    if (row.word == word) return row.finish;
  }
  return Finish::kStop;  // "eos", "eos_token", "stop_sequence", "end_turn", ...
}

}  // namespace ajar::wire::openai
