// Hugging Face's tokenizer.json, and the files beside it that name the special tokens.

#include <algorithm>
#include <filesystem>
#include <map>

#include "engine/bpe.h"
#include "engine/hf_steps.h"
#include "engine/mapped_file.h"
#include "engine/pipeline_tokenizer.h"
#include "engine/printable_bytes.h"
#include "engine/unigram.h"
#include "engine/wordpiece.h"
#include "json/read.h"

namespace ajar::engine {
namespace {

namespace fs = std::filesystem;
constexpr int64_t kMaxId = 4'000'000;

struct Added {
  WholeToken token;
  bool special = false, normalized = false;
};

struct Loading {
  json::Object root;
  PipelineParts parts;
  HfPretokenizer cuts;
  std::vector<Added> added;
  std::vector<bool> control;              // by id
  std::map<std::string, int32_t> by_name;  // added tokens
  bool hidden(int64_t id) const { return size_t(id) < control.size() && control[size_t(id)]; }
  int32_t id_of(const Vocabulary& vocabulary, std::string_view name) const {
    if (const auto found = by_name.find(std::string(name)); found != by_name.end()) return found->second;
    return vocabulary.find(name);
  }
};

std::optional<json::Object> object_at(const json::Object& object, std::string_view key) {
  const auto value = json::find(object, key);
  return value ? json::as_object(*value) : std::nullopt;
}
std::optional<json::Array> array_at(const json::Object& object, std::string_view key) {
  const auto value = json::find(object, key);
  return value ? json::as_array(*value) : std::nullopt;
}
bool flag(const json::Object& object, std::string_view key) {
  const auto value = json::find(object, key);
  return value && json::as_bool(*value).value_or(false);
}
bool good(int64_t id) { return id >= 0 && id < kMaxId; }

Status read_added(Loading& loading) {
  const auto list = array_at(loading.root, "added_tokens");
  if (!list) return {};
  for (const json::Value item : *list) {
    const auto object = json::as_object(item);
    const int64_t id = object ? json::int_or(*object, "id", -1) : -1;
    if (!good(id)) return invalid("added_tokens", "an added token has no id");
    Added added{.token = {.text = std::string(json::string_or(*object, "content")), .id = int32_t(id),
                          .takes_left = flag(*object, "lstrip"), .takes_right = flag(*object, "rstrip"),
                          .single_word = flag(*object, "single_word")},
                .special = flag(*object, "special"), .normalized = flag(*object, "normalized")};
    loading.by_name.emplace(added.token.text, int32_t(id));
    if (added.special) {
      if (size_t(id) >= loading.control.size()) loading.control.resize(size_t(id) + 1);
      loading.control[size_t(id)] = true;
    }
    loading.added.push_back(std::move(added));
  }
  for (const Added& added : loading.added) {
    auto& parts = loading.parts;
    auto& list = added.special ? (added.normalized ? parts.normalized_controls : parts.controls)
                               : (added.normalized ? parts.normalized_whole : parts.whole);
    list.push_back(added.token);
  }
  return {};
}

// The tokens of a {"text": id} table that text may become, and what was added and is no control token.
Result<Vocabulary> read_vocabulary(const Loading& loading, const json::Object& model, bool byte_level) {
  const auto table = object_at(model, "vocab");
  if (!table) return invalid("model.vocab", "there is no vocabulary");
  Vocabulary out;
  const PrintableBytes printable;
  out.reserve(table->size() + loading.added.size(), table->size() * 8);
  std::vector<bool> seen;
  const auto add = [&](int64_t id, std::string_view text) {
    if (loading.hidden(id)) return;
    if (size_t(id) >= seen.size()) seen.resize(size_t(id) + 1);
    if (!seen[size_t(id)]) out.add(int32_t(id), text);
    seen[size_t(id)] = true;
  };
  for (const auto [key, value] : *table) {
    const int64_t id = json::as_int(value).value_or(-1);
    if (!good(id)) return invalid("model.vocab", "the token '" + std::string(key) + "' has no id");
    if (loading.by_name.contains(std::string(key))) continue;
    add(id, byte_level ? printable.decode(key) : std::string(key));
  }
  for (const Added& added : loading.added) {
    if (!added.special) add(added.token.id, added.token.text);
  }
  return out;
}

Status load_bpe(Loading& loading, const json::Object& model) {
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!json::string_or(model, key).empty()) {
      return fail(Code::kUnsupported, "BPE with a " + std::string(key) + " is not supported", "model");
    }
  }
  BpeParts parts;
  const bool byte_level = loading.cuts.byte_level;
  AJAR_ASSIGN(parts.vocabulary, read_vocabulary(loading, model, byte_level));
  parts.by_character = !byte_level;
  parts.whole_piece_first = flag(model, "ignore_merges");
  parts.fuse_unknown = flag(model, "fuse_unk");
  if (flag(model, "byte_fallback")) parts.byte_ids = byte_ids_of(parts.vocabulary);
  parts.unknown = loading.id_of(parts.vocabulary, json::string_or(model, "unk_token"));
  const auto merges = array_at(model, "merges");
  if (!merges) return invalid("model.merges", "there are no merges");
  const PrintableBytes printable;
  const auto spelled = [&](std::string_view text) { return byte_level ? printable.decode(text) : std::string(text); };
  parts.merges.reserve(merges->size());
  int32_t rank = 0;
  for (const json::Value item : *merges) {  // "a b" or ["a", "b"]
    std::string_view left, right;
    if (const auto text = json::as_string(item)) {
      const size_t space = text->find(' ', 1);
      if (space != text->npos) left = text->substr(0, space), right = text->substr(space + 1);
    } else if (const auto pair = json::as_array(item); pair && pair->size() == 2) {
      left = json::as_string(pair->at(0).value_unsafe()).value_or("");
      right = json::as_string(pair->at(1).value_unsafe()).value_or("");
    }
    if (left.empty() || right.empty()) return invalid("model.merges", "merge " + std::to_string(rank) + " is not two tokens");
    add_merge(parts, rank++, spelled(left), spelled(right));
  }
  if (parts.merges.empty()) parts.merges.try_emplace(~uint64_t(0), BpeParts::Merge{0, 0});  // none is not "any"
  loading.parts.spelling = byte_level ? Spelling::kBytes : Spelling::kSpaces;
  loading.parts.model = make_bpe(std::move(parts));
  return {};
}

Status load_wordpiece(Loading& loading, const json::Object& model) {
  WordPieceParts parts;
  AJAR_ASSIGN(parts.vocabulary, read_vocabulary(loading, model, false));
  parts.next_prefix = json::string_or(model, "continuing_subword_prefix", "##");
  parts.max_characters = size_t(std::max<int64_t>(1, json::int_or(model, "max_input_chars_per_word", 100)));
  parts.unknown = loading.id_of(parts.vocabulary, json::string_or(model, "unk_token", "[UNK]"));
  loading.parts.special.unk = parts.unknown;
  loading.parts.spelling = Spelling::kHashes;
  loading.parts.adds_space = true;
  loading.parts.model = make_wordpiece(std::move(parts));
  return {};
}

Status load_unigram(Loading& loading, const json::Object& model) {
  UnigramParts parts;
  const auto table = array_at(model, "vocab");  // [["text", score], ...], the place is the id
  if (!table) return invalid("model.vocab", "there is no vocabulary");
  int32_t id = 0;
  for (const json::Value item : *table) {
    const auto pair = json::as_array(item);
    const auto text = pair && pair->size() == 2 ? json::as_string(pair->at(0).value_unsafe()) : std::nullopt;
    const auto score = text ? json::as_double(pair->at(1).value_unsafe()) : std::nullopt;
    if (!score) return invalid("model.vocab", "token " + std::to_string(id) + " is not a text and a score");
    parts.scores.push_back(*score);
    if (!loading.hidden(id)) parts.vocabulary.add(id, *text);
    ++id;
  }
  for (const Added& added : loading.added) {
    if (added.token.id >= id && !added.special) parts.vocabulary.add(added.token.id, added.token.text);
  }
  const int64_t unknown = json::int_or(model, "unk_id", 0);
  parts.unknown = unknown >= 0 && unknown < id ? int32_t(unknown) : 0;
  parts.not_in_text.resize(size_t(id));
  if (id > 0) parts.not_in_text[size_t(parts.unknown)] = true;
  loading.parts.special.unk = parts.unknown;
  if (flag(model, "byte_fallback")) parts.byte_ids = byte_ids_of(parts.vocabulary);
  loading.parts.spelling = Spelling::kSpaces;
  loading.parts.model = make_unigram(std::move(parts));
  return {};
}

Status load_model(Loading& loading) {
  const auto model = object_at(loading.root, "model");
  if (!model) return invalid("model", "there is no model");
  std::string_view kind = json::string_or(*model, "type");
  if (kind.empty() && json::find(*model, "merges")) kind = "BPE";  // files of 2020 do not say it
  if (kind == "BPE") return load_bpe(loading, *model);
  if (kind == "WordPiece") return load_wordpiece(loading, *model);
  if (kind == "Unigram") return load_unigram(loading, *model);
  return fail(Code::kUnsupported, "the tokenizer model '" + std::string(kind) + "' is not supported", "model");
}

// What a TemplateProcessing (or one within a Sequence) puts before and after a text.
void read_template(const json::Object& step, const Loading& loading, const Vocabulary& vocabulary, SpecialTokens& special) {
  const std::string_view kind = json::string_or(step, "type");
  if (kind == "Sequence") {
    if (const auto list = array_at(step, "processors")) {
      for (const json::Value one : *list) {
        if (const auto object = json::as_object(one)) read_template(*object, loading, vocabulary, special);
      }
    }
  } else if (kind == "TemplateProcessing") {
    const auto list = array_at(step, "single");
    if (!list) return;
    bool after = false;
    for (const json::Value item : *list) {
      const auto object = json::as_object(item);
      const auto token = object ? object_at(*object, "SpecialToken") : std::nullopt;
      after = after || !token;
      if (!token) continue;
      const int32_t id = loading.id_of(vocabulary, json::string_or(*token, "id"));
      if (id < 0) continue;
      if (after) special.add_eos = true, special.eos = special.eos < 0 ? id : special.eos;
      else special.add_bos = true, special.bos = special.bos < 0 ? id : special.bos;
    }
  } else if (kind == "BertProcessing" || kind == "RobertaProcessing") {
    special.add_bos = special.add_eos = true;
    for (const char* key : {"cls", "sep"}) {
      const auto pair = array_at(step, key);
      const auto id = pair && pair->size() == 2 ? json::as_int(pair->at(1).value_unsafe()) : std::nullopt;
      if (id && good(*id)) (key[0] == 'c' ? special.cls : special.sep) = int32_t(*id);
    }
  }
}

// tokenizer_config.json and special_tokens_map.json name tokens: a string, or an object with `content`.
void read_names(const json::Object& config, const Loading& loading, const Vocabulary& vocabulary, SpecialTokens& special) {
  const auto name = [&](const char* key, int32_t& id) {
    const auto value = json::find(config, key);
    if (!value || id >= 0) return;
    const auto object = json::as_object(*value);
    const auto text = object ? json::string_or(*object, "content") : json::as_string(*value).value_or("");
    if (!text.empty()) id = loading.id_of(vocabulary, text);
  };
  name("bos_token", special.bos), name("eos_token", special.eos), name("pad_token", special.pad);
  name("unk_token", special.unk), name("cls_token", special.cls), name("sep_token", special.sep);
  name("mask_token", special.mask);
  for (const bool begin : {true, false}) {
    const auto value = json::find(config, begin ? "add_bos_token" : "add_eos_token");
    if (value) (begin ? special.add_bos : special.add_eos) = json::as_bool(*value).value_or(false);
  }
}

void read_generation(const json::Object& config, SpecialTokens& special) {
  const auto value = json::find(config, "eos_token_id");
  if (!value) return;
  const auto add = [&](std::optional<int64_t> id) {
    if (!id || !good(*id)) return;
    special.end_of_generation.push_back(int32_t(*id));
    if (special.eos < 0) special.eos = int32_t(*id);
  };
  add(json::as_int(*value));
  if (const auto list = json::as_array(*value)) {
    for (const json::Value id : *list) add(json::as_int(id));
  }
}

// These files say "no limit" as a number of thirty digits, which the JSON reader refuses as an integer: as a real it does
// not.
std::string with_long_numbers_as_reals(std::string_view text) {
  std::string out;
  bool quoted = false;
  size_t digits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!quoted && c >= '0' && c <= '9') {
      ++digits;
    } else {
      if (digits > 18 && c != '.' && c != 'e' && c != 'E') out += ".0";
      digits = 0;
    }
    out += c;
    if (quoted && c == '\\' && i + 1 < text.size()) out += text[++i];
    else if (c == '"') quoted = !quoted;
  }
  return out;
}

Status read_beside(const fs::path& folder, Loading& loading) {
  SpecialTokens& special = loading.parts.special;
  const Vocabulary& vocabulary = loading.parts.model->vocabulary();
  for (const char* name : {"tokenizer_config.json", "special_tokens_map.json", "generation_config.json"}) {
    const std::string path = (folder / name).string();
    std::error_code none;
    if (!fs::exists(path, none)) continue;
    AJAR_ASSIGN(const auto file, MappedFile::open(path));
    json::Document document;
    auto object = document.parse_object(with_long_numbers_as_reals(file->bytes()));
    if (!object) return std::unexpected(std::move(object.error()).in(path));
    if (std::string_view(name).starts_with("generation")) read_generation(*object, special);
    else read_names(*object, loading, vocabulary, special);
  }
  if (const auto step = object_at(loading.root, "post_processor")) read_template(*step, loading, vocabulary, special);
  if (special.bos < 0) special.bos = special.cls;
  if (special.eos < 0) special.eos = special.sep;
  return {};
}

bool prepends_space(const json::Object& step) {
  if (json::string_or(step, "type") == "Prepend") return json::string_or(step, "prepend") == "\xe2\x96\x81";
  const auto list = array_at(step, "normalizers");
  if (!list) return false;
  return std::ranges::any_of(*list, [](const json::Value& one) {
    const auto object = json::as_object(one);
    return object && prepends_space(*object);
  });
}

Status load(std::string_view text, const fs::path& folder, Loading& loading, json::Document& document) {
  AJAR_ASSIGN(loading.root, document.parse_object(text));
  AJAR_TRY(read_added(loading));
  if (const auto step = object_at(loading.root, "normalizer")) {
    AJAR_ASSIGN(loading.parts.normalizer, read_normalizer(*step));
    loading.parts.adds_space = prepends_space(*step);
  }
  if (const auto step = object_at(loading.root, "pre_tokenizer")) {
    AJAR_TRY(read_pretokenizer(*step, loading.cuts));
    AJAR_ASSIGN(loading.parts.pretokenizer, Pretokenizer::make(loading.cuts.steps));
    loading.parts.adds_space = loading.parts.adds_space || loading.cuts.adds_space;
  }
  AJAR_TRY(load_model(loading));
  return read_beside(folder, loading);
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> load_hf_tokenizer(const std::string& path) {
  std::error_code none;
  const fs::path file_path = fs::is_directory(path, none) ? fs::path(path) / "tokenizer.json" : fs::path(path);
  AJAR_ASSIGN(const auto file, MappedFile::open(file_path.string()));
  Loading loading;
  json::Document document;
  if (auto loaded = load(file->bytes(), file_path.parent_path(), loading, document); !loaded) {
    return std::unexpected(std::move(loaded.error()).in(file_path.string()));
  }
  return make_tokenizer(std::move(loading.parts));
}

Result<std::shared_ptr<const Tokenizer>> load_tokenizer(const std::string& path) {
  std::error_code none;
  if (fs::is_directory(path, none)) return load_hf_tokenizer(path);
  AJAR_ASSIGN(const auto file, MappedFile::open(path));
  if (file->bytes().starts_with("GGUF")) return load_gguf_tokenizer(path);
  return file->bytes().starts_with("{") ? load_hf_tokenizer(path) : load_tiktoken(path);
}

}  // namespace ajar::engine
