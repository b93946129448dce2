#include "engine/hf_steps.h"

#include "base/text.h"

namespace ajar::engine {
namespace {

using Behaviour = PretokenizerStep::Behaviour;
using Scheme = PretokenizerStep::Scheme;

bool flag(const json::Object& object, std::string_view key, bool otherwise) {
  const auto value = json::find(object, key);
  return value ? json::as_bool(*value).value_or(otherwise) : otherwise;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\^$.|?*+()[]{}-").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// {"String": "x"} or {"Regex": "x"}.
struct Pattern {
  std::string text;
  bool regex = false;
};
Result<Pattern> pattern_of(const json::Object& step) {
  const auto value = json::find(step, "pattern");
  if (value) {
    if (const auto text = json::as_string(*value)) return Pattern{std::string(*text), false};
    if (const auto object = json::as_object(*value)) {
      for (const bool regex : {false, true}) {
        const auto text = json::find(*object, regex ? "Regex" : "String");
        if (text && json::as_string(*text)) return Pattern{std::string(*json::as_string(*text)), regex};
      }
    }
  }
  return invalid("pattern", "a step of the kind '" + std::string(json::string_or(step, "type")) + "' has no pattern");
}

Result<Behaviour> behaviour_of(const json::Object& step, std::string_view otherwise) {
  const std::string_view name = json::string_or(step, "behavior", otherwise);
  if (name == "Isolated") return Behaviour::kIsolated;
  if (name == "Removed") return Behaviour::kRemoved;
  if (name == "Contiguous") return Behaviour::kContiguous;
  if (name == "MergedWithPrevious") return Behaviour::kMergedWithPrevious;
  if (name == "MergedWithNext") return Behaviour::kMergedWithNext;
  return fail(Code::kUnsupported, "the behaviour '" + std::string(name) + "' is not supported", "pre_tokenizer");
}

// The members of a Sequence.
Result<std::vector<json::Object>> members(const json::Object& step, std::string_view key) {
  std::vector<json::Object> out;
  const auto value = json::find(step, key);
  const auto array = value ? json::as_array(*value) : std::nullopt;
  if (!array) return invalid(std::string(key), "a Sequence has no " + std::string(key));
  for (const json::Value item : *array) {
    const auto object = json::as_object(item);
    if (!object) return invalid(std::string(key), "a step of a Sequence is not an object");
    out.push_back(*object);
  }
  return out;
}

}  // namespace

Result<NormalizerPtr> read_normalizer(const json::Object& step) {
  const std::string_view kind = json::string_or(step, "type");
  if (kind == "Sequence") {
    AJAR_ASSIGN(const auto inner, members(step, "normalizers"));
    std::vector<NormalizerPtr> steps;
    for (const json::Object& one : inner) {
      AJAR_ASSIGN(auto made, read_normalizer(one));
      steps.push_back(std::move(made));
    }
    return make_sequence(std::move(steps));
  }
  if (kind == "BertNormalizer") {
    const bool lower = flag(step, "lowercase", true);
    return make_bert_normalizer({.clean_text = flag(step, "clean_text", true),
                                 .chinese_chars = flag(step, "handle_chinese_chars", true),
                                 .strip_accents = flag(step, "strip_accents", lower),
                                 .lowercase = lower});
  }
  if (kind == "Prepend") return make_prepend(std::string(json::string_or(step, "prepend")));
  if (kind == "Strip") return make_strip(flag(step, "strip_left", true), flag(step, "strip_right", true));
  if (kind == "Replace") {
    AJAR_ASSIGN(Pattern pattern, pattern_of(step));
    const std::string by(json::string_or(step, "content"));
    if (pattern.regex) return make_regex_replace(pattern.text, by);
    return make_replace(std::move(pattern.text), by);
  }
  if (kind == "Precompiled") {
    auto bytes = base64_decode(json::string_or(step, "precompiled_charsmap"));
    if (!bytes) return invalid("precompiled_charsmap", "it is not base64");
    return make_charsmap(std::move(*bytes));
  }
  if (NormalizerPtr simple = make_simple_normalizer(kind)) return simple;
  return fail(Code::kUnsupported, "the normalizer '" + std::string(kind) + "' is not supported", "normalizer");
}

Status read_pretokenizer(const json::Object& step, HfPretokenizer& out) {
  using Kind = PretokenizerStep::Kind;
  const std::string_view kind = json::string_or(step, "type");
  auto& steps = out.steps;
  if (kind == "Sequence") {
    AJAR_ASSIGN(const auto inner, members(step, "pretokenizers"));
    for (const json::Object& one : inner) AJAR_TRY(read_pretokenizer(one, out));
  } else if (kind == "ByteLevel") {
    out.byte_level = true;
    if (flag(step, "add_prefix_space", true)) {
      steps.push_back({.kind = Kind::kSpaceBefore});
      out.adds_space = true;
    }
    if (flag(step, "use_regex", true)) steps.push_back({.expression = kGpt2Expression});
  } else if (kind == "Split") {
    AJAR_ASSIGN(const Pattern pattern, pattern_of(step));
    AJAR_ASSIGN(const Behaviour behaviour, behaviour_of(step, "Isolated"));
    steps.push_back({.expression = pattern.regex ? pattern.text : escaped(pattern.text), .behaviour = behaviour,
                     .invert = flag(step, "invert", false)});
  } else if (kind == "Digits") {
    steps.push_back({.expression = R"(\p{N})", .behaviour = flag(step, "individual_digits", false)
                                                                ? Behaviour::kIsolated : Behaviour::kContiguous});
  } else if (kind == "Metaspace") {
    const std::string mark(json::string_or(step, "replacement", "\xe2\x96\x81"));
    // Before there was a scheme there was a flag.
    const std::string_view scheme =
        json::string_or(step, "prepend_scheme", flag(step, "add_prefix_space", true) ? "always" : "never");
    const Scheme when = scheme == "first" ? Scheme::kFirst : scheme == "never" ? Scheme::kNever : Scheme::kAlways;
    steps.push_back({.kind = Kind::kMetaspace, .replacement = mark, .scheme = when});
    if (flag(step, "split", true)) steps.push_back({.expression = escaped(mark), .behaviour = Behaviour::kMergedWithNext});
    out.adds_space = out.adds_space || when != Scheme::kNever;
  } else if (kind == "Punctuation") {
    AJAR_ASSIGN(const Behaviour behaviour, behaviour_of(step, "Isolated"));
    steps.push_back({.expression = bert_steps()[1].expression, .behaviour = behaviour});
  } else if (kind == "BertPreTokenizer") {
    for (PretokenizerStep& one : bert_steps()) steps.push_back(std::move(one));
  } else if (kind == "Whitespace") {
    constexpr const char* kWord = R"([\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{200c}\x{200d}])";
    std::string expression = std::string(kWord) + "+|[^" + std::string(kWord).substr(1);
    expression.insert(expression.size() - 1, "\\s");
    steps.push_back({.expression = expression + "+", .behaviour = Behaviour::kRemoved, .invert = true});
  } else if (kind == "WhitespaceSplit") {
    steps.push_back({.expression = R"(\s+)", .behaviour = Behaviour::kRemoved});
  } else if (kind == "CharDelimiterSplit") {
    steps.push_back({.expression = escaped(json::string_or(step, "delimiter", " ")), .behaviour = Behaviour::kRemoved});
  } else {
    return fail(Code::kUnsupported, "the pre-tokenizer '" + std::string(kind) + "' is not supported", "pre_tokenizer");
  }
  return {};
}

}  // namespace ajar::engine
