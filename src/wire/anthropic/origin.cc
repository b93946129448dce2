#include "wire/anthropic/origin.h"

#include <initializer_list>

#include "json/write.h"

namespace ajar::wire::anthropic {
namespace {

constexpr std::string_view kMark = "ajar:";  // no base64 has a colon

}  // namespace

std::string mark_signature(DialectId origin, std::string_view signature) {
  std::string out;
  if (origin != DialectId::kAnthropic && origin != DialectId::kBedrock && !signature.empty()) {
    out.append(kMark).append(dialect_name(origin)).append(":");
  }
  return out.append(signature);
}

DialectId unmark_signature(std::string_view marked, std::string& signature) {
  signature = marked;
  if (!marked.starts_with(kMark)) return DialectId::kAnthropic;
  marked.remove_prefix(kMark.size());
  for (const DialectId id : {DialectId::kOpenAiChat, DialectId::kGemini, DialectId::kOpenAiResponses}) {
    const std::string_view name = dialect_name(id);
    if (!marked.starts_with(name) || !marked.substr(name.size()).starts_with(':')) continue;
    signature = marked.substr(name.size() + 1);
    return id;
  }
  signature.clear();  // nobody's that we know: worth nothing
  return DialectId::kNone;
}

std::string google_signature(const json::Value& extra_content) {
  const auto outer = json::as_object(extra_content);
  const auto google = outer ? json::find(*outer, "google") : std::nullopt;
  const auto inner = google ? json::as_object(*google) : std::nullopt;
  return std::string(inner ? json::string_or(*inner, "thought_signature") : std::string_view());
}

std::string google_extra(std::string_view signature) {
  std::string out = R"("extra_content":{"google":{"thought_signature":)";
  json::append_string(out, signature);
  return out.append("}}");
}

}  // namespace ajar::wire::anthropic
