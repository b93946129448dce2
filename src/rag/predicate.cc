#include "rag/predicate.h"

#include <algorithm>

#include "base/random.h"
#include "base/text.h"
#include "json/write.h"

namespace ajar::rag {
namespace {

constexpr size_t kMaxWritten = 200;  // bytes of a tag before it is cut

constexpr char kHex[] = "0123456789abcdef";

std::string escape(std::string_view text) {
  std::string out;
  const bool whole = valid_utf8(text);  // names of files need not be
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte != 0x7f && c != '%' && c != '=' && c != '@' && (whole || byte < 0x80)) out += c;
    else out += '%', out += kHex[byte >> 4], out += kHex[byte & 15];
  }
  return out;
}

// A cut never falls into a character: what is behind the hash need not be told by people.
std::string bounded(std::string tag) {
  if (tag.size() <= kMaxWritten) return tag;
  size_t keep = kMaxWritten - 65;
  while (keep > 0 && (static_cast<unsigned char>(tag[keep]) & 0xc0) == 0x80) --keep;
  return tag.substr(0, keep) + "#" + sha256_hex(tag);
}

std::string value_tag(std::string_view field, const Value& value) {
  std::string out = escape(field) + "=";
  if (const auto* text = std::get_if<std::string>(&value)) {
    out += "s:" + escape(*text);
  } else if (const auto* number = std::get_if<double>(&value)) {
    out += "n:";
    json::append_double(out, *number == 0 ? 0 : *number);  // -0 is 0
  } else {
    out += std::get<bool>(value) ? "b:true" : "b:false";
  }
  return bounded(std::move(out));
}

std::string principal_tag(std::string_view principal) { return bounded("@=" + escape(principal)); }

Predicate tags_of(Predicate::Kind kind, std::vector<std::string> tags) {
  if (tags.empty()) return {.kind = kind == Predicate::Kind::kAny ? Predicate::Kind::kNothing : Predicate::Kind::kEverything};
  std::ranges::sort(tags);
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  return {.kind = kind, .tags = std::move(tags)};
}

Predicate joined(Predicate::Kind kind, std::vector<Predicate> parts) {
  using Kind = Predicate::Kind;
  const bool conjunction = kind == Kind::kAnd;
  const Kind neutral = conjunction ? Kind::kEverything : Kind::kNothing, absorbing = conjunction ? Kind::kNothing : Kind::kEverything;
  if (std::ranges::any_of(parts, [&](const Predicate& p) { return p.kind == absorbing; })) return {.kind = absorbing};
  std::erase_if(parts, [&](const Predicate& p) { return p.kind == neutral; });
  if (parts.empty()) return {.kind = neutral};
  if (parts.size() == 1) return std::move(parts.front());
  return {.kind = kind, .parts = std::move(parts)};
}

bool in_order(Filter::Kind kind, const Value& value, const Value& bound) {
  switch (kind) {
    case Filter::Kind::kGt: return bound < value;
    case Filter::Kind::kGe: return !(value < bound);
    case Filter::Kind::kLt: return value < bound;
    default: return !(bound < value);
  }
}

Result<Predicate> filtered(const Visible& visible, const Filter& filter) {
  using Kind = Predicate::Kind;
  const auto all_tags = [&] {
    std::vector<std::string> tags;
    for (const Value& value : filter.values) tags.push_back(value_tag(filter.field, value));
    return tags;
  };
  switch (filter.kind) {
    case Filter::Kind::kAll: return Predicate();
    case Filter::Kind::kEq:
    case Filter::Kind::kIn: return tags_of(Kind::kAny, all_tags());
    case Filter::Kind::kNe:
    case Filter::Kind::kNotIn: return tags_of(Kind::kNone, all_tags());
    case Filter::Kind::kAnd:
    case Filter::Kind::kOr: {
      if (filter.filters.empty()) return Predicate{.kind = Kind::kNothing};
      std::vector<Predicate> parts;
      for (const Filter& one : filter.filters) {
        AJAR_ASSIGN(parts.emplace_back(), filtered(visible, one));
      }
      return joined(filter.kind == Filter::Kind::kAnd ? Kind::kAnd : Kind::kOr, std::move(parts));
    }
    default: break;
  }
  const Value& bound = filter.values.front();
  if (const auto* number = std::get_if<double>(&bound)) {
    const Kind kind = filter.kind == Filter::Kind::kGt ? Kind::kGt : filter.kind == Filter::Kind::kGe ? Kind::kGe : filter.kind == Filter::Kind::kLt ? Kind::kLt : Kind::kLe;
    return Predicate{.kind = kind, .number = number_name(filter.field), .bound = *number};
  }
  std::vector<std::string> tags;
  visible.each_value(filter.field, [&](const Value& value) {
    if (value.index() == bound.index() && in_order(filter.kind, value, bound)) tags.push_back(value_tag(filter.field, value));
  });
  std::ranges::sort(tags);
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  if (tags.size() > kMaxFilterValues) {
    return invalid("filter", "'" + filter.field + "' has more than 10,000 texts in this range; a collection whose vectors are in another store takes no wider one");
  }
  return tags_of(Kind::kAny, std::move(tags));
}

}  // namespace

std::string number_name(std::string_view field) {
  std::string out = "n_";
  for (const char c : field) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
    else if (c == '_') out += "__";
    else out += "_x", out += kHex[byte >> 4], out += kHex[byte & 15];
  }
  if (out.size() > kMaxWritten) out = out.substr(0, kMaxWritten - 68) + "_h" + sha256_hex(field);
  return out;
}

Result<std::shared_ptr<const RowFields>> fields_of(const std::string& document, const std::optional<std::vector<std::string>>& allow, const Metadata& metadata) {
  auto out = std::make_shared<RowFields>();
  out->document = valid_utf8(document) ? document : escape(document);
  if (!allow) out->tags.push_back("@*");
  else if (allow->empty()) out->tags.push_back("@-");
  else for (const std::string& principal : *allow) out->tags.push_back(principal_tag(principal));
  for (const auto& [field, value] : metadata) {
    out->tags.push_back(value_tag(field, value));
    if (const auto* number = std::get_if<double>(&value)) out->numbers[number_name(field)] = *number;
  }
  std::ranges::sort(out->tags);
  out->tags.erase(std::unique(out->tags.begin(), out->tags.end()), out->tags.end());
  size_t bytes = document.size();
  for (const std::string& tag : out->tags) bytes += tag.size();
  for (const auto& [name, value] : out->numbers) bytes += name.size() + 24;
  if (out->tags.size() > kMaxTags || bytes > kMaxFieldBytes) {
    return fail(Code::kTooLarge, "its readers and metadata are " + std::to_string(out->tags.size()) + " words of " + std::to_string(bytes) +
                                     " bytes; the store of this collection's vectors takes 1,000 of 32,768", "allow");
  }
  return out;
}

Result<Predicate> predicate_of(const Visible& visible, const Reader& reader, const Filter& filter) {
  std::vector<Predicate> parts;
  if (!reader.everything) {
    std::vector<std::string> who{"@*"};
    for (const std::string& principal : reader.principals) who.push_back(principal_tag(principal));
    parts.push_back(tags_of(Predicate::Kind::kAny, std::move(who)));
  }
  AJAR_ASSIGN(parts.emplace_back(), filtered(visible, filter));
  return joined(Predicate::Kind::kAnd, std::move(parts));
}

bool keeps(const Predicate& predicate, const RowFields& fields) {
  using Kind = Predicate::Kind;
  const auto has = [&](const std::string& tag) { return std::ranges::find(fields.tags, tag) != fields.tags.end(); };
  const auto number = fields.numbers.find(predicate.number);
  const bool there = number != fields.numbers.end();
  switch (predicate.kind) {
    case Kind::kEverything: return true;
    case Kind::kNothing: return false;
    case Kind::kAny: return std::ranges::any_of(predicate.tags, has);
    case Kind::kNone: return std::ranges::none_of(predicate.tags, has);
    case Kind::kGt: return there && number->second > predicate.bound;
    case Kind::kGe: return there && number->second >= predicate.bound;
    case Kind::kLt: return there && number->second < predicate.bound;
    case Kind::kLe: return there && number->second <= predicate.bound;
    case Kind::kAnd: return std::ranges::all_of(predicate.parts, [&](const Predicate& p) { return keeps(p, fields); });
    case Kind::kOr: return std::ranges::any_of(predicate.parts, [&](const Predicate& p) { return keeps(p, fields); });
  }
  return false;
}

}  // namespace ajar::rag
