#include "api/fronts.h"

#include "api/gemini_path.h"
#include "wire/anthropic/anthropic.h"
#include "wire/completions/completions.h"
#include "wire/gemini/gemini.h"
#include "wire/ollama/ollama.h"
#include "wire/openai/chat.h"
#include "wire/responses/responses.h"

namespace ajar::api {

const wire::Front& front_of(std::string_view path) {
  if (path.starts_with("/api/")) return wire::ollama::chat_front();
  if (path.starts_with("/v1/messages") || path.starts_with("/anthropic/")) return wire::anthropic::front();
  if (is_gemini(path)) return wire::gemini::front();
  if (path.starts_with("/v1/responses")) return wire::responses::front();
  if (path == "/v1/completions" || path == "/completions") return wire::completions::front();
  return wire::openai::front();
}

wire::ReplyOptions options_of(const wire::Front& front, const Request& request, std::string id) {
  return {.dialect = request.dialect, .include_usage = request.include_usage, .model = request.model,
          .legacy_functions = request.legacy_functions, .id = std::move(id),
          .echo = front.echo != nullptr ? front.echo(request) : RawMembers()};
}

}  // namespace ajar::api
