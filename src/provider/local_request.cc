#include "provider/local_request.h"

#include <algorithm>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "json/read.h"

namespace ajar {
namespace {

bool has_member(const json::Object& object, std::string_view key) { return json::find(object, key).has_value(); }

Status read_bias(const RawJson& raw, std::vector<std::pair<int32_t, float>>& out) {
  if (raw.empty()) return {};
  json::Document document;
  AJAR_ASSIGN(const auto object, document.parse_object(raw));
  for (const auto field : object) {
    auto token = parse_int(field.key);
    auto bias = json::as_double(field.value);
    if (!token || *token < 0 || *token > INT32_MAX || !bias || *bias < -100 || *bias > 100)
      return invalid("logit_bias." + std::string(field.key), "'logit_bias' takes token ids and numbers from -100 to 100");
    // OpenAI: -100 is a ban.
    out.emplace_back(static_cast<int32_t>(*token), *bias <= -100 ? -1e9f : static_cast<float>(*bias));
  }
  return {};
}

// What servers of open models take beside OpenAI's fields. Others are named as left out.
Status read_extra(const Request& request, LocalRequest& out, std::vector<std::string>& dropped, json::Document& document,
                  std::optional<json::Object>& object) {
  if (request.extra.empty()) return {};
  AJAR_ASSIGN(object, document.parse_object("{" + request.extra + "}"));
  for (const auto field : *object) {
    std::string_view key = field.key;
    auto number = json::as_double(field.value);
    auto flag = json::as_bool(field.value);
    auto in = [&](double low, double high, float& to) -> Status {
      if (!number || *number < low || *number > high)
        return invalid(std::string(key), "'" + std::string(key) + "' must be a number from " + std::to_string(low) + " to " + std::to_string(high));
      to = static_cast<float>(*number);
      return {};
    };
    if (key == "min_p") AJAR_TRY(in(0, 1, out.sampling.min_p));
    else if (key == "typical_p") AJAR_TRY(in(0, 1, out.sampling.typical_p));
    else if (key == "repetition_penalty" || key == "repeat_penalty") AJAR_TRY(in(0.01, 10, out.sampling.repetition_penalty));
    else if (key == "ignore_eos" && flag) out.ignore_end = *flag;
    else if (key == "top_k" && number && *number >= 0) out.sampling.top_k = static_cast<int32_t>(std::min(*number, 1e6));
    else if (key == "adapter" || key == "lora") {
      auto name = json::as_string(field.value);
      if (!name) return invalid(std::string(key), "'" + std::string(key) + "' must be the name of one of the model's adapters");
      out.adapter = *name;
    }
    else if (key == "echo") out.echo = flag.value_or(false);
    else if (key == "suffix") return fail(Code::kUnsupported, "this model cannot fill in before a suffix", "suffix");
    else if (key == "best_of" && number && *number > static_cast<double>(request.choices()))
      return fail(Code::kUnsupported, "'best_of' above n is not offered by local models", "best_of");
    else if (key != "prompt" && key != "logprobs" && key != "best_of" && key != "chat_template_kwargs" && !key.starts_with("guided_") && key != "grammar") dropped.emplace_back(key);
  }
  return {};
}

Status read_prompts(const Request& request, const std::optional<json::Object>& extra, const LoadedModel& model, LocalRequest& out) {
  const engine::Tokenizer& tokenizer = *model.tokenizer;
  auto add_text = [&](std::string_view text) {
    auto& ids = out.prompts.emplace_back();
    tokenizer.encode_whole(text, ids);
    // A continuation is wanted, not what follows an end.
    if (tokenizer.special().add_eos && !ids.empty()) ids.pop_back();
  };
  if (!extra || !has_member(*extra, "prompt")) {
    add_text(request.messages.empty() || request.messages[0].parts.empty() ? "" : request.messages[0].parts[0].text);
  } else {
    auto ids_of = [&](const json::Array& list) {
      auto& ids = out.prompts.emplace_back();
      for (const auto item : list) ids.push_back(static_cast<int32_t>(std::clamp<int64_t>(json::as_int(item).value_or(-1), -1, INT32_MAX)));
    };
    auto list = json::as_array(*json::find(*extra, "prompt"));
    if (!list) return invalid("prompt", "'prompt' must be a string, strings, or token ids");
    if (list->size() > 0 && json::as_int(list->at(0).value_unsafe())) {
      ids_of(*list);
    } else {
      for (const auto item : *list) {
        if (auto ids = json::as_array(item)) ids_of(*ids);
        else add_text(json::as_string(item).value_or(""));
      }
    }
  }
  for (auto& ids : out.prompts)
    if (ids.empty()) {
      if (tokenizer.special().bos < 0) return invalid("prompt", "the prompt is empty, and this model has no token to begin with");
      ids.push_back(tokenizer.special().bos);
    }
  return {};
}

}  // namespace

Result<LocalRequest> read_local_request(const Request& request, const LoadedModel& model, std::vector<std::string>& dropped) {
  LocalRequest out;
  engine::SamplingParams& s = out.sampling;
  const Sampling& wanted = request.sampling;
  s.temperature = static_cast<float>(wanted.temperature.value_or(1));
  s.top_p = static_cast<float>(wanted.top_p.value_or(1));
  s.top_k = static_cast<int32_t>(std::clamp<int64_t>(wanted.top_k.value_or(0), 0, 1'000'000));
  s.frequency_penalty = static_cast<float>(wanted.frequency_penalty.value_or(0));
  s.presence_penalty = static_cast<float>(wanted.presence_penalty.value_or(0));
  s.seed = wanted.seed ? static_cast<uint64_t>(*wanted.seed) : fast_random();
  AJAR_TRY(read_bias(wanted.logit_bias, s.logit_bias));
  if (request.max_tokens) out.max_tokens = static_cast<int32_t>(std::clamp<int64_t>(*request.max_tokens, 0, INT32_MAX));
  json::Document document;
  std::optional<json::Object> extra;
  AJAR_TRY(read_extra(request, out, dropped, document, extra));
  if (request.logprobs.value_or(false) || request.top_logprobs) {
    out.logprobs = true;
    s.top_logprobs = static_cast<int32_t>(std::clamp<int64_t>(request.top_logprobs.value_or(0), 0, 100));
  }
  if (request.dialect == DialectId::kOpenAiCompletions) {
    out.chat = false;
    AJAR_TRY(read_prompts(request, extra, model, out));
    return out;
  }
  AJAR_ASSIGN(auto prompt, model.chat->render(request, unix_millis() / 1000));
  out.start = prompt.start;
  auto& ids = out.prompts.emplace_back();
  const engine::SpecialTokens& special = model.tokenizer->special();
  model.tokenizer->encode_with_controls(prompt.text, ids);
  if (special.add_bos && special.bos >= 0 && (ids.empty() || ids.front() != special.bos)) ids.insert(ids.begin(), special.bos);
  if (ids.empty()) return invalid("messages", "the conversation is empty");
  return out;
}

}  // namespace ajar
