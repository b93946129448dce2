// Prompts and answers are anybody's bytes: what looks at them must bear all, and the gate must be symmetric and hold a prompt for itself.
#include <cstdlib>
#include <string>

#include "learn/answer_check.h"
#include "learn/answer_score.h"
#include "learn/semantic_gate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ajar::learn;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view a = text.substr(0, size / 2), b = text.substr(size / 2);
  if (!compare_prompts(a, a).same()) std::abort();
  if (compare_prompts(a, b).difference != compare_prompts(b, a).difference) std::abort();
  const Arithmetic sums = check_arithmetic(text);
  if (sums.wrong > sums.checks) std::abort();
  answer_features({.prompt = a, .answer = b});
  normalised_answer(text);
  const std::string source(b);
  const Citations cited = check_citations(a, std::span(&source, 1));
  if (cited.unknown + cited.unsupported > cited.count) std::abort();
  if (const auto score = AnswerScore::parse(text)) (*score)({.prompt = a, .answer = b});
  return 0;
}
