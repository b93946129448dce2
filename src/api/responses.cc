// POST /v1/responses.
#include "api/api.h"
#include "wire/responses/responses.h"

namespace ajar::api {

Task<> Api::responses(Exchange& exchange) { co_await converse(exchange, wire::responses::front(), {}); }

}  // namespace ajar::api
