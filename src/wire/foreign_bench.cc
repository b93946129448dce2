// A request of 2 KB from OpenAI's words into Anthropic's and Gemini's, and one event of a stream
// back.
#include <benchmark/benchmark.h>

#include "wire/anthropic/anthropic.h"
#include "wire/aws_events.h"
#include "wire/bedrock/bedrock.h"
#include "wire/cohere/cohere.h"
#include "wire/gemini/gemini.h"
#include "wire/ollama/ollama.h"
#include "wire/openai/chat.h"

namespace ajar::wire {
namespace {

std::string body_2kb() {
  std::string body =
      R"({"model":"chat","temperature":0.7,"max_tokens":500,"messages":[{"role":"system","content":"You are )"
      R"(a helpful assistant for a hardware shop. Answer briefly and never invent prices."})";
  for (int i = 0; i < 5; ++i) {
    body +=
        R"(,{"role":"user","content":"Do you have \"M6 x 40\" stainless bolts in stock, and what would a box of one )"
        R"(hundred cost with delivery to the north?"},{"role":"assistant","content":"Yes: a box of 100 is in stock.\n)"
        R"(Delivery takes two days; the price depends on your account, shall I look it up?"})";
  }
  body +=
      R"(,{"role":"user","content":[{"type":"text","text":"Yes please."}]}],"tools":[{"type":"function","function":{"name":)"
      R"("price","description":"Looks up a price","parameters":{"type":"object","properties":{"article":{"type":"string"},)"
      R"("quantity":{"type":"integer","minimum":1}},"required":["article"]}}}],"stream":true})";
  return body;
}

using Write = Result<WireRequest> (*)(const Request&, const TargetInfo&);
void write(benchmark::State& state, Write write_request, const char* model) {
  const std::string body = body_2kb();
  const auto request = openai::read_request(body);
  if (!request) return state.SkipWithError("the request cannot be read");
  const TargetInfo target{.model = model, .base_path = "/v1"};
  for (auto _ : state) benchmark::DoNotOptimize(write_request(*request, target));
  state.counters["bytes"] = double(body.size());
}
BENCHMARK_CAPTURE(write, anthropic, anthropic::write_request, "claude-sonnet-4-5");
BENCHMARK_CAPTURE(write, gemini, gemini::write_request, "gemini-2.5-flash");

void read_and_write(benchmark::State& state) {
  const std::string body = body_2kb();
  const TargetInfo target{.model = "claude-sonnet-4-5", .base_path = "/v1"};
  for (auto _ : state) {
    const auto request = openai::read_request(body);
    benchmark::DoNotOptimize(anthropic::write_request(*request, target));
  }
}
BENCHMARK(read_and_write);

void decode(benchmark::State& state, std::unique_ptr<ReplyDecoder> (*new_decoder)(),
            std::string_view first, std::string_view event) {
  auto decoder = new_decoder();
  EventBatch out;
  (void)decoder->on_event("", first, out);
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(decoder->on_event("", event, out));
  }
}
BENCHMARK_CAPTURE(
    decode, anthropic_text, anthropic::new_decoder,
    R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})",
    R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" thank you for"}})");
BENCHMARK_CAPTURE(
    decode, anthropic_args, anthropic::new_decoder,
    R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}})",
    R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\": 1"}})");
BENCHMARK_CAPTURE(
    decode, gemini_text, gemini::new_decoder, R"({"responseId":"r"})",
    R"({"candidates":[{"content":{"parts":[{"text":" thank you for"}],"role":"model"},"index":0}],)"
    R"("usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":13,"totalTokenCount":24,)"
    R"("promptTokensDetails":[{"modality":"TEXT","tokenCount":9}]},"modelVersion":"gemini-2.5-flash",)"
    R"("responseId":"M3iLaY"})");

BENCHMARK_CAPTURE(write, bedrock, bedrock::write_request, "claude-haiku-4-5");
BENCHMARK_CAPTURE(write, cohere, cohere::write_request, "command-a");
BENCHMARK_CAPTURE(write, ollama, ollama::write_request, "qwen3");
BENCHMARK_CAPTURE(decode, bedrock_text, bedrock::new_decoder, R"({"messageStart":{"role":"assistant"}})",
                  R"({"contentBlockDelta":{"contentBlockIndex":0,"delta":{"text":" thank you for"},"p":"abcdefghijklmnop"}})");
BENCHMARK_CAPTURE(decode, cohere_text, cohere::new_decoder, R"({"type":"message-start","id":"x"})",
                  R"({"type":"content-delta","index":0,"delta":{"message":{"content":{"text":" thank you for"}}}})");
BENCHMARK_CAPTURE(decode, ollama_text, ollama::new_decoder, "",
                  R"({"model":"qwen3","created_at":"2024-07-22T20:33:28.123648Z","message":{"role":"assistant","content":)"
                  R"(" thank you for"},"done":false})");

void frame(benchmark::State& state, Framing framing, const std::string& bytes) {
  const auto framer = new_framer(framing);
  int64_t frames = 0;
  for (auto _ : state) {
    (void)framer->feed(bytes, [&](const Frame&) -> Status { return ++frames, Status(); });
  }
}
BENCHMARK_CAPTURE(frame, sse, Framing::kSse, "data: " + std::string(180, 'x') + "\n\n");
BENCHMARK_CAPTURE(frame, lines, Framing::kJsonLines, std::string(180, '7') + "\n");
// The checksums of a message of 200 bytes.
void checksum(benchmark::State& state) {
  const std::string bytes(200, 'x');
  for (auto _ : state) benchmark::DoNotOptimize(crc32(bytes));
}
BENCHMARK(checksum);

void encode_ollama(benchmark::State& state) {
  const auto encoder = ollama::chat_front().new_encoder({.model = "m"});
  const EventBatch events = {Event::of_text(" thank you for")};
  std::string out;
  for (auto _ : state) {
    out.clear();
    encoder->encode(events, out);
  }
}
BENCHMARK(encode_ollama);

}  // namespace
}  // namespace ajar::wire
