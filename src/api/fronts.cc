#include "api/fronts.h"

#include "wire/ollama/ollama.h"
#include "wire/openai/chat.h"

namespace ajar::api {

const wire::Front& front_of(std::string_view path) {
  if (path.starts_with("/api/")) return wire::ollama::chat_front();
  return wire::openai::front();
}

}  // namespace ajar::api
