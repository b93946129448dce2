#pragma once
// One streamed chat turn from the command line's side.

#include <functional>
#include <string>
#include <vector>

#include "app/http_call.h"

namespace ajar::app {

struct Turn {
  std::string role, text;
};

struct ChatAnswer {
  std::string text, model, finish;
  Headers headers;
  int64_t input = 0, output = 0;
  double first_token_seconds = 0, total_seconds = 0;
  bool done = false;   // [DONE] was seen
};

// Sends the turns and hands over text as it comes (`thought`: reasoning). The error is what the server said, also in the
// middle of a stream.
Result<ChatAnswer> stream_chat(HttpCaller& caller, const std::string& url, const std::string& key,
                               const std::string& model, const std::vector<Turn>& turns,
                               const std::function<void(std::string_view text, bool thought)>& on_text);

// The message inside an error body, or a short excerpt of it.
std::string error_message(std::string_view body);

}  // namespace ajar::app
