// One set of tests over every store: the embedded one, the emulations of tests/stores, and a real PostgreSQL where there is one.

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "index/vectors.h"
#include "rag/predicate.h"
#include "vectors/embedded.h"
#include "vectors/postgres_test_server.h"
#include "vectors/test_server.h"

namespace ajar::vectors {
namespace {

using rag::Filter;
using rag::Metadata;
using rag::Predicate;
using rag::RowFields;
using rag::Value;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = Predicate::Kind;

constexpr uint32_t kWidth = 8;

std::vector<float> direction(uint32_t seed, uint32_t width = kWidth) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> out(width);
  for (float& x : out) x = normal(random);
  EXPECT_TRUE(index::normalize(out));
  return out;
}

struct Rows {
  std::vector<std::vector<float>> vectors;
  std::vector<rag::VectorRow> rows;
  void add(uint32_t row, std::vector<float> vector, std::optional<std::vector<std::string>> allow = {}, const Metadata& metadata = {}) {
    vectors.push_back(std::move(vector));
    auto fields = rag::fields_of("d" + std::to_string(row), allow, metadata);
    ASSERT_TRUE(fields);
    rows.push_back({row, vectors.back(), *fields});
  }
  std::span<const rag::VectorRow> all() {
    for (size_t i = 0; i < rows.size(); ++i) rows[i].vector = vectors[i];
    return rows;
  }
};

// A server of one kind for all tests of it, and a collection of its own for each.
class Contract : public ::testing::TestWithParam<std::string> {
 protected:
  static Emulator& emulator(const std::string& kind) {
    static std::map<std::string, std::unique_ptr<Emulator>> all;
    auto& one = all[kind];
    if (!one) one = std::make_unique<Emulator>(AJAR_SOURCE_DIR, kind, "secret-of-" + kind);
    return *one;
  }

  void SetUp() override {
    static int number = 0;
    const std::string collection = "ajar_test_" + std::to_string(++number);
    if (GetParam() == "embedded") {
      store_ = make_embedded();
    } else if (GetParam() == "pgvector") {
      const PostgresServer& server = PostgresServer::get(std::getenv("AJAR_POSTGRES_BIN"));
      if (!server.why_not().empty()) GTEST_SKIP() << server.why_not();
      store_ = make(server.options(), collection);
    } else {
      if (!emulator(GetParam()).there()) GTEST_SKIP() << "python3 is not at hand for the emulation";
      emulator(GetParam()).fault("");
      if (GetParam() == "pinecone") emulator("pinecone").set(R"({"dimension":8})");
      store_ = make(emulator(GetParam()).options(), collection);
    }
    collection_ = collection;
  }
  void TearDown() override {
    if (store_) {
      EXPECT_TRUE(store_->drop());
    }
  }
  std::unique_ptr<rag::VectorStore> make(const StoreOptions& options, const std::string& collection) {
    auto made = open_store(options, collection, GetParam() == "pgvector" ? CallHttp() : emulator(GetParam()).http());
    EXPECT_TRUE(made) << made.error().message;
    return made ? std::move(*made) : nullptr;
  }
  bool rest() const { return GetParam() != "embedded" && GetParam() != "pgvector"; }

  std::vector<uint32_t> found(std::span<const float> query, const Predicate& predicate, size_t limit = 10) {
    const auto hits = store_->search(query, predicate, limit);
    EXPECT_TRUE(hits) << hits.error().message;
    std::vector<uint32_t> out;
    if (hits) for (const auto& hit : *hits) out.push_back(hit.row);
    return out;
  }
  std::vector<uint32_t> set_of(const Predicate& predicate) {
    auto out = found(direction(1), predicate, 1000);
    std::ranges::sort(out);
    return out;
  }
#define PUT(rows)                                                              \
  do {                                                                         \
    const auto put = store_->upsert((rows).all());                             \
    ASSERT_TRUE(put) << put.error().message;                                   \
  } while (0)

  std::unique_ptr<rag::VectorStore> store_;
  std::string collection_;
};

Predicate any(std::vector<std::string> tags) { return {.kind = Kind::kAny, .tags = std::move(tags)}; }
Predicate none(std::vector<std::string> tags) { return {.kind = Kind::kNone, .tags = std::move(tags)}; }
Predicate number(Kind kind, std::string_view field, double bound) { return {.kind = kind, .number = rag::number_name(field), .bound = bound}; }

TEST_P(Contract, TheNearestComeFirstWithTheirCosines) {
  ASSERT_TRUE(store_->health()) << store_->health().error().message;
  const auto made = store_->create(kWidth);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(*made);
  Rows rows;
  for (uint32_t i = 1; i <= 40; ++i) rows.add(i, direction(i));
  PUT(rows);
  const auto query = direction(99);
  std::vector<index::Scored> wanted;
  for (uint32_t i = 0; i < 40; ++i) {
    float sum = 0;
    for (uint32_t d = 0; d < kWidth; ++d) sum += query[d] * rows.vectors[i][d];
    wanted.push_back({i + 1, sum});
  }
  std::ranges::sort(wanted, index::better);
  const auto hits = store_->search(query, {}, 7);
  ASSERT_TRUE(hits) << hits.error().message;
  ASSERT_EQ(hits->size(), 7u);
  for (size_t i = 0; i < 7; ++i) {
    EXPECT_EQ((*hits)[i].row, wanted[i].row) << i;
    EXPECT_NEAR((*hits)[i].score, wanted[i].score, 1e-4) << i;
  }
  EXPECT_EQ(store_->count().value_or(0), 40u);
}

TEST_P(Contract, MakingItTwiceIsFineAndAnotherWidthIsNot) {
  ASSERT_TRUE(store_->create(kWidth).value_or(false));
  Rows rows;
  rows.add(1, direction(1));
  PUT(rows);
  const auto again = store_->create(kWidth);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_FALSE(*again);
  EXPECT_EQ(store_->count().value_or(0), 1u);
  const auto other = store_->create(kWidth + 1);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kConflict) << other.error().message;
}

// Of our reference's complaints: ids must come back as they went in (Qdrant and Weaviate take only some forms).
TEST_P(Contract, EveryRowNumberComesBack) {
  ASSERT_TRUE(store_->create(kWidth));
  Rows rows;
  for (const uint32_t row : {1u, 2u, 1000u, 65'536u, 2'147'483'647u, 2'147'483'648u, 4'294'967'294u}) rows.add(row, direction(row));
  PUT(rows);
  EXPECT_THAT(set_of({}), ElementsAre(1, 2, 1000, 65'536, 2'147'483'647u, 2'147'483'648u, 4'294'967'294u));
  EXPECT_THAT(store_->rows(1, 1000).value(), ElementsAre(1, 2, 1000));
  EXPECT_THAT(store_->rows(2, 998).value(), ElementsAre(2));
  EXPECT_THAT(store_->rows(2'147'483'600u, 100).value(), ElementsAre(2'147'483'647u, 2'147'483'648u));
  EXPECT_THAT(store_->rows(5000, 1000).value(), IsEmpty());
}

TEST_P(Contract, PuttingARowAgainReplacesVectorAndFields) {
  ASSERT_TRUE(store_->create(kWidth));
  Rows rows;
  rows.add(1, direction(1), std::vector<std::string>{"user:ada"}, {{"year", 2023.0}, {"old", true}});
  rows.add(2, direction(2));
  PUT(rows);
  Rows again;
  again.add(1, direction(7), std::vector<std::string>{"user:bob"}, {{"year", 2024.5}});
  PUT(again);
  PUT(again);
  EXPECT_EQ(store_->count().value_or(0), 2u);
  EXPECT_EQ(found(direction(7), {}, 1), std::vector<uint32_t>{1});
  EXPECT_THAT(set_of(any({"@=user:ada"})), IsEmpty());
  EXPECT_THAT(set_of(any({"@=user:bob"})), ElementsAre(1));
  EXPECT_THAT(set_of(any({"old=b:true"})), IsEmpty());
  EXPECT_THAT(set_of(number(Kind::kGt, "year", 2024)), ElementsAre(1));
  EXPECT_THAT(set_of(number(Kind::kLe, "year", 2024)), IsEmpty());
}

TEST_P(Contract, ADeleteIsSeenByTheNextRead) {
  ASSERT_TRUE(store_->create(kWidth));
  Rows rows;
  for (uint32_t i = 1; i <= 30; ++i) rows.add(i, direction(i));
  PUT(rows);
  for (uint32_t i = 1; i <= 30; i += 3) {
    const std::vector<uint32_t> gone{i, 5'000'000 + i};  // those that are not there do no harm
    const auto erased = store_->erase(gone);
    ASSERT_TRUE(erased) << erased.error().message;
    EXPECT_NE(found(direction(i), {}, 1), std::vector<uint32_t>{i});
  }
  EXPECT_EQ(store_->count().value_or(0), 20u);
  EXPECT_EQ(store_->rows(1, 1000).value().size(), 20u);
}

// pgvector#751, #719, #785, #259, honcho#1048: a filter that keeps few rows gave a few of them, or none.
TEST_P(Contract, AFilteredSearchGivesAsManyAsThereAre) {
  ASSERT_TRUE(store_->create(kWidth));
  Rows rows;
  std::mt19937 random(5);
  for (uint32_t i = 1; i <= 600; ++i) {
    // The few are far from where the question is, behind hundreds that the filter passes over.
    auto vector = direction(i);
    vector[0] = i % 50 == 0 ? -3.0f : 3.0f;
    ASSERT_TRUE(index::normalize(vector));
    rows.add(i, vector, {}, {{"share", i % 50 == 0 ? 1.0 : 2.0}});
  }
  PUT(rows);
  std::vector<float> query(kWidth, 0.01f);
  query[0] = 1;
  ASSERT_TRUE(index::normalize(query));
  EXPECT_EQ(found(query, any({"share=n:1"}), 10).size(), 10u);
  EXPECT_EQ(found(query, any({"share=n:1"}), 100).size(), 12u);
  EXPECT_EQ(found(query, number(Kind::kLt, "share", 1.5), 100).size(), 12u);
  EXPECT_EQ(found(query, {}, 599).size(), 599u);
}

TEST_P(Contract, PredicatesMeanTheSameEverywhere) {
  ASSERT_TRUE(store_->create(kWidth));
  Rows rows;
  const std::vector<std::string> nobody;
  rows.add(1, direction(1), {}, {{"year", 2023.0}, {"team", std::string("support")}, {"draft", true}});
  rows.add(2, direction(2), {}, {{"year", 2024.0}, {"team", std::string("2024")}, {"draft", false}});
  rows.add(3, direction(3), {}, {{"year", std::string("2024")}, {"team", 2024.0}});
  rows.add(4, direction(4), std::vector<std::string>{"team:legal", "user:ada"}, {{"year", 2024.25}});
  rows.add(5, direction(5), nobody, {{"year", -1.5}});
  rows.add(6, direction(6));
  PUT(rows);
  EXPECT_THAT(set_of(any({"year=n:2024"})), ElementsAre(2));
  EXPECT_THAT(set_of(any({"year=s:2024"})), ElementsAre(3));
  EXPECT_THAT(set_of(any({"year=n:2024", "year=n:2023", "none=s:x"})), ElementsAre(1, 2));
  EXPECT_THAT(set_of(none({"year=n:2024"})), ElementsAre(1, 3, 4, 5, 6));  // also those without the field
  EXPECT_THAT(set_of(none({"year=n:2024", "draft=b:true"})), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT(set_of(number(Kind::kGt, "year", 2024)), ElementsAre(4));
  EXPECT_THAT(set_of(number(Kind::kGe, "year", 2024)), ElementsAre(2, 4));
  EXPECT_THAT(set_of(number(Kind::kLt, "year", 2023)), ElementsAre(5));
  EXPECT_THAT(set_of(number(Kind::kLe, "year", 2023)), ElementsAre(1, 5));
  EXPECT_THAT(set_of(number(Kind::kGe, "no such field", 0)), IsEmpty());
  EXPECT_THAT(set_of(any({"@*"})), ElementsAre(1, 2, 3, 6));
  EXPECT_THAT(set_of(any({"@*", "@=user:ada"})), ElementsAre(1, 2, 3, 4, 6));
  EXPECT_THAT(set_of(any({"@-"})), ElementsAre(5));
  const Predicate range{.kind = Kind::kAnd, .parts = {number(Kind::kGe, "year", 2023), number(Kind::kLt, "year", 2024.25)}};
  EXPECT_THAT(set_of(range), ElementsAre(1, 2));
  const Predicate either{.kind = Kind::kOr, .parts = {range, any({"@=team:legal"}), number(Kind::kLt, "year", 0)}};
  EXPECT_THAT(set_of(either), ElementsAre(1, 2, 4, 5));
  EXPECT_THAT(set_of({.kind = Kind::kAnd, .parts = {either, none({"draft=b:true"}), any({"@*", "@=team:legal"})}}), ElementsAre(2, 4));
  EXPECT_THAT(set_of({.kind = Kind::kNothing}), IsEmpty());
}

// What quotes, escapes and strange names do to a query that is a text (Milvus, GraphQL, SQL).
TEST_P(Contract, StrangeTextsAreTextsInAQuery) {
  ASSERT_TRUE(store_->create(kWidth));
  const std::vector<std::string> strange = {"a\"b", "a'b", "a\\b", "x\"] or true or [\"", "' OR 1=1 --", "{}", "NULL", "grün", "日本", "a b", " a", "a ", "%", "%20", "a=s:b", "@*", "\n", "$1", "{\"x\":1}", std::string(600, 'q'), std::string(600, 'q') + "r", "a,b", "A\"B"};
  Rows rows;
  for (uint32_t i = 0; i < strange.size(); ++i) rows.add(i + 1, direction(i + 1), std::vector<std::string>{strange[i]}, {{"f", strange[i]}, {strange[i].substr(0, 100), 1.0 + i}});
  PUT(rows);
  rag::Visible visible;
  for (uint32_t i = 0; i < strange.size(); ++i)
    visible.add({.id = "d" + std::to_string(i), .first_row = i + 1, .rows = 1, .allow = std::vector<std::string>{strange[i]}}, {{"f", strange[i]}, {strange[i].substr(0, 100), 1.0 + i}});
  for (uint32_t i = 0; i < strange.size(); ++i) {
    const rag::Reader reader{.principals = {strange[i]}};
    EXPECT_THAT(set_of(*rag::predicate_of(visible, reader, {})), ElementsAre(i + 1)) << strange[i];
    EXPECT_THAT(set_of(*rag::predicate_of(visible, {.everything = true}, {.kind = Filter::Kind::kEq, .field = "f", .values = {strange[i]}})), ElementsAre(i + 1)) << strange[i];
    EXPECT_EQ(set_of(*rag::predicate_of(visible, {.everything = true}, {.kind = Filter::Kind::kNe, .field = "f", .values = {strange[i]}})).size(), strange.size() - 1) << strange[i];
    const auto ranged = set_of(*rag::predicate_of(visible, {.everything = true}, {.kind = Filter::Kind::kGe, .field = strange[i].substr(0, 100), .values = {1.0 + i}}));
    EXPECT_EQ(ranged.front(), i + 1) << strange[i];
  }
}

// The oracle is Visible itself, over documents and filters at random.
TEST_P(Contract, RandomFiltersKeepWhatTheCollectionKeeps) {
  ASSERT_TRUE(store_->create(kWidth));
  std::mt19937 random(17);
  const auto draw = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  const auto value = [&]() -> Value {
    switch (draw(4)) {
      case 0: return std::string(1, static_cast<char>('a' + draw(4)));
      case 1: return draw(2) == 0;
      default: return static_cast<double>(draw(8)) / 2 - 1;
    }
  };
  const std::vector<std::string> names{"a", "b_", "c d"}, principals{"p", "q", "r"};
  rag::Visible visible;
  Rows rows;
  for (uint32_t i = 1; i <= 60; ++i) {
    rag::VisibleDocument document{.id = "d" + std::to_string(i), .first_row = i, .rows = 1};
    if (draw(2) == 0) {
      document.allow.emplace();
      for (const auto& p : principals) if (draw(3) == 0) document.allow->push_back(p);
    }
    rag::Metadata metadata;
    for (const auto& name : names) if (draw(4) != 0) metadata[name] = value();
    rows.add(i, direction(i), document.allow, metadata);
    visible.add(std::move(document), metadata);
    if (i == 40) visible.adopt(*rag::DocumentsTable::open(index::Buffer::own(visible.table())));  // what is kept in its file counts as well
  }
  PUT(rows);
  const std::function<Filter(int)> filter = [&](int depth) -> Filter {
    using FK = Filter::Kind;
    const FK kinds[] = {FK::kEq, FK::kNe, FK::kGt, FK::kGe, FK::kLt, FK::kLe, FK::kIn, FK::kNotIn, FK::kAnd, FK::kOr};
    Filter out{.kind = kinds[draw(depth > 0 ? 10 : 8)]};
    if (out.kind == FK::kAnd || out.kind == FK::kOr) {
      for (uint32_t i = 0; i <= draw(3); ++i) out.filters.push_back(filter(depth - 1));
    } else {
      out.field = names[draw(3)];
      for (uint32_t i = 0; i < (out.kind == FK::kIn || out.kind == FK::kNotIn ? draw(4) : 1); ++i) out.values.push_back(value());
    }
    return out;
  };
  for (int i = 0; i < 60; ++i) {
    rag::Reader reader{.everything = draw(4) == 0};
    for (const auto& p : principals) if (draw(2) == 0) reader.principals.push_back(p);
    const Filter one = filter(2);
    const auto wanted = visible.rows(reader, one);
    ASSERT_TRUE(wanted);
    std::vector<uint32_t> expected;
    wanted->each([&](uint32_t row) { expected.push_back(row); });
    const auto predicate = rag::predicate_of(visible, reader, one);
    ASSERT_TRUE(predicate);
    EXPECT_EQ(set_of(*predicate), expected) << i;
  }
}

TEST_P(Contract, ManyRowsAndWideOnesFitTheStoresLimits) {
  constexpr uint32_t kWide = 256;
  if (GetParam() == "pinecone") emulator("pinecone").set(R"({"dimension":256})");
  ASSERT_TRUE(store_->create(kWide));
  Rows rows;
  for (uint32_t i = 1; i <= 1100; ++i) rows.add(i, direction(i, kWide));
  PUT(rows);
  EXPECT_EQ(store_->count().value_or(0), 1100u);
  EXPECT_EQ(store_->rows(1, 1000).value().size(), 1000u);
  std::vector<uint32_t> all;
  for (uint32_t i = 1; i <= 1100; ++i) all.push_back(i);
  ASSERT_TRUE(store_->erase(all));
  EXPECT_EQ(store_->count().value_or(1), 0u);
}

TEST_P(Contract, WhatIsNotThereIsNotFound) {
  std::vector<float> query = direction(1);
  const auto searched = store_->search(query, {}, 3);
  if (GetParam() == "pinecone") {  // a namespace is there as soon as it is asked for
    ASSERT_TRUE(searched) << searched.error().message;
    EXPECT_THAT(*searched, IsEmpty());
  } else {
    ASSERT_FALSE(searched);
    EXPECT_EQ(searched.error().code, Code::kNotFound) << searched.error().message;
  }
  EXPECT_TRUE(store_->drop()) << store_->drop().error().message;
  ASSERT_TRUE(store_->create(kWidth).value_or(false));
  Rows rows;
  rows.add(1, direction(1));
  PUT(rows);
  EXPECT_TRUE(store_->drop());
  EXPECT_TRUE(store_->create(kWidth).value_or(false)) << "made anew";
  EXPECT_EQ(store_->count().value_or(1), 0u);
}

TEST_P(Contract, AVectorOfAnotherWidthIsRefusedByName) {
  ASSERT_TRUE(store_->create(kWidth));
  Rows rows;
  rows.add(1, direction(1, kWidth + 2));
  const auto put = store_->upsert(rows.all());
  ASSERT_FALSE(put);
  EXPECT_THAT(put.error().message, HasSubstr(store_->where()));
}

TEST_P(Contract, FaultsNameTheStoreAndWhatItAnswered) {
  if (!rest()) GTEST_SKIP() << "only of those that are asked over HTTP";
  ASSERT_TRUE(store_->create(kWidth));
  auto& server = emulator(GetParam());
  StoreOptions options = server.options();
  const auto query = direction(1);
  for (const auto& [mode, code, said] : {std::tuple("500", Code::kUnavailable, "out of order"), {"429", Code::kRateLimit, "out of order"}, {"nonsense", Code::kUpstream, "a proxy's greeting"}, {"hang", Code::kTimeout, ""}}) {
    server.fault(mode);
    options.timeout = code == Code::kTimeout ? Millis(200) : Millis(120'000);
    const auto hasty = make(options, collection_);
    const auto of = [](auto result) { return result ? Status() : Status(std::unexpected(result.error())); };
    for (const Status& status : {hasty->health(), of(hasty->search(query, {}, 3)), hasty->erase(std::vector<uint32_t>{1}), of(hasty->count()), of(hasty->rows(1, 10))}) {
      ASSERT_FALSE(status) << mode;
      EXPECT_EQ(status.error().code, code) << mode << ": " << status.error().message;
      EXPECT_THAT(status.error().message, HasSubstr(server.url()));
      EXPECT_THAT(status.error().message, HasSubstr(said));
      EXPECT_THAT(status.error().message, ::testing::Not(HasSubstr(options.api_key)));
    }
  }
  server.fault("");
  options.timeout = Millis(120'000);
  options.api_key = "wrong";
  const auto refused = make(options, collection_)->health();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("does not take our key"));
  EXPECT_EQ(store_->count().value_or(9), 0u) << "and goes on";
}

INSTANTIATE_TEST_SUITE_P(Stores, Contract, ::testing::Values("embedded", "qdrant", "pgvector", "weaviate", "milvus", "pinecone"),
                         [](const auto& info) { return info.param; });

TEST(StoreOptions, AreChecked) {
  const auto check = [](StoreOptions options) {
    const auto status = check_options(options);
    return status ? std::string() : status.error().field;
  };
  EXPECT_EQ(check({.name = "x", .kind = "qdrant", .url = "http://h:6333"}), "");
  EXPECT_EQ(check({.name = "x", .kind = "chroma", .url = "http://h"}), "kind");
  EXPECT_EQ(check({.name = "x", .kind = "pgvector", .url = "http://h"}), "url");
  EXPECT_EQ(check({.name = "x", .kind = "weaviate", .url = "http://h", .consistency = "Strong"}), "consistency");
  EXPECT_EQ(check({.name = "x", .kind = "milvus", .url = "http://h", .timeout = Millis(0)}), "timeout");
}

}  // namespace
}  // namespace ajar::vectors
