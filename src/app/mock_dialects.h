#pragma once
// OpenAI's other two text APIs, as the simulator speaks them: Responses and the legacy Completions.

#include <string>
#include <vector>

#include "app/mock_reply.h"
#include "json/read.h"

namespace ajar::app {

// Fill what the dialects have in other places than Chat Completions: the last user turn, tools, limits, schema.
void read_mock_responses(const json::Object& root, MockRequest& request);
void read_mock_completions(const json::Object& root, MockRequest& request);

std::string mock_responses_body(const MockRequest& request, const MockReply& reply);
std::vector<std::string> mock_responses_frames(const MockRequest& request, const MockReply& reply);
std::string mock_completions_body(const MockRequest& request, const MockReply& reply);
std::vector<std::string> mock_completions_frames(const MockRequest& request, const MockReply& reply);

}  // namespace ajar::app
