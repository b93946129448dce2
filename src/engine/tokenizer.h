#pragma once
// Text to token ids and back, exactly as the model's own tokenizer does it. Immutable once loaded; any thread.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ajar::engine {

// The ids that have a meaning of their own. -1: the vocabulary has none.
struct SpecialTokens {
  int32_t bos = -1, eos = -1, pad = -1, unk = -1, cls = -1, sep = -1, mask = -1;
  // Every id that ends a reply: eos, and what chat models say at the end of a turn (<|eot_id|>, <|im_end|>,
  // <end_of_turn>, ...). Sorted.
  std::vector<int32_t> end_of_generation;
  // Whether the model was trained with bos before and eos after a text. Where templates write bos themselves, it must
  // not be added twice. BERT's bos is cls and its eos is sep.
  bool add_bos = false, add_eos = false;

  bool ends_generation(int32_t id) const;
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Appends the ids of `text`. No begin or end token is added and no control token is recognised in the text: what
  // a user writes is never a command. Bytes that are not UTF-8 are encoded as bytes. Never fails.
  virtual void encode(std::string_view text, std::vector<int32_t>& ids) const = 0;
  // The same, and what is written like a control token becomes that token. For rendered templates only.
  virtual void encode_with_controls(std::string_view text, std::vector<int32_t>& ids) const = 0;
  // Appends the bytes that an id stands for; they may be a part of a character. Nothing for an id that is unknown or
  // a control token.
  virtual void append_bytes(int32_t id, std::string& out) const = 0;
  virtual size_t size() const = 0;  // ids are below this

  // Whether an id stands for no text: begin, end, padding, unknown, roles and other marks of a template.
  virtual bool is_control(int32_t id) const = 0;
  // The token as its vocabulary writes it: of a control token its name ("<|im_end|>"), of the others their bytes,
  // with the mark for a space where the vocabulary has one. Empty: no such id.
  virtual std::string_view piece(int32_t id) const = 0;
  virtual int32_t find(std::string_view piece) const = 0;  // -1: none
  const SpecialTokens& special() const { return special_; }
  // Whether encoding puts a space before a text that has none, so that a reply's first space may be its own.
  bool adds_space() const { return adds_space_; }

  // With bos and eos as special() asks for: a whole text for an encoder or a plain completion.
  void encode_whole(std::string_view text, std::vector<int32_t>& ids) const;
  size_t count(std::string_view text) const;
  std::string decode(std::span<const int32_t> ids) const;

 protected:
  SpecialTokens special_;
  bool adds_space_ = false;
};

// OpenAI's rank files, one "base64 rank" pair per line. `family` is "cl100k", "o200k", "p50k" or "r50k"; empty: told by
// the file's name. kInvalid names the file and the line.
Result<std::shared_ptr<const Tokenizer>> load_tiktoken(const std::string& path, std::string_view family = {});

// The vocabulary of a GGUF file: byte-level BPE ("gpt2"), SentencePiece ("llama"), WordPiece ("bert") or Unigram ("t5").
Result<std::shared_ptr<const Tokenizer>> load_gguf_tokenizer(const std::string& path);

// A tokenizer.json as Hugging Face's tokenizers write it, or the folder that holds one; tokenizer_config.json,
// special_tokens_map.json and generation_config.json beside it are read for the special tokens. kUnsupported names a
// kind of normalizer, pre-tokenizer or model that we do not have.
Result<std::shared_ptr<const Tokenizer>> load_hf_tokenizer(const std::string& path);

// Any of them, told by the file's first bytes; a folder is Hugging Face's.
Result<std::shared_ptr<const Tokenizer>> load_tokenizer(const std::string& path);

}  // namespace ajar::engine
