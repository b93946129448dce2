#include "rag/documents_table.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>

namespace ajar::rag {
namespace {

constexpr std::string_view kMagic = "AJARTAB1";
constexpr uint32_t kGone = UINT32_MAX;

size_t padded(uint64_t n) { return (n + 7) / 8 * 8; }

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

bool DocumentsTable::sound(const uint64_t (&sizes)[kSections]) {
  const auto count = [&](Section section, size_t width) { return sizes[section] / width; };
  const uint64_t n = count(kFirstRow, 4);
  if (n >= kGone || sizes[kRows] != n * 4 || sizes[kLanguage] != n || sizes[kAllow] != n * 4 || sizes[kById] != n * 4 || sizes[kIdEnd] != (n + 1) * 8) return false;
  const auto some = [&](Section section, uint32_t& out) {  // things with an array of ends
    const uint64_t all = count(section, 8);
    if (all == 0 || all > kGone || sizes[section] % 8 != 0) return false;
    out = static_cast<uint32_t>(all - 1);
    return true;
  };
  documents_ = static_cast<uint32_t>(n);
  if (!some(kListEnd, lists_) || !some(kPrincipalEnd, principals_) || !some(kNameEnd, fields_) || !some(kValueEnd, values_)) return false;
  if (count(kPrincipalPostingEnd, 8) != uint64_t{principals_} + 1 || count(kValuePostingEnd, 8) != uint64_t{values_} + 1) return false;
  if (count(kFieldValues, 4) != uint64_t{fields_} + 1 || sizes[kKinds] != values_) return false;
  const auto ends = [&](Section section, size_t things, uint64_t most) {
    if (end_of(section, 0) != 0 || end_of(section, things) != most) return false;
    for (size_t i = 0; i < things; ++i)
      if (end_of(section, i) > end_of(section, i + 1)) return false;
    return true;
  };
  const auto below = [&](Section section, uint64_t bound) {
    for (uint64_t i = 0; i < count(section, 4); ++i)
      if (load(section, i) >= bound) return false;
    return true;
  };
  if (!ends(kIdEnd, documents_, sizes[kIds]) || !ends(kListEnd, lists_, count(kListPrincipals, 4)) || !ends(kPrincipalEnd, principals_, sizes[kPrincipals]) ||
      !ends(kPrincipalPostingEnd, principals_, count(kPrincipalPostings, 4)) || !ends(kNameEnd, fields_, sizes[kNames]) ||
      !ends(kValueEnd, values_, sizes[kValues]) || !ends(kValuePostingEnd, values_, count(kValuePostings, 4))) {
    return false;
  }
  if (!below(kAllow, uint64_t{lists_} + 1) || !below(kById, documents_) || !below(kListPrincipals, principals_) || !below(kPrincipalPostings, documents_) ||
      !below(kValuePostings, documents_) || !below(kFieldValues, uint64_t{values_} + 1)) {
    return false;
  }
  for (uint32_t i = 0; i < documents_; ++i)
    if (uint64_t{first_row(i)} + rows(i) > UINT32_MAX || (i > 0 && first_row(i) < first_row(i - 1)) || static_cast<size_t>(language(i)) >= index::kLanguages) return false;
  for (uint32_t i = 0; i < fields_; ++i)
    if (first_value(i) > last_value(i)) return false;
  for (uint32_t i = 0; i < values_; ++i) {
    const uint64_t size = end_of(kValueEnd, i + 1) - end_of(kValueEnd, i);
    const auto kind = static_cast<uint8_t>(sections_[kKinds][i]);
    if (kind > 2 || (kind == 1 && size != 8) || (kind == 2 && size != 1)) return false;
  }
  return true;
}

Result<std::shared_ptr<const DocumentsTable>> DocumentsTable::open(std::shared_ptr<const index::Buffer> buffer) {
  const auto damaged = [] { return fail(Code::kInvalid, "the table of documents is damaged"); };
  AJAR_ASSIGN(const std::string_view in, index::unseal(buffer->bytes()));
  constexpr size_t kHeader = 8 + 8 * kSections;
  if (in.size() < kHeader || !in.starts_with(kMagic)) return damaged();
  auto table = std::make_shared<DocumentsTable>();
  uint64_t sizes[kSections];
  size_t at = kHeader;
  for (int section = 0; section < kSections; ++section) {
    std::memcpy(&sizes[section], in.data() + 8 + section * 8, 8);
    if (sizes[section] > in.size() || padded(sizes[section]) > in.size() - at) return damaged();
    table->sections_[section] = in.data() + at;
    at += padded(sizes[section]);
  }
  if (at != in.size() || !table->sound(sizes)) return damaged();
  table->buffer_ = std::move(buffer);
  return table;
}

VisibleDocument DocumentsTable::document(uint32_t ordinal) const {
  VisibleDocument out{.id = std::string(id(ordinal)), .first_row = first_row(ordinal), .rows = rows(ordinal), .allow = {}, .language = language(ordinal)};
  if (const uint32_t list = load(kAllow, ordinal); list > 0) {
    const Postings principals = postings(kListEnd, kListPrincipals, list - 1);
    out.allow.emplace();
    for (size_t i = 0; i < principals.size(); ++i) out.allow->emplace_back(text(kPrincipalEnd, kPrincipals, principals[i]));
  }
  return out;
}

namespace {

// The place in [0, count) of what equals `wanted`, of things that ascend.
template <class At, class T>
std::optional<uint32_t> search(uint32_t count, const T& wanted, At at) {
  uint32_t from = 0, to = count;
  while (from < to) {
    const uint32_t middle = from + (to - from) / 2;
    if (at(middle) < wanted) from = middle + 1;
    else to = middle;
  }
  return from < count && at(from) == wanted ? std::optional(from) : std::nullopt;
}

}  // namespace

std::optional<uint32_t> DocumentsTable::find(std::string_view wanted) const {
  const auto place = search(documents_, wanted, [&](uint32_t i) { return id(load(kById, i)); });
  return place ? std::optional(load(kById, *place)) : std::nullopt;
}

std::optional<uint32_t> DocumentsTable::of_row(uint32_t row) const {
  uint32_t from = 0, to = documents_;  // the last that begins at the row or before it; those without rows stand before those with some
  while (from < to) {
    const uint32_t middle = from + (to - from) / 2;
    if (first_row(middle) <= row) from = middle + 1;
    else to = middle;
  }
  while (from > 0 && rows(from - 1) == 0) --from;
  return from > 0 && row - first_row(from - 1) < rows(from - 1) ? std::optional(from - 1) : std::nullopt;
}

DocumentsTable::Postings DocumentsTable::of_principal(std::string_view principal) const {
  const auto place = search(principals_, principal, [&](uint32_t i) { return text(kPrincipalEnd, kPrincipals, i); });
  return place ? postings(kPrincipalPostingEnd, kPrincipalPostings, *place) : Postings(nullptr, 0);
}

std::optional<uint32_t> DocumentsTable::find_field(std::string_view name) const {
  return search(fields_, name, [&](uint32_t i) { return field_name(i); });
}

Value DocumentsTable::value(uint32_t at) const {
  const std::string_view bytes = text(kValueEnd, kValues, at);
  switch (sections_[kKinds][at]) {
    case 0: return std::string(bytes);
    case 1: {
      double number;
      std::memcpy(&number, bytes.data(), 8);
      return number;
    }
    default: return bytes[0] != 0;
  }
}

// Sections as they grow.
struct DocumentsTable::Writer {
  std::string sections[kSections];
  Writer() {
    for (const Section ends : {kIdEnd, kListEnd, kPrincipalEnd, kPrincipalPostingEnd, kNameEnd, kValueEnd, kValuePostingEnd}) put(sections[ends], uint64_t{0});
    put(sections[kFieldValues], uint32_t{0});
  }
  void number(Section section, uint32_t value) { put(sections[section], value); }
  void word(Section ends, Section bytes, std::string_view value) {
    sections[bytes] += value;
    put(sections[ends], uint64_t{sections[bytes].size()});
  }
  void list(Section ends, Section bytes, std::span<const uint32_t> values) {
    sections[bytes].append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    put(sections[ends], uint64_t{sections[bytes].size() / 4});
  }
  void value(const Value& value, std::span<const uint32_t> ordinals) {
    sections[kKinds].push_back(static_cast<char>(value.index()));
    std::string bytes;
    if (const auto* string = std::get_if<std::string>(&value)) bytes = *string;
    else if (const auto* real = std::get_if<double>(&value)) put(bytes, *real);
    else bytes.push_back(std::get<bool>(value) ? 1 : 0);
    word(kValueEnd, kValues, bytes);
    list(kValuePostingEnd, kValuePostings, ordinals);
  }
  std::string bytes() && {
    size_t all = 8 + 8 * kSections + 8;
    for (const std::string& section : sections) all += padded(section.size());
    std::string out(kMagic);
    out.reserve(all);
    for (const std::string& section : sections) put(out, uint64_t{section.size()});
    for (std::string& section : sections) {
      out += section;
      out.resize(padded(out.size()));
      section = {};  // its memory is needed no more
    }
    index::seal(out);
    return out;
  }
};

std::string DocumentsTable::merge(const DocumentsTable* base, const index::Bitmap& dead, std::span<const std::optional<VisibleDocument>> added,
                                  const FieldValues& fields) {
  // All documents in their new order, and the new ordinals of both sides.
  struct Place {
    uint32_t first_row, rows, ordinal;
    bool old;
  };
  std::vector<Place> order;
  const uint32_t old_count = base == nullptr ? 0 : base->documents();
  order.reserve(old_count + added.size());
  for (uint32_t i = 0; i < old_count; ++i)
    if (!dead.test(i)) order.push_back({base->first_row(i), base->rows(i), i, true});
  for (uint32_t i = 0; i < added.size(); ++i)
    if (added[i]) order.push_back({added[i]->first_row, added[i]->rows, i, false});
  std::sort(order.begin(), order.end(), [](const Place& a, const Place& b) {
    return std::tie(a.first_row, a.rows, a.old, a.ordinal) < std::tie(b.first_row, b.rows, b.old, b.ordinal);
  });
  std::vector<uint32_t> new_of_old(old_count, kGone), new_of_added(added.size(), kGone);
  for (uint32_t i = 0; i < order.size(); ++i) (order[i].old ? new_of_old : new_of_added)[order[i].ordinal] = i;

  Writer out;
  const auto id_at = [&](const Place& place) { return place.old ? base->id(place.ordinal) : std::string_view(added[place.ordinal]->id); };
  std::map<std::vector<std::string>, uint32_t> lists;      // each once
  std::map<std::string, Ordinals, std::less<>> principals;
  std::vector<uint32_t> list_of(order.size());
  for (uint32_t i = 0; i < order.size(); ++i) {
    const Place& place = order[i];
    out.number(kFirstRow, place.first_row), out.number(kRows, place.rows);
    out.sections[kLanguage].push_back(static_cast<char>(place.old ? base->language(place.ordinal) : added[place.ordinal]->language));
    out.word(kIdEnd, kIds, id_at(place));
    if (place.old && base->open_to_all(place.ordinal)) continue;
    const auto allow = place.old ? base->document(place.ordinal).allow : added[place.ordinal]->allow;
    if (!allow) continue;
    list_of[i] = lists.emplace(*allow, static_cast<uint32_t>(lists.size() + 1)).first->second;
    for (const std::string& principal : *allow) {
      Ordinals& theirs = principals[principal];
      if (theirs.empty() || theirs.back() != i) theirs.push_back(i);
    }
  }
  for (const uint32_t list : list_of) out.number(kAllow, list);
  std::vector<uint32_t> by_id(order.size());
  for (uint32_t i = 0; i < by_id.size(); ++i) by_id[i] = i;
  std::sort(by_id.begin(), by_id.end(), [&](uint32_t a, uint32_t b) { return id_at(order[a]) < id_at(order[b]); });
  for (const uint32_t ordinal : by_id) out.number(kById, ordinal);

  std::map<std::string_view, uint32_t> number_of;
  for (const auto& [principal, theirs] : principals) {
    number_of.emplace(principal, static_cast<uint32_t>(number_of.size()));
    out.word(kPrincipalEnd, kPrincipals, principal);
    out.list(kPrincipalPostingEnd, kPrincipalPostings, theirs);
  }
  std::vector<const std::vector<std::string>*> numbered(lists.size());
  for (const auto& [list, number] : lists) numbered[number - 1] = &list;
  for (const auto* list : numbered) {
    std::vector<uint32_t> members;
    for (const std::string& principal : *list) members.push_back(number_of.at(principal));
    out.list(kListEnd, kListPrincipals, members);
  }

  // Fields and values of both sides, in one order.
  std::map<std::string, std::pair<std::optional<uint32_t>, const std::map<Value, Ordinals, ByKindThenValue>*>, std::less<>> names;
  for (uint32_t f = 0; base != nullptr && f < base->fields(); ++f) names[std::string(base->field_name(f))].first = f;
  for (const auto& [name, values] : fields) names[name].second = &values;
  uint32_t values = 0;
  for (const auto& [name, sides] : names) {
    const uint32_t before = values;
    uint32_t at = sides.first ? base->first_value(*sides.first) : 0;
    const uint32_t last = sides.first ? base->last_value(*sides.first) : 0;
    static const std::map<Value, Ordinals, ByKindThenValue> kNone;
    const auto& more = sides.second != nullptr ? *sides.second : kNone;
    Ordinals ordinals;
    for (auto it = more.begin(); at < last || it != more.end();) {
      std::optional<Value> old = at < last ? std::optional(base->value(at)) : std::nullopt;
      const bool take_old = old && (it == more.end() || !(it->first < *old)), take_new = it != more.end() && (!old || !(*old < it->first));
      ordinals.clear();
      if (take_old) {
        const Postings theirs = base->of_value(at++);
        for (size_t i = 0; i < theirs.size(); ++i)
          if (new_of_old[theirs[i]] != kGone) ordinals.push_back(new_of_old[theirs[i]]);
      }
      if (take_new)
        for (const uint32_t ordinal : it->second) ordinals.push_back(new_of_added[ordinal]);
      std::sort(ordinals.begin(), ordinals.end());
      if (!ordinals.empty()) out.value(take_new ? it->first : *old, ordinals), ++values;
      if (take_new) ++it;
    }
    if (values == before) continue;
    out.word(kNameEnd, kNames, name);
    out.number(kFieldValues, values);
  }
  return std::move(out).bytes();
}

}  // namespace ajar::rag
