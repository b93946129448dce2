#include "rag/visible.h"

#include <algorithm>

namespace ajar::rag {
namespace {

void insert_sorted(std::vector<uint32_t>& list, uint32_t ordinal) { list.insert(std::lower_bound(list.begin(), list.end(), ordinal), ordinal); }

}  // namespace

void Visible::erase(Ordinals& list, uint32_t ordinal) {
  const auto at = std::lower_bound(list.begin(), list.end(), ordinal);
  if (at != list.end() && *at == ordinal) list.erase(at);
}

void Visible::add(VisibleDocument document) {
  auto ordinal = static_cast<uint32_t>(documents_.size());
  if (free_.empty()) documents_.emplace_back();
  else ordinal = free_.back(), free_.pop_back();
  by_id_[document.id] = ordinal;
  if (document.rows > 0) by_row_[document.first_row] = ordinal;
  for (const auto& [name, value] : document.metadata) insert_sorted(fields_[name][value], ordinal);
  live_.set_range(document.first_row, document.rows);
  if (!document.allow) open_.set_range(document.first_row, document.rows);
  else for (const std::string& principal : *document.allow) {
    Ordinals& list = by_principal_[principal];
    if (!std::binary_search(list.begin(), list.end(), ordinal)) insert_sorted(list, ordinal);
  }
  documents_[ordinal] = std::move(document);
}

void Visible::remove(std::string_view id) {
  const auto it = by_id_.find(std::string(id));
  if (it == by_id_.end()) return;
  const uint32_t ordinal = it->second;
  const VisibleDocument& document = *documents_[ordinal];
  if (document.rows > 0) by_row_.erase(document.first_row);
  for (const auto& [name, value] : document.metadata) {
    const auto field = fields_.find(name);
    erase(field->second[value], ordinal);
    if (field->second[value].empty()) field->second.erase(value);
    if (field->second.empty()) fields_.erase(field);
  }
  if (document.allow) {
    for (const std::string& principal : *document.allow) {
      erase(by_principal_[principal], ordinal);
      if (by_principal_[principal].empty()) by_principal_.erase(principal);
    }
  }
  live_.clear_range(document.first_row, document.rows);
  open_.clear_range(document.first_row, document.rows);
  by_id_.erase(it);
  documents_[ordinal].reset();
  free_.push_back(ordinal);
}

const VisibleDocument* Visible::find(std::string_view id) const {
  const auto it = by_id_.find(std::string(id));
  return it == by_id_.end() ? nullptr : &*documents_[it->second];
}

const VisibleDocument* Visible::of_row(uint32_t row) const {
  auto it = by_row_.upper_bound(row);
  if (it == by_row_.begin()) return nullptr;
  const VisibleDocument& document = *documents_[(--it)->second];
  return row - document.first_row < document.rows ? &document : nullptr;
}

bool Visible::may_read(const VisibleDocument& document, const Reader& reader) const {
  if (reader.everything || !document.allow) return true;
  return std::any_of(reader.principals.begin(), reader.principals.end(),
                     [&](const std::string& p) { return std::find(document.allow->begin(), document.allow->end(), p) != document.allow->end(); });
}

Result<index::Bitmap> Visible::matching(const Filter& filter) const {
  index::Bitmap out(documents_.size());
  if (filter.kind == Filter::Kind::kAnd || filter.kind == Filter::Kind::kOr) {
    for (size_t i = 0; i < filter.filters.size(); ++i) {
      AJAR_ASSIGN(const index::Bitmap one, matching(filter.filters[i]));
      if (i == 0 || filter.kind == Filter::Kind::kOr) out |= one;
      else out &= one;
    }
    return out;
  }
  const auto field = fields_.find(filter.field);
  if (field == fields_.end()) {
    std::string names;
    for (const auto& [name, values] : fields_) {
      if (names.size() > 500) break;
      names += (names.empty() ? "" : ", ") + name;
    }
    return invalid("filter", "no document has the field '" + filter.field + "'; there are: " + (names.empty() ? "none" : names));
  }
  const auto& values = field->second;
  const auto take = [&](const Ordinals& list) {
    for (const uint32_t ordinal : list) out.set(ordinal);
  };
  const auto equal = [&] {
    for (const Value& wanted : filter.values)
      if (const auto it = values.find(wanted); it != values.end()) take(it->second);
  };
  switch (filter.kind) {
    case Filter::Kind::kEq:
    case Filter::Kind::kIn: equal(); break;
    case Filter::Kind::kNe:
    case Filter::Kind::kNotIn: {  // also of documents without the field
      equal();
      index::Bitmap all;
      for (const auto& [id, ordinal] : by_id_) all.set(ordinal);
      return all.subtract(out);
    }
    default: {  // an order among values of one kind
      const Value& bound = filter.values.front();
      for (const auto& [value, list] : values) {
        if (value.index() != bound.index()) continue;
        const bool keep = filter.kind == Filter::Kind::kGt   ? bound < value
                          : filter.kind == Filter::Kind::kGe ? !(value < bound)
                          : filter.kind == Filter::Kind::kLt ? value < bound
                                                             : !(bound < value);
        if (keep) take(list);
      }
    }
  }
  return out;
}

Result<index::Bitmap> Visible::rows(const Reader& reader, const Filter& filter) const {
  index::Bitmap readable;
  if (reader.everything) {
    readable = live_;
  } else {
    readable = open_;
    for (const std::string& principal : reader.principals) {
      const auto it = by_principal_.find(principal);
      if (it == by_principal_.end()) continue;
      for (const uint32_t ordinal : it->second) readable.set_range(documents_[ordinal]->first_row, documents_[ordinal]->rows);
    }
  }
  if (filter.kind == Filter::Kind::kAll) return readable;
  AJAR_ASSIGN(const index::Bitmap kept, matching(filter));
  index::Bitmap rows;
  kept.each([&](uint32_t ordinal) { rows.set_range(documents_[ordinal]->first_row, documents_[ordinal]->rows); });
  return rows &= readable;
}

}  // namespace ajar::rag
