#include "api/fronts.h"

#include "api/gemini_path.h"
#include "wire/anthropic/anthropic.h"
#include "wire/gemini/gemini.h"
#include "wire/ollama/ollama.h"
#include "wire/openai/chat.h"

namespace ajar::api {

const wire::Front& front_of(std::string_view path) {
  if (path.starts_with("/api/")) return wire::ollama::chat_front();
  if (path.starts_with("/v1/messages") || path.starts_with("/anthropic/")) return wire::anthropic::front();
  if (is_gemini(path)) return wire::gemini::front();
  return wire::openai::front();
}

}  // namespace ajar::api
