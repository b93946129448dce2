#include "wire/openai/chat.h"

namespace ajar::wire::openai {

const Front& front() {
  static constexpr Front kFront = {.id = DialectId::kOpenAiChat,
                                   .endpoint = "chat",
                                   .stream_type = "text/event-stream; charset=utf-8",
                                   .id_header = {},
                                   .read_request = read_request,
                                   .new_encoder = new_encoder,
                                   .write_reply = write_reply,
                                   .write_error = write_error};
  return kFront;
}

}  // namespace ajar::wire::openai
