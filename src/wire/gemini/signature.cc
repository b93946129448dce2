#include "wire/gemini/signature.h"

#include <initializer_list>

#include "base/text.h"

namespace ajar::wire::gemini {
namespace {

constexpr std::string_view kMark = "ajar:";
constexpr std::string_view kMarkInBase64 = "YWphcj";  // what every base64 of it begins with

}  // namespace

std::string mark_signature(DialectId origin, bool redacted, std::string_view signature) {
  if (signature.empty() || (origin == DialectId::kGemini && !redacted)) return std::string(signature);
  std::string bytes(kMark);
  bytes.append(dialect_name(origin)).append(redacted ? "!" : ":").append(signature);
  return base64_encode(bytes);
}

Signature read_signature(std::string_view thought_signature) {
  const Signature as_it_is{.text = std::string(thought_signature)};
  if (!thought_signature.starts_with(kMarkInBase64)) return as_it_is;
  const auto bytes = base64_decode(thought_signature);
  if (!bytes || !bytes->starts_with(kMark)) return as_it_is;
  const std::string_view marked = std::string_view(*bytes).substr(kMark.size());
  for (const DialectId id : {DialectId::kOpenAiChat, DialectId::kAnthropic, DialectId::kOpenAiResponses}) {
    const std::string_view name = dialect_name(id);
    if (!marked.starts_with(name) || marked.size() == name.size()) continue;
    const char kind = marked[name.size()];
    if (kind != ':' && kind != '!') continue;
    return {.origin = id, .redacted = kind == '!', .text = std::string(marked.substr(name.size() + 1))};
  }
  return {.origin = DialectId::kNone};
}

}  // namespace ajar::wire::gemini
