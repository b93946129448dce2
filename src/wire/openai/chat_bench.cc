// CPU per stream chunk and per request. Run: build/chat_bench
#include <benchmark/benchmark.h>

#include "wire/openai/chat.h"

namespace ajar::wire::openai {
namespace {

constexpr std::string_view kChunk =
    R"({"id":"chatcmpl-C4HqHBe4xca0k0EzsCnf1t6V3YFXp","object":"chat.completion.chunk","created":1755137933,)"
    R"("model":"gpt-5-nano-2025-08-07","service_tier":"default","system_fingerprint":null,"choices":[{"index":0,)"
    R"("delta":{"content":" there"},"logprobs":null,"finish_reason":null}]})";

void BM_DecodeEncodeChunk(benchmark::State& state) {
  const auto decoder = new_decoder();
  const auto encoder = new_encoder({.include_usage = true, .model = "m"});
  EventBatch events;
  std::string out;
  for (auto _ : state) {
    events.clear();
    out.clear();
    benchmark::DoNotOptimize(decoder->on_event("", kChunk, events));
    encoder->encode(events, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(int64_t(state.iterations()) * int64_t(kChunk.size()));
  state.counters["chunk_bytes"] = double(kChunk.size());
}
BENCHMARK(BM_DecodeEncodeChunk);

void BM_DecodeChunk(benchmark::State& state) {
  const auto decoder = new_decoder();
  EventBatch events;
  for (auto _ : state) {
    events.clear();
    benchmark::DoNotOptimize(decoder->on_event("", kChunk, events));
  }
}
BENCHMARK(BM_DecodeChunk);

// An agent's conversation of about `kilobytes`: tools with schemas, tool calls and long results.
std::string agent_request(int64_t kilobytes) {
  std::string body = R"({"model":"m","stream":true,"max_completion_tokens":32000,"tools":[)";
  for (int i = 0; i < 16; ++i) {
    if (i > 0) body += ",";
    body +=
        R"({"type":"function","function":{"name":"tool_)" + std::to_string(i) +
        R"(","description":"Reads a file from the local filesystem.","parameters":{"type":"object","properties":)"
        R"({"path":{"type":"string","description":"where"},"limit":{"type":"integer"}},"required":["path"]}}})";
  }
  body += R"(],"messages":[{"role":"system","content":"You are an agent."})";
  for (int i = 0; body.size() < size_t(kilobytes) * 1024; ++i) {
    const std::string id = "call_" + std::to_string(i);
    body +=
        R"(,{"role":"assistant","content":null,"tool_calls":[{"id":")" + id +
        R"(","type":"function","function":{"name":"tool_1","arguments":"{\"path\":\"/src/a.cc\"}"}}]})";
    body += R"(,{"role":"tool","tool_call_id":")" + id + R"(","content":")" +
            std::string(2000, 'x') + R"(\n\"quoted\"\n"})";
  }
  return body + "]}";
}

void BM_ReadWriteRequest(benchmark::State& state) {
  const std::string body = agent_request(state.range(0));
  const TargetInfo target{.model = "gpt", .preset = "openai", .base_path = "/v1"};
  for (auto _ : state) {
    const auto request = read_request(body);
    benchmark::DoNotOptimize(write_request(*request, target)->body.data());
  }
  state.SetBytesProcessed(int64_t(state.iterations()) * int64_t(body.size()));
}
BENCHMARK(BM_ReadWriteRequest)->Arg(8)->Arg(200)->Arg(1500);

}  // namespace
}  // namespace ajar::wire::openai
