#include "store/sqlite.h"

namespace ajar::store {
namespace {
std::unexpected<Error> error_of(sqlite3* db, std::string_view doing) {
  return fail(Code::kUnavailable, std::string(doing) + ": " + sqlite3_errmsg(db));
}
}  // namespace

Statement& Statement::bind(std::string_view text) {
  sqlite3_bind_text64(raw_.get(), next_++, text.data() ? text.data() : "", text.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
  return *this;
}
Statement& Statement::bind_view(std::string_view text) {
  // A null pointer would bind NULL.
  sqlite3_bind_text64(raw_.get(), next_++, text.data() ? text.data() : "", text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}
Statement& Statement::bind(int64_t number) {
  sqlite3_bind_int64(raw_.get(), next_++, number);
  return *this;
}
Statement& Statement::bind(double number) {
  sqlite3_bind_double(raw_.get(), next_++, number);
  return *this;
}

Result<bool> Statement::step() {
  switch (sqlite3_step(raw_.get())) {
    case SQLITE_ROW: return true;
    case SQLITE_DONE: return false;
    default: return error_of(sqlite3_db_handle(raw_.get()), "database");
  }
}

void Statement::reset() {
  sqlite3_reset(raw_.get());
  sqlite3_clear_bindings(raw_.get());
  next_ = 1;
}

Status Statement::run() {
  for (;;) {
    const auto row = step();
    if (row && *row) continue;
    reset();
    if (!row) return std::unexpected(row.error());
    return {};
  }
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(raw_.get(), column));
  return bytes ? std::string(bytes, size_t(sqlite3_column_bytes(raw_.get(), column))) : std::string();
}

Result<Database> Database::open(const std::string& path) {
  // Nobody asks how much memory SQLite has, and counting it takes a lock at every allocation.
  static const int counted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)counted;
  sqlite3* raw = nullptr;
  // NOMUTEX: a connection is used by one thread at a time, see sqlite.h.
  const int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                                   nullptr);
  Database database;
  database.raw_.reset(raw);
  if (code != SQLITE_OK) {
    return fail(Code::kUnavailable, "cannot open the database " + path + ": " +
                                        (raw ? sqlite3_errmsg(raw) : "out of memory"));
  }
  sqlite3_busy_timeout(raw, 5000);
  // NORMAL: a crash of the process loses nothing that was committed; a power failure may lose the last batches
  // but never corrupts. Keys are checkpointed at once.
  for (const char* pragma : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL",
                             "PRAGMA foreign_keys=ON", "PRAGMA cache_size=-2048"}) {
    if (auto status = database.exec(pragma); !status) {
      return std::unexpected(std::move(status).error().in("database " + path));
    }
  }
  return database;
}

Status Database::exec(const char* sql) {
  char* message = nullptr;
  if (sqlite3_exec(raw_.get(), sql, nullptr, nullptr, &message) == SQLITE_OK) return {};
  std::string why = message ? message : "error";
  sqlite3_free(message);
  return fail(Code::kUnavailable, why);
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(raw_.get(), sql.data(), int(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement,
                         nullptr) != SQLITE_OK) {
    return error_of(raw_.get(), "database");
  }
  return Statement(statement);
}

}  // namespace ajar::store
