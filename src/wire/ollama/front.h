#pragma once
// The inbound half's pieces.

#include "wire/ollama/ollama.h"

namespace ajar::wire::ollama {

Result<Request> read_chat_request(std::string_view body);
Result<Request> read_generate_request(std::string_view body);
std::unique_ptr<ReplyEncoder> new_chat_encoder(ReplyOptions options);
std::unique_ptr<ReplyEncoder> new_generate_encoder(ReplyOptions options);
std::string write_chat_reply(const Reply& reply, const ReplyOptions& options);
std::string write_generate_reply(const Reply& reply, const ReplyOptions& options);

}  // namespace ajar::wire::ollama
