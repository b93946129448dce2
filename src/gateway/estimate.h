#pragma once
// Token estimates, for reserving before a call and for billing what was used when nobody reports it.

#include "core/embedding.h"
#include "core/request.h"
#include "core/rerank.h"

namespace ajar {

int64_t count_wide_bytes(std::string_view text);  // bytes that are not ASCII
// About how many tokens this text makes: measured on English, code and CJK against o200k, errs on the high side.
int64_t estimate_text_tokens(std::string_view text);
int64_t estimate_input_tokens(const EmbeddingRequest& request);
int64_t estimate_input_tokens(const RerankRequest& request);
// The same for a chat whose model is not known yet; see token_model.h for one that is.
int64_t estimate_input_tokens(const Request& request);

}  // namespace ajar
