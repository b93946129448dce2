// CPU per translated request and stream event where a client speaks Responses. Run: build-bench/responses_bench
#include <benchmark/benchmark.h>

#include "wire/anthropic/anthropic.h"
#include "wire/openai/chat.h"
#include "wire/responses/responses.h"

namespace ajar::wire::responses {
namespace {

std::string request_of(size_t bytes) {
  std::string body = R"({"model":"m","stream":true,"instructions":"You are an agent.","tools":[)"
                     R"({"type":"function","name":"read","description":"Reads a file.","strict":false,"parameters":)"
                     R"({"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}}],"input":[)"
                     R"({"type":"message","role":"user","content":[{"type":"input_text","text":"Fix the bug."}]})";
  for (int i = 0; body.size() < bytes; ++i) {
    const std::string id = "call_" + std::to_string(i);
    body += R"(,{"type":"function_call","call_id":")" + id + R"(","name":"read","arguments":"{\"path\":\"a.cc\"}"})";
    body += R"(,{"type":"function_call_output","call_id":")" + id + R"(","output":")" + std::string(300, 'x') + R"("})";
  }
  return body + "]}";
}

template <class Write>
void request(benchmark::State& state, Write write) {
  const std::string body = request_of(size_t(state.range(0)));
  for (auto _ : state) {
    const auto read = read_request(body);
    benchmark::DoNotOptimize(echo(*read));
    benchmark::DoNotOptimize(write(*read, TargetInfo{.model = "claude-sonnet-4-5", .base_path = "/v1"}));
  }
  state.counters["bytes"] = double(body.size());
}
void BM_RequestToChat(benchmark::State& state) { request(state, openai::write_request); }
void BM_RequestToAnthropic(benchmark::State& state) { request(state, anthropic::write_request); }
void BM_RequestToResponses(benchmark::State& state) { request(state, write_request); }
BENCHMARK(BM_RequestToChat)->Arg(2048)->Arg(1 << 20);
BENCHMARK(BM_RequestToAnthropic)->Arg(2048);
BENCHMARK(BM_RequestToResponses)->Arg(2048);

void BM_KeepInput(benchmark::State& state) {
  const auto read = read_request(request_of(2048));
  for (auto _ : state) benchmark::DoNotOptimize(write_input(*read));
}
BENCHMARK(BM_KeepInput);

constexpr std::string_view kChatChunk =
    R"({"id":"chatcmpl-C4HqHBe4xca0k0EzsCnf1t6V3YFXp","object":"chat.completion.chunk","created":1755137933,)"
    R"("model":"gpt-5-nano-2025-08-07","choices":[{"index":0,"delta":{"content":" there"},"finish_reason":null}]})";
constexpr std::string_view kDelta =
    R"({"type":"response.output_text.delta","sequence_number":5,"item_id":"msg_01830d662ab38565","output_index":0,)"
    R"("content_index":0,"delta":" there","logprobs":[],"obfuscation":"xXxv2CE8Q5J"})";

void event(benchmark::State& state, ReplyDecoder& decoder, std::string_view data) {
  auto encoder = new_encoder({.model = "m"});
  EventBatch events;
  std::string out;
  int64_t count = 0;
  for (auto _ : state) {
    events.clear();
    out.clear();
    benchmark::DoNotOptimize(decoder.on_event("", data, events));
    encoder->encode(events, out);
    benchmark::DoNotOptimize(out.data());
    if (++count % 100'000 == 0) encoder = new_encoder({.model = "m"});  // it keeps what was said
  }
}
void BM_EventFromChat(benchmark::State& state) { event(state, *openai::new_decoder(), kChatChunk); }
void BM_EventFromResponses(benchmark::State& state) { event(state, *new_decoder(), kDelta); }
BENCHMARK(BM_EventFromChat);
BENCHMARK(BM_EventFromResponses);

}  // namespace
}  // namespace ajar::wire::responses
