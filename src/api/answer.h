#pragma once
// A request answered without a connection: for batches, and whoever else asks from inside the server.

#include <optional>
#include <string>
#include <string_view>

#include "gateway/gateway.h"

namespace ajar::api {

struct Answer {
  int status = 500;
  std::string body;            // JSON in the endpoint's dialect, an error's too
  std::string request_id;
  std::optional<Error> error;  // why it is no success
};

// Endpoints that may be asked so.
std::span<const std::string_view> answerable();

// Never streams. Runs on the calling loop; `cancel` must outlive the task.
Task<Answer> answer(Gateway& gateway, std::string endpoint, std::string body, std::shared_ptr<const Key> key,
                    CancelToken& cancel);

}  // namespace ajar::api
