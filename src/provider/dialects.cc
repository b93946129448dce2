#include "provider/dialects.h"

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

namespace ajar {

const Dialect& dialect_of(DialectId id) {
  static constexpr Dialect kOpenAi{DialectId::kOpenAiChat, wire::openai::write_request,
                                   wire::openai::read_error, wire::openai::new_decoder,
                                   wire::openai::write_embedding_request,
                                   wire::openai::read_embedding_reply};
  static constexpr Dialect kAnthropic{DialectId::kAnthropic, wire::anthropic::write_request,
                                      wire::anthropic::read_error, wire::anthropic::new_decoder,
                                      nullptr, nullptr};
  static constexpr Dialect kGemini{DialectId::kGemini, wire::gemini::write_request,
                                   wire::gemini::read_error, wire::gemini::new_decoder,
                                   wire::gemini::write_embedding_request,
                                   wire::gemini::read_embedding_reply, wire::Framing::kJsonArray};
  static constexpr Dialect kOllama{DialectId::kOllama, wire::ollama::write_request,
                                   wire::ollama::read_error, wire::ollama::new_decoder,
                                   wire::ollama::write_embedding_request,
                                   wire::ollama::read_embedding_reply, wire::Framing::kJsonLines};
  static constexpr Dialect kBedrock{DialectId::kBedrock, wire::bedrock::write_request, wire::bedrock::read_error,
                                    wire::bedrock::new_decoder, wire::bedrock::write_embedding_request,
                                    wire::bedrock::read_embedding_reply};
  static constexpr Dialect kCohere{DialectId::kCohere, wire::cohere::write_request, wire::cohere::read_error,
                                   wire::cohere::new_decoder, wire::cohere::write_embedding_request,
                                   wire::cohere::read_embedding_reply};
  static constexpr Dialect kReplicate{DialectId::kReplicate, wire::replicate::write_request, wire::replicate::read_error,
                                      wire::replicate::new_decoder, nullptr, nullptr};
  static constexpr Dialect kResponses{DialectId::kOpenAiResponses, wire::responses::write_request,
                                      wire::openai::read_error, wire::responses::new_decoder,
                                      nullptr, nullptr};
  static constexpr Dialect kCompletions{DialectId::kOpenAiCompletions, wire::completions::write_request,
                                        wire::openai::read_error, wire::completions::new_decoder,
                                        nullptr, nullptr};
  switch (id) {
    case DialectId::kOpenAiCompletions: return kCompletions;
    case DialectId::kOpenAiResponses: return kResponses;
    case DialectId::kAnthropic: return kAnthropic;
    case DialectId::kGemini: return kGemini;
    case DialectId::kBedrock: return kBedrock;
    case DialectId::kCohere: return kCohere;
    case DialectId::kReplicate: return kReplicate;
    case DialectId::kOllama: return kOllama;
    default: return kOpenAi;
  }
}

}  // namespace ajar
