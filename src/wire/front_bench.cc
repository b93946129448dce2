// A request of 2 KB in Anthropic's and Gemini's words to each upstream dialect, and one event of a stream to their clients.
#include <benchmark/benchmark.h>

#include "wire/anthropic/anthropic.h"
#include "wire/gemini/gemini.h"
#include "wire/openai/chat.h"

namespace ajar::wire {
namespace {

constexpr std::string_view kQuestion =
    R"(Do you have \"M6 x 40\" stainless bolts in stock, and what would a box of one hundred cost with delivery to the north?)";
constexpr std::string_view kAnswer =
    R"(Yes: a box of 100 is in stock.\nDelivery takes two days; the price depends on your account, shall I look it up?)";
constexpr std::string_view kSchema =
    R"({"type":"object","properties":{"article":{"type":"string"},"quantity":{"type":"integer"}},"required":["article"]})";

std::string anthropic_2kb() {
  std::string body = R"({"model":"chat","max_tokens":500,"stream":true,"system":[{"type":"text","text":"You are a helpful )"
                     R"(assistant for a hardware shop.","cache_control":{"type":"ephemeral"}}],"messages":[)";
  for (int i = 0; i < 5; ++i) {
    body.append(R"({"role":"user","content":[{"type":"text","text":")").append(kQuestion).append(R"("}]},)");
    body.append(R"({"role":"assistant","content":[{"type":"text","text":")").append(kAnswer).append(R"("}]},)");
  }
  return body.append(R"({"role":"user","content":"Yes please."}],"tools":[{"name":"price","description":"Looks up a price",)"
                     R"("input_schema":)").append(kSchema).append("}]}");
}

std::string gemini_2kb() {
  std::string body = R"({"systemInstruction":{"parts":[{"text":"You are a helpful assistant for a hardware shop."}]},"contents":[)";
  for (int i = 0; i < 5; ++i) {
    body.append(R"({"role":"user","parts":[{"text":")").append(kQuestion).append(R"("}]},)");
    body.append(R"({"role":"model","parts":[{"text":")").append(kAnswer).append(R"("}]},)");
  }
  return body.append(R"({"role":"user","parts":[{"text":"Yes please."}]}],"generationConfig":{"maxOutputTokens":500},)"
                     R"("tools":[{"functionDeclarations":[{"name":"price","description":"Looks up a price","parameters":)")
      .append(kSchema).append("}]}]}");
}

using Write = Result<WireRequest> (*)(const Request&, const TargetInfo&);
void translate(benchmark::State& state, const Front& front, const std::string& body, Write write, const char* model) {
  const TargetInfo target{.model = model, .preset = "vllm", .base_path = "/v1"};
  if (!front.read_request(body)) return state.SkipWithError("the request cannot be read");
  for (auto _ : state) {
    const auto request = front.read_request(body);
    benchmark::DoNotOptimize(write(*request, target));
  }
  state.counters["bytes"] = double(body.size());
}
BENCHMARK_CAPTURE(translate, anthropic_to_openai, anthropic::front(), anthropic_2kb(), openai::write_request, "m");
BENCHMARK_CAPTURE(translate, anthropic_to_anthropic, anthropic::front(), anthropic_2kb(), anthropic::write_request, "claude-sonnet-4-5");
BENCHMARK_CAPTURE(translate, anthropic_to_gemini, anthropic::front(), anthropic_2kb(), gemini::write_request, "gemini-2.5-flash");
BENCHMARK_CAPTURE(translate, gemini_to_openai, gemini::front(), gemini_2kb(), openai::write_request, "m");
BENCHMARK_CAPTURE(translate, gemini_to_anthropic, gemini::front(), gemini_2kb(), anthropic::write_request, "claude-sonnet-4-5");
BENCHMARK_CAPTURE(translate, gemini_to_gemini, gemini::front(), gemini_2kb(), gemini::write_request, "gemini-2.5-flash");

// One chunk of an OpenAI-compatible server decoded and told to the client.
void stream_event(benchmark::State& state, const Front& front, std::string_view chunk) {
  const auto decoder = openai::new_decoder();
  const auto encoder = front.new_encoder({.dialect = front.id, .model = "m"});
  EventBatch events;
  std::string out;
  for (auto _ : state) {
    events.clear();
    out.clear();
    (void)decoder->on_event("", chunk, events);
    encoder->encode(events, out);
    benchmark::DoNotOptimize(out.data());
  }
}
constexpr std::string_view kText =
    R"({"id":"chatcmpl-9","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,)"
    R"("delta":{"content":" thank you for"},"logprobs":null,"finish_reason":null}]})";
BENCHMARK_CAPTURE(stream_event, anthropic_text, anthropic::front(), kText);
BENCHMARK_CAPTURE(stream_event, gemini_text, gemini::front(), kText);
BENCHMARK_CAPTURE(stream_event, openai_text, openai::front(), kText);

}  // namespace
}  // namespace ajar::wire
