#include "rag/visible.h"

#include <algorithm>

namespace ajar::rag {
namespace {

void insert_sorted(Ordinals& list, uint32_t ordinal) { list.insert(std::lower_bound(list.begin(), list.end(), ordinal), ordinal); }

}  // namespace

void Visible::erase(Ordinals& list, uint32_t ordinal) {
  const auto at = std::lower_bound(list.begin(), list.end(), ordinal);
  if (at != list.end() && *at == ordinal) list.erase(at);
}

void Visible::add(VisibleDocument document, const Metadata& metadata) {
  auto ordinal = static_cast<uint32_t>(documents_.size());
  if (free_.empty()) documents_.emplace_back(), metadata_.emplace_back();
  else ordinal = free_.back(), free_.pop_back();
  by_id_[document.id] = ordinal;
  if (document.rows > 0) by_row_[document.first_row] = ordinal;
  for (const auto& [name, value] : metadata) insert_sorted(fields_[name][value], ordinal);
  live_.set_range(document.first_row, document.rows);
  if (!document.allow) open_.set_range(document.first_row, document.rows);
  else for (const std::string& principal : *document.allow) {
    Ordinals& list = by_principal_[principal];
    if (!std::binary_search(list.begin(), list.end(), ordinal)) insert_sorted(list, ordinal);
  }
  documents_[ordinal] = std::move(document);
  metadata_[ordinal] = metadata;
}

void Visible::remove(std::string_view id) {
  const auto it = by_id_.find(std::string(id));
  if (it == by_id_.end()) {
    const auto old = base_ ? base_->find(id) : std::nullopt;
    if (!old || dead_.test(*old)) return;
    dead_.set(*old), ++dead_count_;
    live_.clear_range(base_->first_row(*old), base_->rows(*old));
    open_.clear_range(base_->first_row(*old), base_->rows(*old));
    return;
  }
  const uint32_t ordinal = it->second;
  const VisibleDocument& document = *documents_[ordinal];
  if (document.rows > 0) by_row_.erase(document.first_row);
  for (const auto& [name, value] : metadata_[ordinal]) {
    const auto field = fields_.find(name);
    erase(field->second[value], ordinal);
    if (field->second[value].empty()) field->second.erase(value);
    if (field->second.empty()) fields_.erase(field);
  }
  if (document.allow) {
    for (const std::string& principal : *document.allow) {
      const auto list = by_principal_.find(principal);
      if (list == by_principal_.end()) continue;  // it stands there twice
      erase(list->second, ordinal);
      if (list->second.empty()) by_principal_.erase(list);
    }
  }
  live_.clear_range(document.first_row, document.rows);
  open_.clear_range(document.first_row, document.rows);
  by_id_.erase(it);
  documents_[ordinal].reset(), metadata_[ordinal].clear();
  free_.push_back(ordinal);
}

void Visible::adopt(std::shared_ptr<const DocumentsTable> table) {
  *this = Visible();
  base_ = std::move(table);
  for (uint32_t i = 0; i < base_->documents(); ++i) {
    live_.set_range(base_->first_row(i), base_->rows(i));
    if (base_->open_to_all(i)) open_.set_range(base_->first_row(i), base_->rows(i));
  }
}

std::map<index::Language, size_t> Visible::languages() const {
  std::map<index::Language, size_t> out;
  size_t counts[index::kLanguages] = {};
  for (uint32_t i = 0; base_ && i < base_->documents(); ++i)
    if (base_->rows(i) > 0 && !dead_.test(i)) ++counts[static_cast<size_t>(base_->language(i))];
  for (const auto& document : documents_)
    if (document && document->rows > 0) ++counts[static_cast<size_t>(document->language)];
  for (size_t i = 0; i < std::size(counts); ++i)
    if (counts[i] > 0) out[static_cast<index::Language>(i)] = counts[i];
  return out;
}

std::optional<VisibleDocument> Visible::find(std::string_view id) const {
  if (const auto it = by_id_.find(std::string(id)); it != by_id_.end()) return documents_[it->second];
  const auto old = base_ ? base_->find(id) : std::nullopt;
  return old && !dead_.test(*old) ? std::optional(base_->document(*old)) : std::nullopt;
}

std::optional<VisibleDocument> Visible::of_row(uint32_t row) const {
  if (auto it = by_row_.upper_bound(row); it != by_row_.begin()) {
    const VisibleDocument& document = *documents_[(--it)->second];
    if (row - document.first_row < document.rows) return document;
  }
  const auto old = base_ ? base_->of_row(row) : std::nullopt;
  return old && !dead_.test(*old) ? std::optional(base_->document(*old)) : std::nullopt;
}

bool Visible::may_read(const VisibleDocument& document, const Reader& reader) {
  if (reader.everything || !document.allow) return true;
  return std::any_of(reader.principals.begin(), reader.principals.end(),
                     [&](const std::string& p) { return std::find(document.allow->begin(), document.allow->end(), p) != document.allow->end(); });
}

// Of a document that is still there.
bool Visible::has_field(std::string_view name) const {
  if (fields_.contains(name)) return true;
  const auto field = base_ ? base_->find_field(name) : std::nullopt;
  if (!field) return false;
  for (uint32_t v = base_->first_value(*field); v < base_->last_value(*field); ++v) {
    const auto ordinals = base_->of_value(v);
    for (size_t i = 0; i < ordinals.size(); ++i)
      if (!dead_.test(ordinals[i])) return true;
  }
  return false;
}

std::string Visible::field_names() const {
  std::set<std::string> all;
  for (const auto& [name, values] : fields_) all.insert(name);
  for (uint32_t i = 0; base_ && i < base_->fields(); ++i)
    if (has_field(base_->field_name(i))) all.insert(std::string(base_->field_name(i)));
  std::string names;
  for (const std::string& name : all) {
    if (names.size() > 500) break;
    names += (names.empty() ? "" : ", ") + name;
  }
  return names.empty() ? "none" : names;
}

Result<Visible::Kept> Visible::matching(const Filter& filter) const {
  Kept out{index::Bitmap(base_ ? base_->documents() : 0), index::Bitmap(documents_.size())};
  if (filter.kind == Filter::Kind::kAnd || filter.kind == Filter::Kind::kOr) {
    for (size_t i = 0; i < filter.filters.size(); ++i) {
      AJAR_ASSIGN(const Kept one, matching(filter.filters[i]));
      if (i == 0 || filter.kind == Filter::Kind::kOr) out.old |= one.old, out.added |= one.added;
      else out.old &= one.old, out.added &= one.added;
    }
    return out;
  }
  if (!has_field(filter.field)) return invalid("filter", "no document has the field '" + filter.field + "'; there are: " + field_names());
  // f(value): whether its documents are taken.
  const auto take = [&](const std::optional<Value>& from, const std::optional<Value>& to, const auto& f) {
    if (const auto field = fields_.find(filter.field); field != fields_.end()) {
      for (auto it = from ? field->second.lower_bound(*from) : field->second.begin(); it != field->second.end(); ++it) {
        if (to && *to < it->first) break;
        if (!f(it->first)) continue;
        for (const uint32_t ordinal : it->second) out.added.set(ordinal);
      }
    }
    const auto field = base_ ? base_->find_field(filter.field) : std::nullopt;
    if (!field) return;
    uint32_t at = base_->first_value(*field), last = base_->last_value(*field);
    for (uint32_t end = last; from && at < end;) {  // the first that is not less
      const uint32_t middle = at + (end - at) / 2;
      if (base_->value(middle) < *from) at = middle + 1;
      else end = middle;
    }
    for (; at < last; ++at) {
      const Value value = base_->value(at);
      if (to && *to < value) break;
      if (!f(value)) continue;
      const auto ordinals = base_->of_value(at);
      for (size_t i = 0; i < ordinals.size(); ++i) out.old.set(ordinals[i]);
    }
  };
  const auto equal = [&] {
    for (const Value& wanted : filter.values) take(wanted, wanted, [](const Value&) { return true; });
  };
  switch (filter.kind) {
    case Filter::Kind::kEq:
    case Filter::Kind::kIn: equal(); break;
    case Filter::Kind::kNe:
    case Filter::Kind::kNotIn: {  // also of documents without the field
      equal();
      Kept all;
      if (base_) all.old.set_range(0, base_->documents());
      for (const auto& [id, ordinal] : by_id_) all.added.set(ordinal);
      return Kept{all.old.subtract(out.old), all.added.subtract(out.added)};
    }
    default: {  // an order among values of one kind
      const Value& bound = filter.values.front();
      const bool up = filter.kind == Filter::Kind::kGt || filter.kind == Filter::Kind::kGe, strict = filter.kind == Filter::Kind::kGt || filter.kind == Filter::Kind::kLt;
      const auto keep = [&](const Value& value) { return value.index() == bound.index() && !(strict && value == bound); };
      if (up) take(bound, std::nullopt, keep);
      else take(std::nullopt, bound, keep);
    }
  }
  return out;
}

Result<index::Bitmap> Visible::rows(const Reader& reader, const Filter& filter) const {
  const auto add_old = [&](index::Bitmap& rows, uint32_t ordinal) {
    if (!dead_.test(ordinal)) rows.set_range(base_->first_row(ordinal), base_->rows(ordinal));
  };
  const auto add_new = [&](index::Bitmap& rows, uint32_t ordinal) { rows.set_range(documents_[ordinal]->first_row, documents_[ordinal]->rows); };
  index::Bitmap readable = reader.everything ? live_ : open_;
  if (!reader.everything) {
    for (const std::string& principal : reader.principals) {
      if (base_) {
        const auto ordinals = base_->of_principal(principal);
        for (size_t i = 0; i < ordinals.size(); ++i) add_old(readable, ordinals[i]);
      }
      if (const auto it = by_principal_.find(principal); it != by_principal_.end())
        for (const uint32_t ordinal : it->second) add_new(readable, ordinal);
    }
  }
  if (filter.kind == Filter::Kind::kAll) return readable;
  AJAR_ASSIGN(const Kept kept, matching(filter));
  index::Bitmap rows;
  kept.old.each([&](uint32_t ordinal) { add_old(rows, ordinal); });
  kept.added.each([&](uint32_t ordinal) { add_new(rows, ordinal); });
  return rows &= readable;
}

}  // namespace ajar::rag
