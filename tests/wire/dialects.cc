#include "dialects.h"

#include "wire/anthropic/anthropic.h"
#include "wire/bedrock/bedrock.h"
#include "wire/cohere/cohere.h"
#include "wire/completions/completions.h"
#include "wire/gemini/gemini.h"
#include "wire/ollama/ollama.h"
#include "wire/openai/chat.h"
#include "wire/openai/embeddings.h"
#include "wire/openai_error.h"
#include "wire/replicate/replicate.h"
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
    {"bedrock", false, wire::bedrock::write_request, wire::bedrock::read_error,
     wire::bedrock::new_decoder, wire::bedrock::write_embedding_request,
     wire::bedrock::read_embedding_reply, wire::Framing::kAwsEvents},
    {"cohere", true, wire::cohere::write_request, wire::cohere::read_error,
     wire::cohere::new_decoder, wire::cohere::write_embedding_request,
     wire::cohere::read_embedding_reply},
    {"replicate", false, wire::replicate::write_request, wire::replicate::read_error,
     wire::replicate::new_decoder, nullptr, nullptr},
    {"ollama", false, wire::ollama::write_request, wire::ollama::read_error,
     wire::ollama::new_decoder, wire::ollama::write_embedding_request,
     wire::ollama::read_embedding_reply, wire::Framing::kJsonLines},
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
  if (name == "ollama-generate") return &wire::ollama::generate_front();
  const wire::Front* const fronts[] = {&wire::openai::front(), &wire::responses::front(), &wire::completions::front(),
                                       &wire::anthropic::front(), &wire::gemini::front(), &wire::ollama::chat_front()};
  for (const wire::Front* front : fronts) {
    if (dialect_name(front->id) == name) return front;
  }
  return nullptr;
}

}  // namespace ajar::wiretest
