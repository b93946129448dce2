#include "wire/openai_error.h"
#include "wire/responses/responses.h"

namespace ajar::wire::responses {

const Front& front() {
  static constexpr Front kFront = {.id = DialectId::kOpenAiResponses,
                                   .endpoint = "responses",
                                   .stream_type = "text/event-stream; charset=utf-8",
                                   .read_request = read_request,
                                   .new_encoder = new_encoder,
                                   .write_reply = write_reply,
                                   .write_error = openai::write_error,
                                   .echo = echo};
  return kFront;
}

}  // namespace ajar::wire::responses
