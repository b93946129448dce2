#include "api/fronts.h"

#include "wire/openai/chat.h"

namespace ajar::api {

const wire::Front& front_of(std::string_view path) { return wire::openai::front(); }

}  // namespace ajar::api
