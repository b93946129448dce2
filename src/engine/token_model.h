#pragma once
// The last step of a tokenizer: a piece of normalised text to ids. Immutable; any thread.

#include <memory>
#include <string_view>
#include <vector>

#include "engine/vocabulary.h"

namespace ajar::engine {

class TokenModel {
 public:
  virtual ~TokenModel() = default;
  virtual void encode(std::string_view piece, std::vector<int32_t>& ids) const = 0;
  const Vocabulary& vocabulary() const { return vocabulary_; }

 protected:
  explicit TokenModel(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}
  Vocabulary vocabulary_;
};

// Ids of the 256 bytes among the tokens "<0x00>" to "<0xFF>"; -1: none. Empty: the vocabulary has no byte tokens.
using ByteIds = std::vector<int32_t>;
ByteIds byte_ids_of(const Vocabulary& vocabulary);

}  // namespace ajar::engine
