#include "api/fronts.h"

#include "wire/completions/completions.h"
#include "wire/openai/chat.h"
#include "wire/responses/responses.h"

namespace ajar::api {

const wire::Front& front_of(std::string_view path) {
  if (path.starts_with("/v1/responses")) return wire::responses::front();
  if (path == "/v1/completions" || path == "/completions") return wire::completions::front();
  return wire::openai::front();
}

}  // namespace ajar::api
