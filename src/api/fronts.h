#pragma once
// Which dialect a client speaks, told by the path it calls. The only list of the inbound dialects.

#include <string_view>

#include "wire/dialect.h"

namespace ajar::api {

// Never fails: a path that belongs to no other dialect is OpenAI's.
const wire::Front& front_of(std::string_view path);

// What a reply repeats of its request; `id` is the call's.
wire::ReplyOptions options_of(const wire::Front& front, const Request& request, std::string id);

}  // namespace ajar::api
