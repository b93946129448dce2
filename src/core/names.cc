#include "core/batch.h"
#include "core/event.h"
#include "core/request.h"

namespace ajar {

std::string_view dialect_name(DialectId id) {
  switch (id) {
    case DialectId::kNone: return "none";
    case DialectId::kOpenAiChat: return "openai";
    case DialectId::kAnthropic: return "anthropic";
    case DialectId::kGemini: return "gemini";
    case DialectId::kOpenAiResponses: return "responses";
    case DialectId::kOllama: return "ollama";
    case DialectId::kCohere: return "cohere";
    case DialectId::kBedrock: return "bedrock";
    case DialectId::kReplicate: return "replicate";
  }
  return "none";
}

std::string_view batch_status_name(BatchStatus status) {
  switch (status) {
    case BatchStatus::kValidating: return "validating";
    case BatchStatus::kFailed: return "failed";
    case BatchStatus::kInProgress: return "in_progress";
    case BatchStatus::kFinalizing: return "finalizing";
    case BatchStatus::kCompleted: return "completed";
    case BatchStatus::kExpired: return "expired";
    case BatchStatus::kCancelling: return "cancelling";
    case BatchStatus::kCancelled: return "cancelled";
  }
  return "failed";
}

std::string_view role_name(Role role) {
  switch (role) {
    case Role::kSystem: return "system";
    case Role::kDeveloper: return "developer";
    case Role::kUser: return "user";
    case Role::kAssistant: return "assistant";
    case Role::kTool: return "tool";
  }
  return "user";
}

std::string_view finish_name(Finish finish) {
  switch (finish) {
    case Finish::kNone: return "";
    case Finish::kStop: return "stop";
    case Finish::kLength: return "length";
    case Finish::kToolCalls: return "tool_calls";
    case Finish::kContentFilter: return "content_filter";
    case Finish::kRefusal: return "content_filter";
    case Finish::kPause: return "stop";
    case Finish::kError: return "error";
  }
  return "stop";
}

std::string_view stream_end_name(StreamEnd end) {
  switch (end) {
    case StreamEnd::kComplete: return "complete";
    case StreamEnd::kUpstreamError: return "upstream_error";
    case StreamEnd::kCut: return "cut";
    case StreamEnd::kCancelled: return "cancelled";
    case StreamEnd::kFiltered: return "filtered";
  }
  return "upstream_error";
}

}  // namespace ajar
