#pragma once
// Files that clients keep here, and batches: many requests from one file, answered when there is room for them.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/request.h"

namespace ajar {

struct StoredFile {
  std::string id;       // "file-…"
  std::string owner;    // who may see it: owner_of() of the key
  std::string name;
  std::string purpose;  // "batch", "batch_output", "user_data", …
  int64_t bytes = 0;
  int64_t created_ms = 0;
  int64_t expires_ms = 0;  // 0: as long as the server keeps files
};

enum class BatchStatus : uint8_t {
  kValidating, kFailed, kInProgress, kFinalizing, kCompleted, kExpired, kCancelling, kCancelled
};
std::string_view batch_status_name(BatchStatus status);  // OpenAI's words
inline bool is_over(BatchStatus status) {
  return status == BatchStatus::kFailed || status == BatchStatus::kCompleted || status == BatchStatus::kExpired ||
         status == BatchStatus::kCancelled;
}

struct Batch {
  std::string id;        // "batch_…"
  std::string owner;
  std::string key_id;    // on whose account the lines run; empty on an open server
  std::string endpoint;  // "/v1/chat/completions"
  std::string input_file, output_file, error_file;
  BatchStatus status = BatchStatus::kValidating;
  std::string window;    // "24h"
  RawJson metadata;      // an object, or empty
  RawJson faults;        // an array of {code, message, param, line}, or empty
  int64_t total = 0, completed = 0, failed = 0;  // lines
  int64_t created_ms = 0, expires_ms = 0;
  int64_t in_progress_ms = 0, finalizing_ms = 0, cancelling_ms = 0;
  int64_t ended_ms = 0;  // completed, failed, expired or cancelled, as `status` says
};

}  // namespace ajar
