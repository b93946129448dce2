#include "rag/visible.h"

#include <gtest/gtest.h>

#include <random>

namespace ajar::rag {
namespace {

std::vector<uint32_t> list(const index::Bitmap& rows) {
  std::vector<uint32_t> out;
  rows.each([&](uint32_t row) { out.push_back(row); });
  return out;
}

// Documents as they are, one by one: what Visible must say.
struct Plain {
  struct One {
    VisibleDocument document;
    Metadata metadata;
  };
  std::map<std::string, One> all;

  static bool keeps(const Filter& filter, const Metadata& metadata) {
    if (filter.kind == Filter::Kind::kAll) return true;
    if (filter.kind == Filter::Kind::kAnd) return std::all_of(filter.filters.begin(), filter.filters.end(), [&](const Filter& f) { return keeps(f, metadata); });
    if (filter.kind == Filter::Kind::kOr) return std::any_of(filter.filters.begin(), filter.filters.end(), [&](const Filter& f) { return keeps(f, metadata); });
    const auto it = metadata.find(filter.field);
    const bool in = it != metadata.end() && std::find(filter.values.begin(), filter.values.end(), it->second) != filter.values.end();
    switch (filter.kind) {
      case Filter::Kind::kEq:
      case Filter::Kind::kIn: return in;
      case Filter::Kind::kNe:
      case Filter::Kind::kNotIn: return !in;
      default: break;
    }
    const Value& bound = filter.values.front();
    if (it == metadata.end() || it->second.index() != bound.index()) return false;
    switch (filter.kind) {
      case Filter::Kind::kGt: return bound < it->second;
      case Filter::Kind::kGe: return bound <= it->second;
      case Filter::Kind::kLt: return it->second < bound;
      default: return it->second <= bound;
    }
  }
  std::vector<uint32_t> rows(const Reader& reader, const Filter& filter) const {
    std::vector<uint32_t> out;
    for (const auto& [id, one] : all)
      if (Visible::may_read(one.document, reader) && keeps(filter, one.metadata))
        for (uint32_t i = 0; i < one.document.rows; ++i) out.push_back(one.document.first_row + i);
    std::sort(out.begin(), out.end());
    return out;
  }
  bool has_field(const Filter& filter) const {
    if (filter.kind == Filter::Kind::kAll) return true;
    if (!filter.filters.empty()) return std::all_of(filter.filters.begin(), filter.filters.end(), [&](const Filter& f) { return has_field(f); });
    return std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.second.metadata.contains(filter.field); });
  }
};

TEST(Visible, SaysWhatItsDocumentsSayWhateverIsInATable) {
  std::mt19937 random(7);
  const auto value = [&]() -> Value {
    switch (random() % 3) {
      case 0: return std::string(1 + random() % 2, static_cast<char>('a' + random() % 3));
      case 1: return static_cast<double>(random() % 5) - 2;
      default: return random() % 2 == 0;
    }
  };
  const auto filter = [&](const auto& self, int depth) -> Filter {
    const auto kind = static_cast<Filter::Kind>(random() % (depth > 1 ? 9 : 11));
    Filter out{.kind = kind, .field = std::string(1, static_cast<char>('f' + random() % 3)), .values = {}, .filters = {}};
    if (kind >= Filter::Kind::kAnd) out.filters = {self(self, depth + 1), self(self, depth + 1)};
    else out.values = {value()};
    if (kind == Filter::Kind::kIn || kind == Filter::Kind::kNotIn) out.values.push_back(value());
    if (kind == Filter::Kind::kAll && depth > 0) out.kind = Filter::Kind::kEq;
    return out;
  };
  Visible visible;
  Plain plain;
  uint32_t next_row = 1;
  for (int step = 0; step < 3000; ++step) {
    const std::string id = "d" + std::to_string(random() % 40);
    const auto what = random() % 100;
    if (what < 30) {
      visible.remove(id), plain.all.erase(id);
    } else if (what < 65) {
      VisibleDocument document{id, next_row, static_cast<uint32_t>(random() % 4), {}, static_cast<index::Language>(random() % 3)};
      next_row += document.rows;
      if (random() % 2 == 0) {
        document.allow.emplace();
        for (auto n = random() % 3; n > 0; --n) document.allow->push_back(std::string(1, static_cast<char>('p' + random() % 3)));
      }
      Metadata metadata;
      for (auto n = random() % 3; n > 0; --n) metadata[std::string(1, static_cast<char>('f' + random() % 3))] = value();
      visible.remove(id), visible.add(document, metadata);
      plain.all[id] = {document, metadata};
    } else if (what < 70) {
      auto table = DocumentsTable::open(index::Buffer::own(visible.table()));
      ASSERT_TRUE(table) << table.error().message;
      visible.adopt(*table);
      EXPECT_EQ(visible.changes(), 0u);
    }
    ASSERT_EQ(visible.documents(), plain.all.size());
    const Reader reader{.everything = random() % 4 == 0, .principals = {std::string(1, static_cast<char>('p' + random() % 4))}};
    const Filter asked = filter(filter, 0);
    const auto rows = visible.rows(reader, asked);
    ASSERT_EQ(rows.has_value(), plain.has_field(asked)) << (rows ? "" : rows.error().message);
    if (rows) ASSERT_EQ(list(*rows), plain.rows(reader, asked));
    const auto found = visible.find(id);
    const auto known = plain.all.find(id);
    ASSERT_EQ(found.has_value(), known != plain.all.end());
    if (found) ASSERT_EQ(found->allow, known->second.document.allow);
    const uint32_t row = random() % (next_row + 2);
    const auto of = visible.of_row(row);
    const auto owner = std::find_if(plain.all.begin(), plain.all.end(), [&](const auto& one) { return row - one.second.document.first_row < one.second.document.rows; });
    ASSERT_EQ(of.has_value(), owner != plain.all.end()) << row;
    if (of) ASSERT_EQ(of->id, owner->first);
    std::map<index::Language, size_t> languages;
    for (const auto& [name, one] : plain.all)
      if (one.document.rows > 0) ++languages[one.document.language];
    ASSERT_EQ(visible.languages(), languages);
  }
}

TEST(DocumentsTable, ADamagedByteIsSeen) {
  Visible visible;
  for (uint32_t i = 0; i < 20; ++i)
    visible.add({"d" + std::to_string(i), 1 + i * 2, 2, i % 3 == 0 ? std::optional(std::vector<std::string>{"p"}) : std::nullopt, index::Language::kNone}, {{"n", double(i)}});
  const std::string good = visible.table();
  ASSERT_TRUE(DocumentsTable::open(index::Buffer::own(good)));
  for (size_t at = 0; at < good.size(); at += 3) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    EXPECT_FALSE(DocumentsTable::open(index::Buffer::own(std::move(bad)))) << at;
  }
}

}  // namespace
}  // namespace ajar::rag
