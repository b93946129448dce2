#include "wire/responses/object.h"

#include <initializer_list>
#include <utility>

#include "wire/fields.h"

namespace ajar::wire::responses {
namespace {

constexpr std::string_view kSeal = "ajar:", kRedacted = "redacted:";

}  // namespace

std::string_view custom_rest(std::string_view extra) {
  extra.remove_prefix(kCustomMark.size());
  if (extra.starts_with(',')) extra.remove_prefix(1);
  return extra;
}

std::string_view without_break(std::string_view text) {
  if (text.starts_with(kPieceBreak)) text.remove_prefix(kPieceBreak.size());
  return text;
}

std::string seal(std::string_view signature, bool redacted, std::string_view data, DialectId origin) {
  if (origin == DialectId::kOpenAiResponses) return std::string(redacted ? data : signature);
  std::string out(kSeal);
  out.append(dialect_name(origin)).append(":");
  if (redacted) return out.append(kRedacted).append(data);
  return out.append(signature);
}

void unseal(std::string_view sealed, Part& thought) {
  thought.origin = DialectId::kOpenAiResponses;
  if (sealed.starts_with(kSeal)) {
    const std::string_view rest = sealed.substr(kSeal.size());
    const size_t colon = rest.find(':');
    const DialectId maker = dialect_of_name(rest.substr(0, colon));
    if (colon != rest.npos && maker != DialectId::kNone) {
      thought.origin = maker;
      std::string_view proof = rest.substr(colon + 1);
      thought.redacted = proof.starts_with(kRedacted);
      if (thought.redacted) {
        thought.data = proof.substr(kRedacted.size());
      } else {
        thought.signature = proof;
      }
      return;
    }
  }
  thought.signature = sealed;
}

std::string flat_annotation(std::string_view nested) {
  json::Document document;
  const auto object = document.parse_object(nested);
  if (!object) return std::string(nested);
  const std::string_view type = json::string_or(*object, "type");
  const auto inner = type.empty() ? std::nullopt : json::find(*object, type);
  const auto members = inner ? json::as_object(*inner) : std::nullopt;
  if (!members) return std::string(nested);
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("type", type);
  for (const auto field : *members) {
    if (field.key != "type") w.raw_field(field.key, json::raw(field.value));
  }
  for (const auto field : *object) {
    if (field.key != "type" && field.key != type) w.raw_field(field.key, json::raw(field.value));
  }
  w.end_object();
  return out;
}

std::string nested_annotation(const json::Object& flat) {
  const std::string_view type = json::string_or(flat, "type");
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("type", type);
  if (!type.empty() && type != "type") {
    w.key(type);
    w.begin_object();
    for (const auto field : flat) {
      if (field.key != "type") w.raw_field(field.key, json::raw(field.value));
    }
    w.end_object();
  }
  w.end_object();
  return out;
}

namespace {

enum Count { kInput, kOutput, kTotal, kInputDetails, kOutputDetails, kCountCount };
constexpr std::array<std::string_view, kCountCount> kCounts = {"input_tokens", "output_tokens", "total_tokens",
                                                               "input_tokens_details", "output_tokens_details"};

// The rest of a details object as it was kept in `extra`.
void details(json::Writer& w, std::string_view name,
             std::initializer_list<std::pair<std::string_view, int64_t>> counted,
             const std::optional<json::Object>& kept) {
  w.key(name);
  w.begin_object();
  for (const auto& [word, count] : counted) w.field(word, count);
  const auto rest = kept ? json::find(*kept, name) : std::nullopt;
  if (const auto object = rest ? json::as_object(*rest) : std::nullopt) {
    for (const auto field : *object) w.raw_field(field.key, json::raw(field.value));
  }
  w.end_object();
}

}  // namespace

Usage read_usage(const json::Object& object, RawMembers& extra) {
  static constexpr std::array<std::string_view, 2> kCached = {"cached_tokens", "cache_write_tokens"};
  static constexpr std::array<std::string_view, 1> kReasoning = {"reasoning_tokens"};
  const Fields<kCountCount> fields(object, kCounts);
  const auto count = [](const auto& of, size_t which) {
    return of.has(which) ? json::as_int(of[which]).value_or(0) : 0;
  };
  Usage usage;
  usage.input = count(fields, kInput);
  usage.output = count(fields, kOutput);
  usage.reported = fields.has(kInput) || fields.has(kOutput);
  extra = fields.extra();
  if (const auto input = fields.has(kInputDetails) ? json::as_object(fields[kInputDetails]) : std::nullopt) {
    const Fields<2> inner(*input, kCached);
    usage.cached_read = count(inner, 0);
    usage.cached_write = count(inner, 1);
    if (inner.has_unknown()) add_member(extra, kCounts[kInputDetails], "{" + inner.extra() + "}");
  }
  if (const auto output = fields.has(kOutputDetails) ? json::as_object(fields[kOutputDetails]) : std::nullopt) {
    const Fields<1> inner(*output, kReasoning);
    usage.reasoning = count(inner, 0);
    if (inner.has_unknown()) add_member(extra, kCounts[kOutputDetails], "{" + inner.extra() + "}");
  }
  usage.clamp();
  return usage;
}

void write_usage(json::Writer& w, const Usage& usage, const RawMembers& extra) {
  json::Document document;
  std::optional<json::Object> kept;
  if (!extra.empty()) {
    if (const auto parsed = document.parse_object("{" + extra + "}")) kept = *parsed;
  }
  w.begin_object();
  w.field("input_tokens", usage.input);
  details(w, kCounts[kInputDetails],
          {{"cached_tokens", usage.cached_read}, {"cache_write_tokens", usage.cached_write}}, kept);
  w.field("output_tokens", usage.output);
  details(w, kCounts[kOutputDetails], {{"reasoning_tokens", usage.reasoning}}, kept);
  w.field("total_tokens", usage.total());
  if (kept) {
    for (const auto field : *kept) {
      if (field.key != kCounts[kInputDetails] && field.key != kCounts[kOutputDetails]) {
        w.raw_field(field.key, json::raw(field.value));
      }
    }
  }
  w.end_object();
}

}  // namespace ajar::wire::responses
