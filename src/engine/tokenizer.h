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

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Appends the ids of `text`. No begin or end token is added and no control token is recognised in the text: what
  // a user writes is never a command. Bytes that are not UTF-8 are encoded as bytes. Never fails.
  virtual void encode(std::string_view text, std::vector<int32_t>& ids) const = 0;
  // Appends the bytes that an id stands for; they may be a part of a character. Nothing for an id that is unknown or
  // a control token.
  virtual void append_bytes(int32_t id, std::string& out) const = 0;
  virtual size_t size() const = 0;  // ids are below this

  size_t count(std::string_view text) const;
  std::string decode(std::span<const int32_t> ids) const;
};

// OpenAI's rank files, one "base64 rank" pair per line. `family` is "cl100k", "o200k", "p50k" or "r50k"; empty: told by
// the file's name. kInvalid names the file and the line.
Result<std::shared_ptr<const Tokenizer>> load_tiktoken(const std::string& path, std::string_view family = {});

// The vocabulary of a GGUF file: byte-level BPE ("gpt2") or SentencePiece ("llama").
Result<std::shared_ptr<const Tokenizer>> load_gguf_tokenizer(const std::string& path);

// Either of them, told by the file's first bytes.
Result<std::shared_ptr<const Tokenizer>> load_tokenizer(const std::string& path);

}  // namespace ajar::engine
