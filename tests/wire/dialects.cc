#include "dialects.h"

#include "wire/anthropic/anthropic.h"
#include "wire/completions/completions.h"
#include "wire/gemini/gemini.h"
#include "wire/openai/chat.h"
#include "wire/openai/embeddings.h"
#include "wire/openai_error.h"
#include "wire/responses/responses.h"

namespace ajar::wiretest {
namespace {

const Upstream kUpstreams[] = {
    {"openai", false, wire::openai::write_request, wire::openai::read_error,
     wire::openai::new_decoder, wire::openai::write_embedding_request,
     wire::openai::read_embedding_reply},
    {"anthropic", true, wire::anthropic::write_request, wire::anthropic::read_error,
     wire::anthropic::new_decoder, nullptr, nullptr},
    {"gemini", false, wire::gemini::write_request, wire::gemini::read_error,
     wire::gemini::new_decoder, wire::gemini::write_embedding_request,
     wire::gemini::read_embedding_reply},
    {"responses", true, wire::responses::write_request, wire::openai::read_error,
     wire::responses::new_decoder, nullptr, nullptr},
    {"completions", false, wire::completions::write_request, wire::openai::read_error,
     wire::completions::new_decoder, nullptr, nullptr},
};

}  // namespace

const Upstream* find_upstream(std::string_view name) {
  for (const Upstream& upstream : kUpstreams) {
    if (upstream.name == name) return &upstream;
  }
  return nullptr;
}

const wire::Front* find_front(std::string_view name) {
  const wire::Front* const fronts[] = {&wire::openai::front(), &wire::responses::front(), &wire::completions::front()};
  for (const wire::Front* front : fronts) {
    if (dialect_name(front->id) == name) return front;
  }
  return nullptr;
}

}  // namespace ajar::wiretest
