// PostgreSQL: with pgvector where the server has it (0.5 and later), otherwise an array of floats and an exact scan in SQL.
//
// pgvector filters what its index gives: with ef_search = 40 and a filter that keeps a tenth four rows come back, or none (pgvector#751,
// #719, #785, #259). From 0.8 on the index goes on until there are enough; what it then still lacks, and all of it before 0.8, is
// looked for once more without the index, exactly.

#include <charconv>
#include <cmath>
#include <mutex>

#include "base/text.h"
#include "vectors/postgres_connection.h"
#include "vectors/rest.h"

namespace ajar::vectors {
namespace {

using rag::Predicate;
using rag::VectorRow;

constexpr size_t kBatchRows = 512, kBatchBytes = 4 << 20, kMaxIdle = 8;
constexpr uint32_t kMaxIndexed = 2000;  // numbers of a vector that HNSW takes

std::string array_of(std::span<const std::string> texts) {
  std::string out = "{";
  for (const std::string& text : texts) {
    out += out.size() > 1 ? ",\"" : "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out + "}";
}

std::string rows_of(std::span<const uint32_t> rows) {
  std::string out = "{";
  for (const uint32_t row : rows) out += (out.size() > 1 ? "," : "") + std::to_string(row);
  return out + "}";
}

std::string vector_of(std::span<const float> vector, bool array) {
  std::string out(1, array ? '{' : '[');
  char digits[32];
  for (const float number : vector) {
    if (out.size() > 1) out += ',';
    out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
  }
  return out + (array ? '}' : ']');
}

// SQL for a condition; its texts and bounds become parameters.
std::string condition(const Predicate& predicate, std::vector<std::string>& parameters) {
  using Kind = Predicate::Kind;
  const auto parameter = [&](std::string value) {
    parameters.push_back(std::move(value));
    return "$" + std::to_string(parameters.size());
  };
  switch (predicate.kind) {
    case Kind::kEverything: return "true";
    case Kind::kNothing: return "false";
    case Kind::kAny: return "tags && " + parameter(array_of(predicate.tags)) + "::text[]";
    case Kind::kNone: return "NOT (tags && " + parameter(array_of(predicate.tags)) + "::text[])";
    case Kind::kAnd:
    case Kind::kOr: {
      std::string out;
      for (const Predicate& part : predicate.parts) out += (out.empty() ? "(" : predicate.kind == Kind::kAnd ? " AND " : " OR ") + condition(part, parameters);
      return out + ")";
    }
    default: break;
  }
  std::string bound;
  json::append_double(bound, predicate.bound);
  const char* sign = predicate.kind == Kind::kGt ? " > " : predicate.kind == Kind::kGe ? " >= " : predicate.kind == Kind::kLt ? " < " : " <= ";
  return "coalesce((numbers->>'" + predicate.number + "')::float8" + sign + parameter(std::move(bound)) + "::float8, false)";
}

class Postgres final : public rag::VectorStore {
 public:
  Postgres(const StoreOptions& options, const std::string& collection)
      : options_(options), schema_(options.database.empty() ? "" : "\"" + options.database + "\""),
        table_((schema_.empty() ? "" : schema_ + ".") + "\"" + collection + "\""),
        where_("the vector store '" + options.name + "' (" + options.kind + " at " + options.url + ", table " + collection + ")") {}

  std::string where() const override { return where_; }

  Status health() override {
    return with([&](PgConnection& connection, TimePoint deadline) -> Status {
      AJAR_TRY(connection.run("SELECT 1", {}, deadline));
      return {};
    });
  }

  Result<bool> create(uint32_t width) override {
    bool made = false;
    AJAR_TRY(with([&](PgConnection& connection, TimePoint deadline) -> Status {
      auto there = layout(connection, deadline);
      if (!there && there.error().code != Code::kNotFound) return std::unexpected(there.error());
      if (!there) {
        AJAR_TRY(make(connection, width, deadline));
        made = true;
        there = layout(connection, deadline);
        if (!there) return std::unexpected(there.error());
      }
      if (there->width != width) return fail(Code::kConflict, "has this table already, not for vectors of " + std::to_string(width) + " numbers");
      return {};
    }));
    return made;
  }

  Status upsert(std::span<const VectorRow> rows) override {
    return with_layout([&](PgConnection& connection, const Layout& layout, TimePoint) -> Status {
      return in_batches(rows, kBatchRows, kBatchBytes, [&](std::span<const VectorRow> some) -> Status {
        std::string batch;
        json::Writer w(batch);
        w.begin_array();
        for (const VectorRow& row : some) {
          if (row.vector.size() != layout.width) return fail(Code::kUpstream, "has vectors of " + std::to_string(layout.width) + " numbers, not " + std::to_string(row.vector.size()));
          write_row(w, row, layout);
        }
        w.end_array();
        AJAR_TRY(connection.run("INSERT INTO " + table_ + " (row, document, tags, numbers, vector) SELECT (o->>'row')::bigint, o->>'document', "
                                "ARRAY(SELECT jsonb_array_elements_text(o->'tags')), o->'numbers', (o->>'vector')::" + (layout.pgvector ? "vector" : "real[]") +
                                " FROM jsonb_array_elements($1::jsonb) AS o ON CONFLICT (row) DO UPDATE SET document = excluded.document, tags = excluded.tags, "
                                "numbers = excluded.numbers, vector = excluded.vector", {batch}, after(options_.timeout)));
        return {};
      });
    });
  }

  Status erase(std::span<const uint32_t> rows) override {
    return with([&](PgConnection& connection, TimePoint deadline) -> Status {
      return in_batches(rows, 10'000, [&](std::span<const uint32_t> some) -> Status {
        AJAR_TRY(connection.run("DELETE FROM " + table_ + " WHERE row = ANY($1::bigint[])", {rows_of(some)}, deadline));
        return {};
      });
    });
  }

  Result<std::vector<index::Scored>> search(std::span<const float> query, const Predicate& predicate, size_t limit) override {
    std::vector<index::Scored> out;
    AJAR_TRY(with_layout([&](PgConnection& connection, const Layout& layout, TimePoint deadline) -> Status {
      std::vector<std::string> parameters{vector_of(query, !layout.pgvector)};
      const std::string where = condition(predicate, parameters);
      const std::string score = layout.pgvector ? "1 - (vector <=> $1::vector)" : "(SELECT sum(a * b) FROM unnest(vector, $1::real[]) AS pair(a, b))";
      const std::string order = layout.pgvector ? "vector <=> $1::vector" : "score DESC, row";
      const std::string sql = "SELECT row, " + score + " AS score FROM " + table_ + " WHERE " + where + " ORDER BY " + order + " LIMIT " + std::to_string(limit);
      if (!layout.indexed) return read(connection.run(sql, parameters, deadline), out);
      const std::string settings = "BEGIN READ ONLY; SET LOCAL hnsw.ef_search = " + std::to_string(std::clamp<size_t>(limit, 40, 1000)) +
                                   (layout.iterative ? "; SET LOCAL hnsw.iterative_scan = 'strict_order'" : "");
      AJAR_TRY(connection.run(settings, {}, deadline));
      Status done = read(connection.run(sql, parameters, deadline), out);
      if (done && out.size() < limit) {
        if (auto exact = connection.run("SET LOCAL enable_indexscan = off", {}, deadline); !exact) done = std::unexpected(std::move(exact).error());
        else done = read(connection.run(sql, parameters, deadline), out);
      }
      auto ended = connection.run(done ? "COMMIT" : "ROLLBACK", {}, deadline);
      if (done && !ended) return std::unexpected(std::move(ended).error());
      return done;
    }));
    return out;
  }

  Result<uint64_t> count() override {
    uint64_t out = 0;
    AJAR_TRY(with([&](PgConnection& connection, TimePoint deadline) -> Status {
      AJAR_ASSIGN(const PgRows rows, connection.run("SELECT count(*) FROM " + table_, {}, deadline));
      out = static_cast<uint64_t>(parse_int(rows.text(0, 0)).value_or(0));
      return {};
    }));
    return out;
  }

  Result<std::vector<uint32_t>> rows(uint32_t first, uint32_t count) override {
    std::vector<uint32_t> out;
    AJAR_TRY(with([&](PgConnection& connection, TimePoint deadline) -> Status {
      AJAR_ASSIGN(const PgRows rows, connection.run("SELECT row FROM " + table_ + " WHERE row >= $1::bigint AND row < $1::bigint + $2::bigint ORDER BY row",
                                                    {std::to_string(first), std::to_string(count)}, deadline));
      for (int i = 0; i < rows.count(); ++i) out.push_back(static_cast<uint32_t>(parse_int(rows.text(i, 0)).value_or(0)));
      return {};
    }));
    return out;
  }

  Status drop() override {
    forget_layout();
    return with([&](PgConnection& connection, TimePoint deadline) -> Status {
      AJAR_TRY(connection.run("SET client_min_messages = warning; DROP TABLE IF EXISTS " + table_, {}, deadline));
      return {};
    });
  }

 private:
  struct Layout {
    uint32_t width = 0;
    bool pgvector = false;   // otherwise an array
    bool indexed = false;    // by HNSW
    bool iterative = false;  // 0.8 and later
  };

  // f(connection, deadline) on a connection of the pool, or on a new one.
  template <class F>
  Status with(F f) {
    const TimePoint deadline = after(options_.timeout);
    std::unique_ptr<PgConnection> connection;
    bool kept = false;
    {
      std::lock_guard lock(lock_);
      if (!idle_.empty()) connection = std::move(idle_.back()), idle_.pop_back(), kept = true;
    }
    Status done;
    for (int attempt = 0;; ++attempt) {
      if (!connection) {
        auto opened = PgConnection::open(options_.url, options_.api_key, options_.timeout, deadline);
        if (!opened) return std::unexpected(std::move(opened).error().in(where_));
        connection = std::move(*opened);
      }
      done = f(*connection, deadline);
      // A kept connection may have ended while nobody looked; all that is done here can be done twice.
      const bool again = !done && kept && attempt == 0 && done.error().code == Code::kUnavailable && !connection->usable();
      if (!again) break;
      connection.reset();
    }
    if (connection->usable()) {
      std::lock_guard lock(lock_);
      if (idle_.size() < kMaxIdle) idle_.push_back(std::move(connection));
    }
    if (!done) {
      if (done.error().code == Code::kNotFound) forget_layout();
      return std::unexpected(std::move(done).error().in(where_));
    }
    return {};
  }
  template <class F>
  Status with_layout(F f) {
    return with([&](PgConnection& connection, TimePoint deadline) -> Status {
      std::optional<Layout> known;
      {
        std::lock_guard lock(lock_);
        known = layout_;
      }
      if (!known) {
        AJAR_ASSIGN(known, layout(connection, deadline));
        std::lock_guard lock(lock_);
        layout_ = known;
      }
      return f(connection, *known, deadline);
    });
  }
  void forget_layout() {
    std::lock_guard lock(lock_);
    layout_.reset();
  }

  // kNotFound: there is no such table.
  Result<Layout> layout(PgConnection& connection, TimePoint deadline) {
    AJAR_ASSIGN(const PgRows rows, connection.run(
        "SELECT format_type(a.atttypid, a.atttypmod), coalesce(obj_description(a.attrelid, 'pg_class'), ''), "
        "(SELECT extversion FROM pg_extension WHERE extname = 'vector'), "
        "EXISTS (SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam WHERE i.indrelid = a.attrelid AND m.amname = 'hnsw' AND i.indisvalid) "
        "FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attname = 'vector' AND NOT a.attisdropped", {table_}, deadline));
    if (rows.count() == 0) return fail(Code::kNotFound, "has no such table");
    Layout out;
    out.pgvector = rows.text(0, 0).find("vector(") != std::string::npos;
    const std::string comment = rows.text(0, 1);
    if (comment.starts_with(kComment)) out.width = static_cast<uint32_t>(parse_int(comment.substr(kComment.size())).value_or(0));
    const auto version = split(rows.null(0, 2) ? "" : rows.text(0, 2), '.');
    out.indexed = out.pgvector && rows.text(0, 3) == "t";
    const int64_t major = version.empty() ? 0 : parse_int(version[0]).value_or(0), minor = version.size() < 2 ? 0 : parse_int(version[1]).value_or(0);
    out.iterative = major > 0 || minor >= 8;
    return out;
  }

  Status make(PgConnection& connection, uint32_t width, TimePoint deadline) {
    AJAR_ASSIGN(const PgRows there, connection.run("SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'vector'), EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'vector')", {}, deadline));
    const bool installed = there.text(0, 0) == "t", available = there.text(0, 1) == "t";
    if (!installed && available) {
      if (auto made = connection.run("CREATE EXTENSION IF NOT EXISTS vector", {}, deadline); !made) {
        return std::unexpected(std::move(made).error().in("has pgvector, but not in this database: let an administrator run CREATE EXTENSION vector"));
      }
    }
    const bool pgvector = installed || available;
    const std::string size = std::to_string(width);
    std::string sql = "BEGIN; ";
    if (!schema_.empty()) sql += "SET LOCAL client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS " + schema_ + "; ";
    sql += "CREATE TABLE " + table_ + " (row bigint PRIMARY KEY, document text NOT NULL, tags text[] NOT NULL, numbers jsonb NOT NULL, vector " +
           (pgvector ? "vector(" + size + ")" : "real[]") + " NOT NULL" + (pgvector ? "" : " CHECK (cardinality(vector) = " + size + ")") + "); ";
    sql += "CREATE INDEX ON " + table_ + " USING gin (tags); ";
    if (pgvector && width <= kMaxIndexed) sql += "CREATE INDEX ON " + table_ + " USING hnsw (vector vector_cosine_ops); ";
    sql += "COMMENT ON TABLE " + table_ + " IS '" + std::string(kComment) + size + "'; COMMIT";
    auto made = connection.run(sql, {}, deadline);
    if (made) return {};
    (void)connection.run("ROLLBACK", {}, deadline);
    return std::unexpected(std::move(made).error());
  }

  static Status read(Result<PgRows> rows, std::vector<index::Scored>& out) {
    if (!rows) return std::unexpected(std::move(rows).error());
    out.clear();
    for (int i = 0; i < rows->count(); ++i) {
      const auto row = parse_int(rows->text(i, 0));
      const auto score = parse_double(rows->text(i, 1));
      if (!row || *row < 0 || *row > int64_t{UINT32_MAX} || !score || !std::isfinite(*score)) return fail(Code::kUpstream, "answered a search with '" + rows->text(i, 0) + "', '" + rows->text(i, 1) + "'");
      out.push_back({static_cast<uint32_t>(*row), static_cast<float>(*score)});
    }
    return {};
  }

  static void write_row(json::Writer& w, const VectorRow& row, const Layout& layout) {
    w.begin_object();
    w.field("row", int64_t{row.row});
    std::string document = row.fields->document;
    std::erase(document, '\0');  // which no text of PostgreSQL has
    w.field("document", document);
    w.key("tags");
    write_strings(w, row.fields->tags);
    w.key("numbers");
    w.begin_object();
    for (const auto& [name, number] : row.fields->numbers) w.field(json::Name(name), number);
    w.end_object();
    w.field("vector", vector_of(row.vector, !layout.pgvector));
    w.end_object();
  }

  static constexpr std::string_view kComment = "ajar: width ";

  const StoreOptions options_;
  const std::string schema_, table_, where_;
  std::mutex lock_;  // guards all below
  std::vector<std::unique_ptr<PgConnection>> idle_;
  std::optional<Layout> layout_;
};

}  // namespace

std::unique_ptr<rag::VectorStore> open_postgres(const StoreOptions& options, const std::string& collection) {
  return std::make_unique<Postgres>(options, collection);
}

}  // namespace ajar::vectors
