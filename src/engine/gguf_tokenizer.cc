#include <algorithm>

#include "base/text.h"
#include "engine/bpe.h"
#include "engine/gguf.h"
#include "engine/mapped_file.h"
#include "engine/pipeline_tokenizer.h"
#include "engine/printable_bytes.h"
#include "engine/spm.h"
#include "engine/unigram.h"
#include "engine/wordpiece.h"

namespace ajar::engine {
namespace {

constexpr size_t kMaxTokens = 4'000'000;
constexpr const char* kSpace = "\xe2\x96\x81";  // U+2581
enum TokenType : int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

// What the loaders of all models share: the file's tokens, and the tokenizer as far as it is made.
struct Loading {
  const GgufMetadata& metadata;
  std::vector<std::string_view> text;
  std::vector<int32_t> types;
  PipelineParts parts;

  TokenType type(size_t id) const { return id < types.size() ? TokenType(types[id]) : kNormal; }
  bool control(size_t id) const { return type(id) == kControl || type(id) == kUnused || type(id) == kUnknown; }
  int32_t id(const char* key) const {
    const int64_t value = metadata.integer(key).value_or(-1);
    return value >= 0 && value < int64_t(text.size()) ? int32_t(value) : -1;
  }
  bool flag(const char* key, bool otherwise) const { return metadata.boolean(key).value_or(otherwise); }

  // The tokens that text may become, each through spell(id, text).
  template <class Spell>
  Vocabulary vocabulary(Spell&& spell) const {
    Vocabulary out;
    out.reserve(text.size(), text.size() * 8);
    for (size_t id = 0; id < text.size(); ++id) {
      if (!control(id)) out.add(int32_t(id), spell(id, text[id]));
    }
    return out;
  }
};

std::string_view as_written(size_t, std::string_view text) { return text; }

// Phi-3's templates put a line feed after each mark, which its tokenizer takes away.
bool eats_space_after(const Loading& loading, std::string_view token) {
  const std::string name = to_lower(loading.metadata.string("general.name").value_or(""));
  const bool phi3 = name.find("phi-3") != name.npos || name.find("phi3") != name.npos;
  return phi3 && token.starts_with("<|") && token != "<|endoftext|>";
}

void note_kinds(Loading& loading) {
  for (size_t id = 0; id < loading.text.size(); ++id) {
    WholeToken token{.text = std::string(loading.text[id]), .id = int32_t(id)};
    if (loading.type(id) == kUserDefined) {
      loading.parts.whole.push_back(std::move(token));
    } else if (loading.control(id)) {
      token.takes_right = eats_space_after(loading, token.text);
      loading.parts.controls.push_back(std::move(token));
    }
  }
}

void note_special(Loading& loading, bool add_bos, bool add_eos) {
  SpecialTokens& special = loading.parts.special;
  special.bos = loading.id("tokenizer.ggml.bos_token_id");
  special.eos = loading.id("tokenizer.ggml.eos_token_id");
  special.pad = loading.id("tokenizer.ggml.padding_token_id");
  special.unk = loading.id("tokenizer.ggml.unknown_token_id");
  special.cls = loading.id("tokenizer.ggml.cls_token_id");
  special.sep = loading.id("tokenizer.ggml.seperator_token_id");  // as the format spells it
  special.mask = loading.id("tokenizer.ggml.mask_token_id");
  special.add_bos = loading.flag("tokenizer.ggml.add_bos_token", add_bos);
  special.add_eos = loading.flag("tokenizer.ggml.add_eos_token", add_eos);
  for (const char* key : {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
    special.end_of_generation.push_back(loading.id(key));
  }
}

Status load_bpe(Loading& loading) {
  std::string_view family = loading.metadata.string("tokenizer.ggml.pre").value_or("default");
  if (family == "default" && loading.metadata.string("general.architecture") == "gptneox") family = "gpt-neox";
  AJAR_ASSIGN(loading.parts.pretokenizer, Pretokenizer::of_family(family));
  BpeParts parts;
  const bool llama3 = family == "llama-bpe" || family == "llama3" || family == "llama-v3";
  parts.whole_piece_first = llama3 || family == "tekken";
  const PrintableBytes printable;
  parts.vocabulary = loading.vocabulary([&](size_t id, std::string_view text) {
    return loading.type(id) == kUserDefined ? std::string(text) : printable.decode(text);
  });
  const auto merges = loading.metadata.strings("tokenizer.ggml.merges");
  if (merges.empty()) return invalid("tokenizer.ggml.merges", "there are no merges");
  parts.merges.reserve(merges.size());
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const size_t space = merges[rank].find(' ', 1);
    if (space == std::string_view::npos) {
      return invalid("tokenizer.ggml.merges", "merge " + std::to_string(rank) + " is not two tokens");
    }
    add_merge(parts, int32_t(rank), printable.decode(merges[rank].substr(0, space)),
              printable.decode(merges[rank].substr(space + 1)));
  }
  note_special(loading, llama3 || family == "tekken", false);
  loading.parts.model = make_bpe(std::move(parts));
  return {};
}

Result<std::vector<float>> scores_of(const Loading& loading) {
  auto scores = loading.metadata.floats("tokenizer.ggml.scores");
  if (scores.size() == loading.text.size()) return scores;
  return invalid("tokenizer.ggml.scores", std::to_string(scores.size()) + " scores for " +
                                              std::to_string(loading.text.size()) + " tokens");
}

Status load_spm(Loading& loading) {
  SpmParts parts;
  AJAR_ASSIGN(parts.scores, scores_of(loading));
  parts.vocabulary = loading.vocabulary(as_written);
  parts.byte_ids = byte_ids_of(parts.vocabulary);
  parts.unknown = std::max(0, loading.id("tokenizer.ggml.unknown_token_id"));
  // A space is put before the text, and before what follows a token that was cut out.
  loading.parts.adds_space = loading.flag("tokenizer.ggml.add_space_prefix", true);
  std::vector<NormalizerPtr> steps;
  steps.push_back(make_replace(" ", kSpace));
  if (loading.parts.adds_space) steps.push_back(make_prepend(kSpace));
  loading.parts.normalizer = make_sequence(std::move(steps));
  loading.parts.spelling = Spelling::kSpaces;
  note_special(loading, true, false);
  loading.parts.model = make_spm(std::move(parts));
  return {};
}

Status load_wordpiece(Loading& loading) {
  WordPieceParts parts;
  parts.vocabulary = loading.vocabulary(as_written);
  parts.first_prefix = kSpace;
  parts.next_prefix.clear();
  note_special(loading, true, true);
  SpecialTokens& special = loading.parts.special;
  if (special.bos < 0) special.bos = special.cls;
  if (special.eos < 0) special.eos = special.sep;
  parts.unknown = special.unk;
  // The format does not say whether case matters: it does where a word is written with a capital.
  const bool cased = std::ranges::any_of(loading.text, [&](std::string_view token) {
    return token.size() == 4 && token.starts_with(kSpace) && token[3] >= 'A' && token[3] <= 'Z';
  });
  loading.parts.normalizer = make_bert_normalizer({.strip_accents = !cased, .lowercase = !cased});
  AJAR_ASSIGN(loading.parts.pretokenizer, Pretokenizer::make(bert_steps()));
  loading.parts.spelling = Spelling::kSpaces;
  loading.parts.adds_space = true;
  loading.parts.model = make_wordpiece(std::move(parts));
  return {};
}

Status load_unigram(Loading& loading) {
  UnigramParts parts;
  AJAR_ASSIGN(const auto scores, scores_of(loading));
  parts.scores.assign(scores.begin(), scores.end());
  parts.vocabulary = loading.vocabulary(as_written);
  parts.byte_ids = byte_ids_of(parts.vocabulary);
  note_special(loading, false, true);
  parts.unknown = std::max(0, loading.parts.special.unk);
  for (size_t id = 0; id < loading.text.size(); ++id) parts.not_in_text.push_back(loading.type(id) == kByte);
  std::vector<NormalizerPtr> steps;
  if (const auto map = loading.metadata.bytes("tokenizer.ggml.precompiled_charsmap"); !map.empty()) {
    AJAR_ASSIGN(auto step, make_charsmap(std::string(map)));
    steps.push_back(std::move(step));
  }
  if (loading.flag("tokenizer.ggml.remove_extra_whitespaces", false)) steps.push_back(make_collapse_spaces());
  loading.parts.adds_space = loading.flag("tokenizer.ggml.add_space_prefix", true);
  steps.push_back(make_replace(" ", kSpace));
  if (loading.parts.adds_space) steps.push_back(make_prepend(kSpace));
  loading.parts.normalizer = make_sequence(std::move(steps));
  loading.parts.spelling = Spelling::kSpaces;
  loading.parts.model = make_unigram(std::move(parts));
  return {};
}

Status load_model(Loading& loading) {
  const std::string_view model = loading.metadata.string("tokenizer.ggml.model").value_or("");
  if (model == "gpt2") return load_bpe(loading);
  if (model == "llama") return load_spm(loading);
  if (model == "bert") return load_wordpiece(loading);
  if (model == "t5") return load_unigram(loading);
  return fail(Code::kUnsupported, "the tokenizer model '" + std::string(model) + "' is not supported",
              "tokenizer.ggml.model");
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> load_gguf_tokenizer(const std::string& path) {
  AJAR_ASSIGN(const auto file, MappedFile::open(path));
  auto metadata = GgufMetadata::read(file->bytes());
  if (!metadata) return std::unexpected(std::move(metadata.error()).in(path));
  Loading loading{.metadata = *metadata, .text = metadata->strings("tokenizer.ggml.tokens"),
                  .types = metadata->integers("tokenizer.ggml.token_type"), .parts = {}};
  if (loading.text.empty() || loading.text.size() > kMaxTokens) {
    return invalid("tokenizer.ggml.tokens", path + ": there is no vocabulary of at most 4,000,000 tokens");
  }
  note_kinds(loading);
  if (auto loaded = load_model(loading); !loaded) return std::unexpected(std::move(loaded.error()).in(path));
  return make_tokenizer(std::move(loading.parts));
}

}  // namespace ajar::engine
