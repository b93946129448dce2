#pragma once
// Anthropic Messages, in both directions. Spec: https://docs.anthropic.com/en/api/messages

#include "core/embedding.h"
#include "wire/dialect.h"

namespace ajar::wire::anthropic {

Result<WireRequest> write_request(const Request& request, const TargetInfo& target);
Error read_error(int status, std::string_view content_type, std::string_view body);
std::unique_ptr<ReplyDecoder> new_decoder();

// Client request. Errors are kInvalid with `field` such as "messages[2].content[0].source".
Result<Request> read_request(std::string_view body);
// The same for POST /v1/messages/count_tokens, which takes no max_tokens.
// https://docs.claude.com/en/api/messages-count-tokens
Result<Request> read_count_request(std::string_view body);
std::string write_count(int64_t input_tokens);

std::unique_ptr<ReplyEncoder> new_encoder(ReplyOptions options);
std::string write_reply(const Reply& reply, const ReplyOptions& options);
std::string write_error(const Error& error, int http_status, std::string_view request_id);

const Front& front();

// GET /v1/models and /v1/models/{id}. https://docs.claude.com/en/api/models-list
struct ModelEntry {
  std::string id;
  int64_t created = 0;
};
std::string write_models(const std::vector<ModelEntry>& models);
std::string write_model(const ModelEntry& model);

}  // namespace ajar::wire::anthropic
