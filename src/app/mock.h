#pragma once
// ajar mock: a simulator of model servers. It speaks the outbound dialects (OpenAI chat and embeddings, Anthropic
// Messages, Gemini, Bedrock, Cohere, Ollama, Replicate), streams at a set pace, replays recorded traffic, and misbehaves on demand. No model stands behind
// it; what it says is made from the request and always the same.
//
// Faults are asked for by a path prefix (/fault/NAME/v1/…), a header (x-mock-fault: NAME) or a model name
// (fault-NAME); `mock_faults()` lists them.

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/loop.h"

namespace ajar::app {

struct MockOptions {
  std::string listen = "127.0.0.1:8089";
  int64_t pace_ms = 0;           // between two tokens of a stream
  int64_t first_delay_ms = 0;    // before the first byte of any answer
  int64_t tokens = 0;            // length of a reply; 0: as long as what it echoes
  std::string transcripts;       // folder of recorded traffic
  size_t threads = 1;
};

struct MockFault {
  std::string_view name, what;
};
const std::vector<MockFault>& mock_faults();

class Mock {
 public:
  static Result<std::unique_ptr<Mock>> start(MockOptions options);
  ~Mock();
  std::string url() const;        // "http://127.0.0.1:PORT"
  size_t transcripts() const;     // recorded answers loaded

 private:
  struct Impl;
  explicit Mock(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ajar::app
