#include "vectors/postgres_connection.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"

namespace ajar::vectors {
namespace {

std::string said(const char* text) {
  std::string out(trim(text == nullptr ? "" : text));
  std::ranges::replace(out, '\n', ' ');
  return out.empty() ? "the connection ended" : out;
}

Code code_of(std::string_view state) {
  if (state == "42P01" || state == "3F000") return Code::kNotFound;
  if (state == "57014") return Code::kTimeout;
  const std::string_view kind = state.substr(0, 2);
  if (kind == "08" || kind == "53" || kind == "57" || kind == "40") return Code::kUnavailable;
  return Code::kUpstream;
}

}  // namespace

Result<std::unique_ptr<PgConnection>> PgConnection::open(const std::string& url, const std::string& password, Millis statement_timeout, TimePoint deadline) {
  const std::string options = "-c statement_timeout=" + std::to_string(statement_timeout.count());
  std::vector<const char*> names{"dbname", "client_encoding", "application_name", "options"};
  std::vector<const char*> values{url.c_str(), "UTF8", "ajar", options.c_str()};
  if (!password.empty()) names.push_back("password"), values.push_back(password.c_str());
  names.push_back(nullptr), values.push_back(nullptr);
  std::unique_ptr<PgConnection> out(new PgConnection);
  out->raw_.reset(PQconnectStartParams(names.data(), values.data(), 1));
  if (!out->raw_) return fail(Code::kInternal, "out of memory");
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (true) {
    if (PQstatus(out->raw_.get()) == CONNECTION_BAD) next = PGRES_POLLING_FAILED;
    if (next == PGRES_POLLING_OK) break;
    if (next == PGRES_POLLING_FAILED) {
      const std::string why = said(PQerrorMessage(out->raw_.get()));
      const bool refused = PQconnectionNeedsPassword(out->raw_.get()) || why.find("authentication failed") != why.npos;
      return fail(refused ? Code::kUpstream : Code::kUnavailable, (refused ? "does not take our key: " : "cannot be reached: ") + why);
    }
    AJAR_TRY(out->wait(next == PGRES_POLLING_WRITING, deadline));
    next = PQconnectPoll(out->raw_.get());
  }
  PQsetnonblocking(out->raw_.get(), 1);
  return out;
}

Status PgConnection::wait(bool write, TimePoint deadline) {
  pollfd one{.fd = PQsocket(raw_.get()), .events = static_cast<short>(write ? POLLOUT | POLLIN : POLLIN), .revents = 0};
  while (true) {
    const auto left = std::chrono::ceil<Millis>(deadline - now()).count();
    if (left <= 0) {
      usable_ = false;
      return fail(Code::kTimeout, "did not answer in time");
    }
    const int ready = ::poll(&one, 1, static_cast<int>(std::min<int64_t>(left, 60'000)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return lost();
  }
}

std::unexpected<Error> PgConnection::lost() {
  usable_ = false;
  return fail(Code::kUnavailable, "was lost: " + said(PQerrorMessage(raw_.get())));
}

Result<PgRows> PgConnection::run(const std::string& sql, const std::vector<std::string>& parameters, TimePoint deadline) {
  std::vector<const char*> values;
  for (const std::string& one : parameters) values.push_back(one.c_str());
  const int sent = parameters.empty() ? PQsendQuery(raw_.get(), sql.c_str())
                                      : PQsendQueryParams(raw_.get(), sql.c_str(), int(values.size()), nullptr, values.data(), nullptr, nullptr, 0);
  if (sent == 0) return lost();
  for (int flushed; (flushed = PQflush(raw_.get())) != 0;) {
    if (flushed < 0) return lost();
    AJAR_TRY(wait(true, deadline));
    if (PQconsumeInput(raw_.get()) == 0) return lost();
  }
  std::optional<Error> error;
  PgRows last(nullptr);
  while (true) {
    while (PQisBusy(raw_.get()) != 0) {
      AJAR_TRY(wait(false, deadline));
      if (PQconsumeInput(raw_.get()) == 0) return lost();
    }
    PGresult* result = PQgetResult(raw_.get());
    if (result == nullptr) break;
    last = PgRows(result);
    const auto status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || error) continue;
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    error = Error{.code = code_of(state == nullptr ? "08000" : state), .message = said(PQresultErrorMessage(result)), .type = state == nullptr ? "" : state};
  }
  if (error) return std::unexpected(std::move(*error));
  return last;
}

}  // namespace ajar::vectors
