#pragma once
// Log probabilities: this API has them as parallel lists, our events as Chat Completions' items.

#include <string>
#include <string_view>

#include "json/read.h"
#include "json/write.h"

namespace ajar::wire::completions {

// {tokens, token_logprobs, top_logprobs, text_offset} as comma-separated items; empty when there are none.
std::string items_of(const json::Object& logprobs);
// The other way. `offset` is where the first token stands in the text where an item does not say; it moves on.
void write_logprobs(json::Writer& w, std::string_view items, int64_t& offset);

}  // namespace ajar::wire::completions
