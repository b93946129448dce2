#pragma once
// Cuts text into the pieces within which byte pairs are merged. Each family of models has its own rules, which its
// authors wrote down as regular expressions.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ajar::engine {

class Pretokenizer {
 public:
  // Each expression in turn splits the pieces that the ones before it left into matches and what lies between them.
  static Result<std::shared_ptr<const Pretokenizer>> make(const std::vector<std::string>& expressions);
  // The rules of a named family: OpenAI's "r50k", "cl100k", "o200k", or what GGUF calls tokenizer.ggml.pre ("llama-bpe",
  // "qwen2", ...). kUnsupported names one that is not known.
  static Result<std::shared_ptr<const Pretokenizer>> of_family(std::string_view family);
  ~Pretokenizer();

  // Appends the pieces of `text` in order; together they are the text. Views into `text`.
  void split(std::string_view text, std::vector<std::string_view>& pieces) const;

 private:
  struct Impl;
  explicit Pretokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ajar::engine
