#include "provider/dialects.h"

#include "wire/anthropic/anthropic.h"
#include "wire/completions/completions.h"
#include "wire/gemini/gemini.h"
#include "wire/openai/chat.h"
#include "wire/openai/embeddings.h"
#include "wire/openai_error.h"
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
                                   wire::gemini::read_embedding_reply};
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
    default: return kOpenAi;
  }
}

}  // namespace ajar
