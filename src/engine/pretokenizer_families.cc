#include <algorithm>
#include <array>

#include "engine/pretokenizer.h"

namespace ajar::engine {
namespace {

// The rules as published with the models: tiktoken's openai_public.py for OpenAI's, the tokenizer.json of each model for
// the others. GGUF files name them by tokenizer.ggml.pre.
constexpr const char* kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr const char* kCl100k =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kO200k =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kQwen35 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kTekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)"
    R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kPunctuation = R"([\p{P}\$\+<=>\^~\|`]+)";
constexpr const char* kThreeDigits = "[0-9][0-9][0-9]";

struct Family {
  std::string_view name;
  std::array<const char*, 6> expressions;
};
constexpr Family kFamilies[] = {
    {"r50k", {kGpt2}},       {"p50k", {kGpt2}},      {"cl100k", {kCl100k}},    {"o200k", {kO200k}},
    {"gpt-2", {kGpt2}},      {"mpt", {kGpt2}},       {"olmo", {kGpt2}},        {"phi-2", {kGpt2}},
    {"roberta-bpe", {kGpt2}}, {"jina-v2-en", {kGpt2}}, {"gpt-4o", {kO200k}},    {"llama4", {kO200k}},
    {"llama-bpe", {kCl100k}}, {"llama3", {kCl100k}},  {"llama-v3", {kCl100k}},  {"falcon3", {kCl100k}},
    {"smaug-bpe", {kCl100k}}, {"dbrx", {kCl100k}},    {"qwen2", {kQwen2}},      {"deepseek-r1-qwen", {kQwen2}},
    {"stablelm2", {kQwen2}}, {"hunyuan", {kQwen2}},  {"megrez", {kQwen2}},     {"tekken", {kTekken}},
    {"qwen35", {kQwen35}},   {"pixtral", {kTekken}},  {"glm4", {kCl100k}},      {"chatglm-bpe", {kCl100k}},
    {"lfm2", {kCl100k}},
    {"starcoder", {R"(\p{N})", kGpt2}},
    {"refact", {R"(\p{N})", kGpt2}},
    {"command-r", {R"(\p{N})", kGpt2}},
    {"smollm", {R"(\p{N})", kGpt2}},
    {"codeshell", {R"(\p{N})", kGpt2}},
    {"falcon", {kPunctuation, kGpt2, kThreeDigits}},
    {"default", {kPunctuation, kGpt2, R"(\p{N}+)", kThreeDigits}},
    {"deepseek-llm",
     {"[\r\n]", R"(\s?[\p{Latin}\p{Greek}\p{Cyrillic}\p{Armenian}]+)", R"(\s?[!-/:-~！-／：-～‘-‟　-。]+)", R"(\s+$)",
      R"([一-龥ࠀ-一가-퟿]+)", R"(\p{N}+)"}},
    {"deepseek-v3",
     {R"(\p{N}{1,3})", R"([一-龥぀-ゟ゠-ヿ]+)",
      R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|)"
      R"(\s*[\r\n]+|\s+(?!\S)|\s+)"}},
    {"chameleon",
     {"<sentinel:[0-9]+>", "IMGIMG[A-I]{1,4}Z", "[\t\n]|    |  ", R"(\p{N})", R"([\p{P}!-/:-@\[-`{-~])", kGpt2}},
    {"deepseek-coder", {"[\r\n]", R"(\s?\p{L}+)", R"(\s?\p{P}+)", R"([一-龥ࠀ-一가-퟿]+)", R"(\p{N})"}},
};

}  // namespace

const char* const kGpt2Expression = kGpt2;

std::vector<PretokenizerStep> bert_steps() {
  return {{.expression = R"(\s+)", .behaviour = PretokenizerStep::Behaviour::kRemoved},
          {.expression = R"([!-/:-@\[-`{-~\p{P}])"}};
}

Result<std::shared_ptr<const Pretokenizer>> Pretokenizer::of_family(std::string_view name) {
  const auto family = std::ranges::find(kFamilies, name, &Family::name);
  if (family == std::end(kFamilies)) {
    return fail(Code::kUnsupported, "the pre-tokenizer '" + std::string(name) + "' is not known");
  }
  std::vector<std::string> expressions;
  for (const char* expression : family->expressions) {
    if (expression != nullptr) expressions.emplace_back(expression);
  }
  return make(expressions);
}

}  // namespace ajar::engine
