#pragma once
// Token estimates, for reserving before a call and for billing what was used when nobody reports it.

#include "core/embedding.h"
#include "core/request.h"

namespace ajar {

int64_t count_wide_bytes(std::string_view text);  // bytes that are not ASCII
// About how many tokens this text makes: measured on English, code and CJK against o200k, errs on the high side.
int64_t estimate_text_tokens(std::string_view text);
// Input tokens of a whole request: turns, tools, schema, images (by a flat figure), never below 1.
int64_t estimate_input_tokens(const Request& request);
int64_t estimate_input_tokens(const EmbeddingRequest& request);

}  // namespace ajar
