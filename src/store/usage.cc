// Questions about past calls. They run on the reader's connection and never disturb the writer.
#include <algorithm>
#include <cmath>
#include <map>

#include "base/clock.h"
#include "json/read.h"
#include "store/schema.h"
#include "store/store.h"

namespace ajar::store {
namespace {

const std::map<std::string, const char*>& group_columns() {
  static const std::map<std::string, const char*> columns = {
      {"key", "CASE WHEN key_name='' THEN '(none)' ELSE key_name END"},
      {"team", "CASE WHEN team='' THEN '(none)' ELSE team END"},
      {"route", "route"},
      {"model", "CASE WHEN model='' THEN '(none)' ELSE model END"},
      {"target", "CASE WHEN target='' THEN '(none)' ELSE target END"},
      {"day", "date(time_ms/1000,'unixepoch')"},
      {"end", "end"},
  };
  return columns;
}

std::vector<AttemptRow> read_attempts(const std::string& text) {
  std::vector<AttemptRow> out;
  const auto document = json::scratch().parse(text);
  const auto array = document ? json::as_array(*document) : std::nullopt;
  if (!array) return out;
  for (const auto item : *array) {
    const auto object = json::as_object(item);
    if (!object) continue;
    const auto number = [&](std::string_view name, double otherwise) {
      const auto value = json::find(*object, name);
      return value ? json::as_double(*value).value_or(otherwise) : otherwise;
    };
    out.push_back({.target = std::string(json::string_or(*object, "target")),
                   .outcome = std::string(json::string_or(*object, "outcome")),
                   .status = int(json::int_or(*object, "status")),
                   .seconds = number("seconds", 0),
                   .confidence = number("confidence", -1),
                   .accept = number("accept", -1),
                   .cost = int64_t(std::llround(number("cost_usd", 0) * double(kNanoPerDollar))),
                   .why = std::string(json::string_or(*object, "why"))});
  }
  return out;
}

// The least number of a row that was written at this time or later.
int64_t first_seq(int64_t time_ms) {
  return std::clamp<int64_t>(time_ms, 0, INT64_MAX >> kSeqBits) << kSeqBits;
}

struct Where {
  std::string sql = " WHERE seq>=? AND time_ms>=? AND time_ms<?";
  std::vector<std::string> texts;

  explicit Where(const UsageFilter& filter) {
    if (!filter.key.empty()) {
      sql += " AND (key_id=? OR key_name=?)";
      texts.insert(texts.end(), {filter.key, filter.key});
    }
    add("team", filter.team);
    add("route", filter.route);
    add("model", filter.model);
  }
  void add(const char* column, const std::string& value) {
    if (value.empty()) return;
    sql += std::string(" AND ") + column + "=?";
    texts.push_back(value);
  }
  void bind(Statement& statement, const UsageFilter& filter) const {
    statement.bind(first_seq(filter.from_ms)).bind(filter.from_ms).bind(filter.to_ms);
    for (const auto& text : texts) statement.bind(text);
  }
};

StreamEnd end_of(const std::string& name) {
  for (const StreamEnd end : {StreamEnd::kComplete, StreamEnd::kUpstreamError, StreamEnd::kCut,
                              StreamEnd::kCancelled, StreamEnd::kFiltered}) {
    if (stream_end_name(end) == name) return end;
  }
  return StreamEnd::kUpstreamError;
}

}  // namespace

Result<std::vector<UsageRow>> Store::usage(const UsageFilter& filter) {
  std::string columns, groups;  // grouped by position: " GROUP BY 1,2"
  for (const auto& name : filter.group_by) {
    const auto column = group_columns().find(name);
    if (column == group_columns().end()) {
      return invalid("group_by", "cannot group by '" + name +
                                     "'; known are key, team, route, model, target, day, end");
    }
    columns += std::string(column->second) + ",";
  }
  for (size_t i = 0; i < filter.group_by.size(); ++i) {
    groups += (i == 0 ? " GROUP BY " : ",") + std::to_string(i + 1);
  }
  const Where where(filter);
  flush();
  std::lock_guard lock(reader_lock_);
  AJAR_ASSIGN(Statement row,
              reader_.prepare("SELECT " + columns +
                              "count(*),sum(end<>'complete'),sum(input),sum(output),sum(cached_read),"
                              "sum(reasoning),sum(cost),avg(NULLIF(first_token_s,0)),avg(total_s) "
                              "FROM calls" + where.sql + groups +
                              (groups.empty() ? "" : " ORDER BY " + groups.substr(10))));
  where.bind(row, filter);
  std::vector<UsageRow> rows;
  for (;;) {
    AJAR_ASSIGN(const bool more, row.step());
    if (!more) return rows;
    UsageRow& out = rows.emplace_back();
    int column = 0;
    for (; column < int(filter.group_by.size()); ++column) out.group.push_back(row.text(column));
    out.requests = row.integer(column++);
    out.failed = row.integer(column++);
    out.input = row.integer(column++);
    out.output = row.integer(column++);
    out.cached_read = row.integer(column++);
    out.reasoning = row.integer(column++);
    out.cost = row.integer(column++);
    out.mean_first_token = row.real(column++);
    out.mean_total = row.real(column++);
  }
}

Result<std::vector<CallRow>> Store::calls(const UsageFilter& filter, int limit) {
  const Where where(filter);
  flush();
  std::lock_guard lock(reader_lock_);
  AJAR_ASSIGN(Statement row, reader_.prepare("SELECT id,time_ms,key_id,key_name,team,endpoint,route,target,"
                                             "model,stream,end,error,status,first_token_s,total_s,"
                                             "overhead_s,input,output,cached_read,cached_write,reasoning,"
                                             "reported,cost,finish,attempts FROM calls" + where.sql +
                                             " ORDER BY seq DESC LIMIT " + std::to_string(limit)));
  where.bind(row, filter);
  std::vector<CallRow> rows;
  for (;;) {
    AJAR_ASSIGN(const bool more, row.step());
    if (!more) return rows;
    CallRow& call = rows.emplace_back();
    call.id = row.text(0);
    call.time_ms = row.integer(1);
    call.key_id = row.text(2);
    call.key_name = row.text(3);
    call.team = row.text(4);
    call.endpoint = row.text(5);
    call.route = row.text(6);
    call.target = row.text(7);
    call.model = row.text(8);
    call.stream = row.integer(9) != 0;
    call.end = end_of(row.text(10));
    call.error = row.text(11);
    call.status = int(row.integer(12));
    call.first_token_seconds = row.real(13);
    call.total_seconds = row.real(14);
    call.overhead_seconds = row.real(15);
    call.usage = {.input = row.integer(16), .output = row.integer(17), .cached_read = row.integer(18),
                  .cached_write = row.integer(19), .reasoning = row.integer(20),
                  .reported = row.integer(21) != 0};
    call.cost = row.integer(22);
    call.finish = row.text(23);
    call.attempts = read_attempts(row.text(24));
  }
}

Result<int64_t> Store::delete_calls_before(int64_t time_ms) {
  int64_t deleted = 0;
  for (;;) {  // small steps, so that recording never waits long
    std::lock_guard lock(writer_lock_);
    AJAR_ASSIGN(Statement remove, writer_.prepare("DELETE FROM call_rows WHERE seq IN (SELECT seq FROM call_rows "
                                                  "WHERE seq<? LIMIT 2000)"));
    AJAR_TRY(remove.bind(first_seq(time_ms)).run());
    const int64_t changed = sqlite3_changes(writer_.raw());
    deleted += changed;
    if (changed < 2000) break;
  }
  if (deleted > 0) AJAR_TRY(prune_kinds());
  std::lock_guard lock(writer_lock_);
  AJAR_ASSIGN(Statement judged, writer_.prepare("DELETE FROM judged_answers WHERE time_ms<?"));
  AJAR_TRY(judged.bind(time_ms).run());
  return deleted;
}

// Deletes the kinds that no call has any more, once there are many. The long look at all calls is the reader's; calls that
// were written since are looked at again under the writer's lock.
Status Store::prune_kinds() {
  const int64_t since = first_seq(unix_millis());
  std::vector<int64_t> unused;
  {
    std::lock_guard lock(reader_lock_);
    AJAR_ASSIGN(Statement count, reader_.prepare("SELECT count(*) FROM call_kinds"));
    AJAR_TRY(count.step());
    if (count.integer(0) <= int64_t(kMaxKinds)) return {};
    AJAR_ASSIGN(Statement row, reader_.prepare("SELECT id FROM call_kinds WHERE id NOT IN (SELECT kind FROM call_rows)"));
    for (;;) {
      AJAR_ASSIGN(const bool more, row.step());
      if (!more) break;
      unused.push_back(row.integer(0));
    }
  }
  std::lock_guard lock(writer_lock_);
  kinds_.clear();
  AJAR_ASSIGN(Statement remove, writer_.prepare("DELETE FROM call_kinds WHERE id=? AND NOT EXISTS (SELECT 1 FROM call_rows "
                                                "WHERE seq>=? AND kind=call_kinds.id)"));
  for (const int64_t id : unused) AJAR_TRY(remove.bind(id).bind(since).run());
  return {};
}

}  // namespace ajar::store
