#include "engine/pretokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>

namespace ajar::engine {
namespace {

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatch {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
struct FreeStack {
  void operator()(pcre2_jit_stack* stack) const { pcre2_jit_stack_free(stack); }
};

// What matching needs of memory, per thread: a megabyte of stack holds the longest run that backtracks.
struct Workspace {
  std::unique_ptr<pcre2_match_data, FreeMatch> data{pcre2_match_data_create(1, nullptr)};
  std::unique_ptr<pcre2_match_context, FreeContext> context{pcre2_match_context_create(nullptr)};
  std::unique_ptr<pcre2_jit_stack, FreeStack> stack{pcre2_jit_stack_create(32 * 1024, 1024 * 1024, nullptr)};
  Workspace() { pcre2_jit_stack_assign(context.get(), nullptr, stack.get()); }
};

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
    {"deepseek-coder", {"[\r\n]", R"(\s?\p{L}+)", R"(\s?\p{P}+)", R"([一-龥ࠀ-一가-퟿]+)", R"(\p{N})"}},
};

}  // namespace

struct Pretokenizer::Impl {
  std::vector<std::unique_ptr<pcre2_code, FreeCode>> codes;

  static void split_by(const pcre2_code* code, std::string_view text, std::vector<std::string_view>& pieces) {
    thread_local Workspace workspace;
    const size_t* const found = pcre2_get_ovector_pointer(workspace.data.get());
    const auto* bytes = reinterpret_cast<PCRE2_SPTR>(text.data());
    size_t at = 0;
    while (at < text.size()) {
      int rc = pcre2_match(code, bytes, text.size(), at, 0, workspace.data.get(), workspace.context.get());
      if (rc == PCRE2_ERROR_JIT_STACKLIMIT) {  // the interpreter keeps its state on the heap
        rc = pcre2_match(code, bytes, text.size(), at, PCRE2_NO_JIT, workspace.data.get(), nullptr);
      }
      if (rc < 0 || found[1] <= found[0]) break;
      if (found[0] > at) pieces.push_back(text.substr(at, found[0] - at));
      pieces.push_back(text.substr(found[0], found[1] - found[0]));
      at = found[1];
    }
    if (at < text.size()) pieces.push_back(text.substr(at));
  }
};

Pretokenizer::Pretokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Pretokenizer::~Pretokenizer() = default;

Result<std::shared_ptr<const Pretokenizer>> Pretokenizer::make(const std::vector<std::string>& expressions) {
  auto impl = std::make_unique<Impl>();
  for (const std::string& expression : expressions) {
    int error = 0;
    size_t offset = 0;
    std::unique_ptr<pcre2_code, FreeCode> code(
        pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                      PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY, &error, &offset, nullptr));
    if (!code) {
      char text[256] = {};
      pcre2_get_error_message(error, reinterpret_cast<PCRE2_UCHAR*>(text), sizeof text);
      return invalid("pre_tokenizer", std::string(text) + " at offset " + std::to_string(offset) + " of '" +
                                          expression + "'");
    }
    pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);  // where it cannot, the interpreter does the same, slower
    impl->codes.push_back(std::move(code));
  }
  return std::shared_ptr<const Pretokenizer>(new Pretokenizer(std::move(impl)));
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

void Pretokenizer::split(std::string_view text, std::vector<std::string_view>& pieces) const {
  if (text.empty()) return;
  std::vector<std::string_view> now = {text}, next;
  for (const auto& code : impl_->codes) {
    next.clear();
    for (const std::string_view piece : now) Impl::split_by(code.get(), piece, next);
    now.swap(next);
  }
  pieces.insert(pieces.end(), now.begin(), now.end());
}

}  // namespace ajar::engine
