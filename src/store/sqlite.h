#pragma once
// The smallest wrapper over sqlite3 that makes errors values and statements owned.

#include <sqlite3.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace ajar::store {

// A prepared statement. Bind in order, then step. Used by one thread at a time.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* raw) : raw_(raw) {}

  Statement& bind(std::string_view text);  // copied
  Statement& bind_view(std::string_view text);  // not copied: must live until the statement has run
  Statement& bind(int64_t number);
  Statement& bind(double number);
  Result<bool> step();  // true: a row is there
  Status run();         // steps to the end and resets
  void reset();

  std::string text(int column) const;
  int64_t integer(int column) const { return sqlite3_column_int64(raw_.get(), column); }
  double real(int column) const { return sqlite3_column_double(raw_.get(), column); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> raw_;
  int next_ = 1;
};

// A connection. Used by one thread at a time, with all its statements: the owner has a lock for it.
class Database {
 public:
  // Opens or makes the file in WAL mode. Errors are kUnavailable and name the file.
  static Result<Database> open(const std::string& path);

  Status exec(const char* sql);
  Result<Statement> prepare(std::string_view sql);
  sqlite3* raw() const { return raw_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::unique_ptr<sqlite3, Close> raw_;
};

}  // namespace ajar::store
