#pragma once
// A request's tokens by the model's own vocabulary.

#include "core/request.h"
#include "engine/tokenizer.h"

namespace ajar {

struct TokenCount {
  int64_t tokens = 0;
  bool exact = false;  // every token is the vocabulary's; otherwise something was estimated
};

// The texts by `tokenizer`; three tokens around each message and three before the answer, as OpenAI documents for its
// chat models. Tools, schemas and media are framed in ways that providers do not publish: with them it is not exact.
TokenCount count_tokens(const engine::Tokenizer& tokenizer, const Request& request);

}  // namespace ajar
