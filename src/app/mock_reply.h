#pragma once
// What the mock says, and how each dialect writes it. Written apart from src/wire on purpose: a simulator that shared
// the translators' code would share their mistakes.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ajar::app {

enum class MockDialect {
  kNone, kOpenAi, kEmbeddings, kAnthropic, kGemini, kGeminiEmbeddings, kOllama, kBedrock, kCohere, kReplicate, kResponses,
  kCompletions
};

struct MockCall {
  std::string tool, arguments;
};

// What the mock read of a request. A model name such as "mock-t200-d50-p20-c" sets the reply: 200 tokens, 50 ms before
// the first byte, 20 ms between two tokens, and "c": every token says when it was written (kClockMark).
struct MockRequest {
  MockDialect dialect = MockDialect::kNone;
  std::string model;
  std::string last_text;      // the last user turn's text
  std::string tool;           // name of the tool to call, empty: none
  std::string first_tool;     // the first that is declared, called or not
  std::string tool_schema;    // its parameters
  std::vector<MockCall> tools;  // all that are declared, with their parameters
  bool think = false;
  std::string answer_schema;  // structured output asked for
  bool json_object = false;
  bool stream = false;
  bool include_usage = false;
  bool starts = false;        // Replicate: only begins
  std::string host;           // as the caller names us
  bool after_tool = false;    // the last turn is a tool result
  int64_t max_tokens = 0;
  int64_t choices = 1;
  bool embeddings = false;    // of a dialect whose chat and embeddings are one (mock_dialects.h)
  int64_t input_tokens = 0;
  std::vector<std::string> inputs;  // embeddings
  bool base64 = false;
  int64_t dimensions = 0;
  bool echo = false, logprobs = false, max_tokens_given = false;  // completions, whose prompts are `inputs`
  int64_t tokens = 0;     // 0: as the mock was told
  int64_t delay_ms = -1;  // -1: as the mock was told
  int64_t pace_ms = -1;
  bool clock = false;
};

// Stands in a clocked token until it is written; then sixteen digits take its place: the steady clock in microseconds,
// which all processes of a machine share.
inline constexpr std::string_view kClockMark = "@@@@@@@@@@@@@@@@";

struct MockReply {
  std::vector<std::string> tokens;  // text, in stream pieces
  std::string thought;              // before it, where the request asked for one
  std::string tool, arguments;      // a call instead of text
  std::vector<MockCall> more;       // calls beside that one
  bool cut_by_length = false;
};

// Never fails: what it cannot read stays empty. `path` decides the dialect.
MockRequest read_mock_request(std::string_view path, std::string_view query, std::string_view body);
MockReply make_mock_reply(const MockRequest& request, int64_t tokens);

// A whole body, or the frames of a stream in order.
std::string mock_body(const MockRequest& request, const MockReply& reply);
std::vector<std::string> mock_frames(const MockRequest& request, const MockReply& reply);
// The dialect's own error body.
std::string mock_error(MockDialect dialect, int status, std::string_view message);
// Of a stream: its content type, an error inside it, bytes that are no frame, and how many frames hold two tokens.
std::string_view mock_stream_type(MockDialect dialect);
std::string mock_stream_error(MockDialect dialect, std::string_view message, bool first);
std::string_view mock_garbage(MockDialect dialect, bool first);
size_t mock_first_tokens(MockDialect dialect);
// The smallest JSON value that fits a schema, as far as the mock understands it.
std::string sample_of_schema(std::string_view schema);

}  // namespace ajar::app
