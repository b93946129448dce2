#pragma once
// Ollama's own API, in both directions. Spec: https://github.com/ollama/ollama/blob/main/docs/api.md

#include <optional>

#include "core/embedding.h"
#include "wire/dialect.h"

namespace ajar::wire::ollama {

// POST /api/chat. A tool choice that must call is kUnsupported: the API has none.
Result<WireRequest> write_request(const Request& request, const TargetInfo& target);
Error read_error(int status, std::string_view content_type, std::string_view body);
std::unique_ptr<ReplyDecoder> new_decoder();

// POST /api/embed. Token inputs are kUnsupported.
Result<WireRequest> write_embedding_request(const EmbeddingRequest& request, const TargetInfo& target);
Result<EmbeddingReply> read_embedding_reply(std::string_view body);

// The client's side: POST /api/chat, and POST /api/generate, which is a chat of one turn told in other words. Both stream
// unless told not to, one JSON text per line. What generate says of templates, suffixes and contexts is kUnsupported.
const Front& chat_front();
const Front& generate_front();
std::string write_error(const Error& error, int http_status, std::string_view request_id);

// A request that says nothing asks the server to load the model, or to unload it (keep_alive 0), which clients do before
// they say something. Nothing when the body is anything else.
struct LoadRequest {
  std::string model;
  bool unload = false;
};
std::optional<LoadRequest> read_load_request(std::string_view body);
std::string write_load_reply(const LoadRequest& request, const Front& front);

// POST /api/embed, and POST /api/embeddings, its older form of one prompt and one embedding.
Result<EmbeddingRequest> read_embedding_request(std::string_view body);
std::string write_embedding_reply(const EmbeddingReply& reply, const EmbeddingRequest& request);
Result<EmbeddingRequest> read_single_embedding_request(std::string_view body);
std::string write_single_embedding_reply(const EmbeddingReply& reply);

// GET /api/tags and POST /api/show. Nothing is known of a route but its name.
std::string write_tags(const std::vector<std::string>& models);
std::string write_show(std::string_view model);
Result<std::string> read_show_request(std::string_view body);  // the model's name

}  // namespace ajar::wire::ollama
