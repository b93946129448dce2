#pragma once
// For the request fuzzers of the dialects that clients speak. Whatever the reader accepts, every writer refuses by naming a
// field or turns into valid JSON; the same dialect's writer makes something that its own reader takes, and what was
// written once does not change any more.

#include <cstdlib>
#include <string_view>

#include "json/read.h"
#include "wire/anthropic/anthropic.h"
#include "wire/gemini/gemini.h"
#include "wire/openai/chat.h"

namespace ajar::wire::fuzz {

template <class Read, class Write>
void request(std::string_view text, Read read, Write write, std::string_view model) {
  const auto request = read(text);
  if (!request) return;
  const auto check = [](const Result<WireRequest>& out) {
    if (out ? !json::explain(out->body).empty() : out.error().field.empty()) std::abort();
  };
  for (const char* preset : {"openai", "vllm", "deepseek"}) {
    check(openai::write_request(*request, {.model = "m", .preset = preset, .base_path = "/v1"}));
  }
  for (const char* claude : {"claude-3-haiku-20240307", "claude-opus-4-6"}) {
    check(anthropic::write_request(*request, {.model = claude, .base_path = "/v1"}));
  }
  for (const char* gemini : {"gemini-1.5-pro", "gemini-3-pro-preview"}) {
    check(gemini::write_request(*request, {.model = gemini, .base_path = "/v1beta"}));
  }

  const TargetInfo target{.model = std::string(model), .base_path = "/v1"};
  const auto first = write(*request, target);
  if (!first) return;
  const auto again = read(first->body);
  if (!again) std::abort();
  const auto second = write(*again, target);
  if (!second) std::abort();
  const auto third = read(second->body);
  if (!third || write(*third, target)->body != second->body) std::abort();
}

}  // namespace ajar::wire::fuzz
