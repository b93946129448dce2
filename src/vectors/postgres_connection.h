#pragma once
// libpq without its endless waits: a connection and one statement at a time, each under a deadline.

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace ajar::vectors {

// Rows of text.
class PgRows {
 public:
  explicit PgRows(PGresult* raw) : raw_(raw) {}
  int count() const { return PQntuples(raw_.get()); }
  std::string text(int row, int column) const { return PQgetvalue(raw_.get(), row, column); }
  bool null(int row, int column) const { return PQgetisnull(raw_.get(), row, column) != 0; }
  std::string tag() const { return PQcmdTuples(raw_.get()); }

 private:
  struct Clear {
    void operator()(PGresult* r) const { PQclear(r); }
  };
  std::unique_ptr<PGresult, Clear> raw_;
};

class PgConnection {
 public:
  // `url`: libpq's, without a password. kUnavailable, kTimeout; kUpstream: it does not let us in.
  static Result<std::unique_ptr<PgConnection>> open(const std::string& url, const std::string& password, Millis statement_timeout, TimePoint deadline);

  // One statement with parameters as text, or several without. Error::type is the SQLSTATE. kNotFound: a table that is not there;
  // kTimeout and kUnavailable leave the connection unusable.
  Result<PgRows> run(const std::string& sql, const std::vector<std::string>& parameters, TimePoint deadline);
  bool usable() const { return usable_ && PQstatus(raw_.get()) == CONNECTION_OK && PQtransactionStatus(raw_.get()) == PQTRANS_IDLE; }

 private:
  struct Finish {
    void operator()(PGconn* c) const { PQfinish(c); }
  };
  Status wait(bool write, TimePoint deadline);
  std::unexpected<Error> lost();

  std::unique_ptr<PGconn, Finish> raw_;
  bool usable_ = true;
};

}  // namespace ajar::vectors
