#pragma once
// Replicate's predictions, outbound: a text for a text. Spec: https://replicate.com/docs/reference/http
//
// A prediction is made, then polled or streamed from URLs that the answer names; the provider does that
// (provider/prediction.cc). The words of both are here.

#include "wire/dialect.h"

namespace ajar::wire::replicate {

// The models have inputs, not conversations: "prompt" and "system_prompt". A conversation of several turns is told as a
// transcript. Tools and structured output are kUnsupported. A member "input" of the client's is merged over ours.
Result<WireRequest> write_request(const Request& request, const TargetInfo& target);
Error read_error(int status, std::string_view content_type, std::string_view body);
// Events of a stream: output, error, done. A body: a prediction that has succeeded.
std::unique_ptr<ReplyDecoder> new_decoder();

struct Prediction {
  std::string status;                      // "starting", "processing", "succeeded", "failed", "canceled", …
  std::string get_url, cancel_url, stream_url;  // as the server says; empty: none

  bool ended() const { return status != "starting" && status != "processing"; }
};
// kUpstream: not a prediction, or one that has failed, with what it says. One that has succeeded is told to `out`, as a
// decoder's on_body() would, so that a long answer is parsed once.
Result<Prediction> read_prediction(std::string_view body, EventBatch& out);
// The counts of a prediction that has ended, if it tells them.
void read_usage(std::string_view body, EventBatch& out);

}  // namespace ajar::wire::replicate
