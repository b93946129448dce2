#include "engine/hf_vocabulary.h"

#include <cstdio>
#include <filesystem>
#include <optional>
#include <unordered_map>

#include "engine/gguf_writer.h"
#include "engine/hf_files.h"
#include "json/read.h"
#include "json/write.h"

namespace ajar::engine {
namespace {

namespace fs = std::filesystem;
enum TokenType : int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };
constexpr std::string_view kSpace = "\u2581";  // SentencePiece's visible blank

struct Vocabulary {
  std::vector<std::string> tokens;
  std::vector<int32_t> types;
  std::unordered_map<std::string, int32_t> ids;
};

std::optional<json::Object> member(const json::Object& object, const char* name) {
  const auto value = json::find(object, name);
  return value ? json::as_object(*value) : std::nullopt;
}

bool is_byte(std::string_view token) {  // "<0x0A>"
  unsigned byte = 0;
  return token.size() == 6 && std::sscanf(std::string(token).c_str(), "<0x%2X>", &byte) == 1;
}

Result<Vocabulary> read_tokens(const json::Object& root, const json::Object& model, int32_t size) {
  Vocabulary out;
  out.tokens.resize(size_t(size));
  out.types.assign(size_t(size), kUnused);
  const auto put = [&](std::string_view token, std::optional<int64_t> id, int32_t type) -> Status {
    if (!id || *id < 0 || *id >= size) {
      return invalid("vocab", "tokenizer.json: the token '" + std::string(token) + "' has no id below " + std::to_string(size));
    }
    out.tokens[size_t(*id)] = token;
    out.types[size_t(*id)] = type;
    out.ids[std::string(token)] = int32_t(*id);
    return {};
  };
  const auto vocab = member(model, "vocab");
  if (!vocab) return invalid("vocab", "tokenizer.json: model.vocab is not an object");
  for (const auto& [token, id] : *vocab) AJAR_TRY(put(token, json::as_int(id), kNormal));
  const auto added = json::find(root, "added_tokens");
  if (const auto list = added ? json::as_array(*added) : std::nullopt) {
    for (const auto item : *list) {
      const auto token = json::as_object(item);
      if (!token) return invalid("added_tokens", "tokenizer.json: an added token is not an object");
      const auto special = json::find(*token, "special");
      const bool control = special && json::as_bool(*special).value_or(false);
      AJAR_TRY(put(json::string_or(*token, "content"), json::int_or(*token, "id", -1), control ? kControl : kUserDefined));
    }
  }
  for (size_t id = 0; id < out.tokens.size(); ++id) {
    if (out.types[id] == kUnused) out.tokens[id] = "[PAD" + std::to_string(id) + "]";
  }
  return out;
}

// "left right" per merge, as GGUF has them; files have either that or pairs.
Result<std::vector<std::string>> read_merges(const json::Object& model) {
  std::vector<std::string> out;
  const auto merges = json::find(model, "merges");
  const auto list = merges ? json::as_array(*merges) : std::nullopt;
  if (!list) return invalid("merges", "tokenizer.json: model.merges is missing");
  for (const auto item : *list) {
    if (const auto text = json::as_string(item)) {
      out.emplace_back(*text);
      continue;
    }
    const auto pair = json::as_array(item);
    if (!pair || pair->size() != 2) return invalid("merges", "tokenizer.json: a merge is not two tokens");
    out.push_back(std::string(json::as_string(pair->at(0).value()).value_or("")) + " " +
                  std::string(json::as_string(pair->at(1).value()).value_or("")));
  }
  return out;
}

// The family by what its regular expressions are known to contain; empty: unknown.
std::string_view family_of_pattern(std::string_view pre_tokenizer) {
  const auto has = [&](std::string_view text) { return pre_tokenizer.find(text) != std::string_view::npos; };
  if (has("\\\\p{Lu}")) return has("\\\\p{N}{1,3}") ? "gpt-4o" : "tekken";
  if (has("[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+")) return has("\\\\p{N}{1,3}") ? "llama-bpe" : "qwen2";
  if (has("\"Split\"")) return {};
  if (has("\"Digits\"") && has("\"individual_digits\":true")) return "smollm";
  if (has("\"ByteLevel\"")) return "gpt-2";
  return {};
}

Status write_bpe(const json::Object& root, const json::Object& model, Vocabulary& vocabulary, GgufWriter& writer,
                 std::vector<std::string>& notes) {
  AJAR_ASSIGN(const auto merges, read_merges(model));
  const auto fallback = json::find(model, "byte_fallback");
  const auto pre = json::find(root, "pre_tokenizer");
  const std::string pre_text = pre ? json::raw(*pre) : std::string();
  const bool bytes = fallback && json::as_bool(*fallback).value_or(false);
  if (!bytes) {
    writer.string("tokenizer.ggml.model", "gpt2");
    const std::string_view family = family_of_pattern(pre_text);
    if (family.empty()) notes.emplace_back("the tokenizer's way of splitting text is none that is known; 'default' is written");
    writer.string("tokenizer.ggml.pre", family.empty() ? "default" : family);
    writer.strings("tokenizer.ggml.merges", merges);
    return {};
  }
  // As SentencePiece: the pair goes first whose piece scores most. A piece scores by its earliest merge.
  writer.string("tokenizer.ggml.model", "llama");
  writer.string("tokenizer.ggml.pre", "default");
  std::vector<float> scores(vocabulary.tokens.size(), -1e6f);
  for (size_t rank = merges.size(); rank-- > 0;) {
    const std::string& merge = merges[rank];
    const size_t space = merge.find(' ', 1);
    if (space == std::string::npos) return invalid("merges", "tokenizer.json: a merge is not two tokens");
    const auto piece = vocabulary.ids.find(merge.substr(0, space) + merge.substr(space + 1));
    if (piece != vocabulary.ids.end()) scores[size_t(piece->second)] = -float(rank);
  }
  for (size_t id = 0; id < scores.size(); ++id) {
    if (vocabulary.types[id] == kNormal && is_byte(vocabulary.tokens[id])) vocabulary.types[id] = kByte;
    if (vocabulary.types[id] != kNormal) scores[id] = 0;
  }
  writer.floats("tokenizer.ggml.scores", scores);
  const auto normalizer = json::find(root, "normalizer");
  const std::string before = (normalizer ? json::raw(*normalizer) : std::string()) + pre_text;
  const bool prefix = before.find("\"Prepend\"") != std::string::npos || before.find("\"add_prefix_space\":true") != std::string::npos ||
                      before.find("\"prepend_scheme\":\"first\"") != std::string::npos ||
                      before.find("\"prepend_scheme\":\"always\"") != std::string::npos;
  writer.boolean("tokenizer.ggml.add_space_prefix", prefix);
  return {};
}

void write_wordpiece(Vocabulary& vocabulary, GgufWriter& writer) {
  writer.string("tokenizer.ggml.model", "bert");
  writer.string("tokenizer.ggml.pre", "default");
  // GGUF marks what begins a word, WordPiece what goes on with one.
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    std::string& token = vocabulary.tokens[id];
    if (vocabulary.types[id] != kNormal) continue;
    if (token.starts_with("##")) token.erase(0, 2);
    else token.insert(0, kSpace);
  }
}

// Ids of special tokens by their text in tokenizer_config.json, else by number in the configurations.
Status write_special(const fs::path& folder, const json::Object& root, const Vocabulary& vocabulary, GgufWriter& writer) {
  struct Special {
    const char *hf, *gguf;
  };
  static constexpr Special kSpecial[] = {{"bos", "bos"}, {"eos", "eos"}, {"unk", "unknown"}, {"pad", "padding"},
                                         {"sep", "seperator"}, {"cls", "cls"}, {"mask", "mask"}};
  std::string bos;
  AJAR_ASSIGN(const std::string config, read_hf_json(folder / "tokenizer_config.json"));
  if (!config.empty()) {
    json::Document document;
    AJAR_ASSIGN(const auto object, document.parse_object(config));
    for (const Special& special : kSpecial) {
      const std::string name = std::string(special.hf) + "_token";
      std::string text(json::string_or(object, name));
      if (const auto token = member(object, name.c_str())) text = json::string_or(*token, "content");
      const auto id = vocabulary.ids.find(text);
      if (text.empty() || id == vocabulary.ids.end()) continue;
      if (name == "bos_token") bos = text;
      writer.u32("tokenizer.ggml." + std::string(special.gguf) + "_token_id", uint32_t(id->second));
    }
    for (const char* flag : {"add_bos_token", "add_eos_token"}) {
      const auto value = json::find(object, flag);
      if (const auto on = value ? json::as_bool(*value) : std::nullopt) writer.boolean("tokenizer.ggml." + std::string(flag), *on);
    }
  }
  for (const char* file : {"generation_config.json", "config.json"}) {
    AJAR_ASSIGN(const std::string text, read_hf_json(folder / file));
    if (text.empty()) continue;
    json::Document document;
    AJAR_ASSIGN(const auto object, document.parse_object(text));
    for (const Special& special : kSpecial) {
      const int64_t id = json::int_or(object, std::string(special.hf) + "_token_id", -1);
      if (id < 0 || id >= int64_t(vocabulary.tokens.size())) continue;
      writer.u32("tokenizer.ggml." + std::string(special.gguf) + "_token_id", uint32_t(id));
      if (bos.empty() && std::string_view(special.hf) == "bos") bos = vocabulary.tokens[size_t(id)];
    }
  }
  // Where no flag says it, the template does: does it begin with the first token?
  if (!bos.empty() && !writer.has("tokenizer.ggml.add_bos_token")) {
    const auto post = json::find(root, "post_processor");
    const std::string text = post ? json::raw(*post) : std::string();
    std::string quoted;
    json::append_string(quoted, bos);
    const size_t single = text.find("\"single\":[{\"SpecialToken\":{\"id\":" + quoted);
    writer.boolean("tokenizer.ggml.add_bos_token", single != std::string::npos);
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> write_hf_vocabulary(const std::string& path, int32_t size, GgufWriter& writer) {
  const fs::path folder(path);
  std::vector<std::string> notes;
  AJAR_ASSIGN(const std::string text, read_hf_json(folder / "tokenizer.json"));
  if (text.empty()) {
    notes.emplace_back("there is no tokenizer.json: the tokenizer is not carried over");
    return notes;
  }
  json::Document document;
  auto parsed = document.parse_object(text);
  if (!parsed) return std::unexpected(std::move(parsed.error()).in("tokenizer.json"));
  const json::Object& root = *parsed;
  const auto model = member(root, "model");
  if (!model) return invalid("model", "tokenizer.json: model is missing");
  std::string_view type = json::string_or(*model, "type");
  if (type.empty() && json::find(*model, "merges")) type = "BPE";
  if (type != "BPE" && type != "WordPiece") {
    notes.push_back("tokenizers of the kind '" + std::string(type) + "' are not carried over");
    return notes;
  }
  AJAR_ASSIGN(Vocabulary vocabulary, read_tokens(root, *model, size));
  if (type == "BPE") AJAR_TRY(write_bpe(root, *model, vocabulary, writer, notes));
  else write_wordpiece(vocabulary, writer);
  const auto unknown = vocabulary.ids.find(std::string(json::string_or(*model, "unk_token")));
  if (unknown != vocabulary.ids.end()) {
    if (type == "BPE") vocabulary.types[size_t(unknown->second)] = kUnknown;
    writer.u32("tokenizer.ggml.unknown_token_id", uint32_t(unknown->second));
  }
  writer.strings("tokenizer.ggml.tokens", vocabulary.tokens);
  writer.i32s("tokenizer.ggml.token_type", vocabulary.types);
  AJAR_TRY(write_special(folder, root, vocabulary, writer));
  return notes;
}

}  // namespace ajar::engine
