#pragma once
// The simulator's dialects beyond OpenAI's, Anthropic's and Gemini's: one row and one file each.

#include <span>
#include <string>
#include <vector>

#include "app/mock_reply.h"
#include "json/read.h"

namespace ajar::app {

struct MockSpeaker {
  MockDialect dialect;
  std::string_view stream_type;  // content type of a stream
  size_t first_tokens;           // frames up to and with the second token
  bool (*takes)(std::string_view path);
  // Reads what the common reader does not know; `root` is the body.
  void (*read)(MockRequest& request, std::string_view path, const json::Object& root);
  std::string (*body)(const MockRequest& request, const MockReply& reply);
  std::vector<std::string> (*frames)(const MockRequest& request, const MockReply& reply);
  std::string (*error)(int status, std::string_view message);
  std::string (*stream_error)(std::string_view message);  // a frame
  std::string_view garbage;                               // bytes of a stream that are no frame
  bool (*gets)(std::string_view path) = nullptr;          // paths that it answers to GET
};

const MockSpeaker& bedrock_speaker();
const MockSpeaker& cohere_speaker();
const MockSpeaker& ollama_speaker();
const MockSpeaker& replicate_speaker();

std::span<const MockSpeaker* const> mock_speakers();
bool mock_gets(std::string_view path);
const MockSpeaker* find_speaker(MockDialect dialect);  // null: one of the first three

// What several speakers write.
void mock_model_name(MockRequest& request);  // what the model's name asks for
std::string mock_aws_message(std::string_view name, std::string_view payload);  // an exception if NAME ends so
std::string mock_text(const MockReply& reply);
std::vector<MockCall> mock_calls(const MockReply& reply);
inline constexpr std::string_view kMockSignature = "bW9jay1zaWduYXR1cmU=";
int64_t mock_output_tokens(const MockReply& reply);
std::string mock_quoted(std::string_view text);
std::vector<float> mock_embedding(const std::string& text, int64_t dimensions);
std::string mock_embedding_rows(const MockRequest& request);  // [[…],…]

// OpenAI's other two text APIs: Responses and the legacy Completions.
// Fill what the dialects have in other places than Chat Completions: the last user turn, tools, limits, schema.
void read_mock_responses(const json::Object& root, MockRequest& request);
void read_mock_completions(const json::Object& root, MockRequest& request);

std::string mock_responses_body(const MockRequest& request, const MockReply& reply);
std::vector<std::string> mock_responses_frames(const MockRequest& request, const MockReply& reply);
std::string mock_completions_body(const MockRequest& request, const MockReply& reply);
std::vector<std::string> mock_completions_frames(const MockRequest& request, const MockReply& reply);

}  // namespace ajar::app
