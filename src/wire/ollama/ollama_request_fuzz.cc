// The request readers against any bytes: no crash; what they accept can be written to Ollama as valid JSON.
#include <cstdlib>

#include "json/read.h"
#include "wire/ollama/front.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ajar::wire;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto read : {ollama::read_chat_request, ollama::read_generate_request}) {
    const auto request = read(text);
    if (!request) continue;
    const auto written = ollama::write_request(*request, {.model = "m"});
    if (written ? !ajar::json::explain(written->body).empty() : written.error().field.empty()) std::abort();
  }
  for (const auto read : {ollama::read_embedding_request, ollama::read_single_embedding_request}) {
    if (const auto request = read(text)) {
      const auto written = ollama::write_embedding_request(*request, {.model = "m"});
      if (written && !ajar::json::explain(written->body).empty()) std::abort();
    }
  }
  (void)ollama::read_show_request(text);
  if (const auto load = ollama::read_load_request(text)) {
    if (!ajar::json::explain(ollama::write_load_reply(*load, ollama::chat_front())).empty()) std::abort();
  }
  return 0;
}
