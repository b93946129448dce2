#pragma once
// Recorded traffic of real providers, for the mock to replay and for tests to compare with. Reads VCR cassettes and
// go-vcr files (YAML), and bare fixtures: *.json bodies and *.chunks.txt streams (one JSON per line).

#include <map>
#include <string>
#include <vector>

#include "app/mock_reply.h"
#include "base/error.h"

namespace ajar::app {

struct Transcript {
  std::string id;          // "<path under the folder, without ending>#<n>"
  MockDialect dialect = MockDialect::kNone;
  std::string url, request;  // empty for bare fixtures
  int status = 200;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;  // those worth replaying (retry-after, …)
  std::string body;
  bool stream() const {
    return content_type.starts_with("text/event-stream") || content_type == mock_stream_type(dialect);
  }
};

// Everything below `folder` that is a chat or embeddings exchange of a dialect that the mock speaks. Files that
// cannot be read are named in `skipped`.
struct Transcripts {
  std::vector<Transcript> all;
  std::vector<std::string> skipped;
  const Transcript* find(std::string_view id) const;
};
Result<Transcripts> load_transcripts(const std::string& folder);

}  // namespace ajar::app
