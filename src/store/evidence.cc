// What ladders learn from: accepted answers, audits, feedback; what candidates have shown.
#include "store/store.h"

namespace ajar::store {

Status Store::write_judged(const CallRow& row, const AttemptRow& attempt) {
  AJAR_ASSIGN(Statement s, writer_.prepare("INSERT OR REPLACE INTO judged_answers VALUES(?,?,?,?,?,?,?,?)"));
  s.bind_view(row.id).bind_view(row.reply_id).bind(row.time_ms).bind_view(row.key_id).bind_view(row.route).bind_view(row.target);
  return s.bind(attempt.raw).bind(attempt.confidence).run();
}

Result<std::optional<JudgedAnswer>> Store::judged_answer(const std::string& id) {
  std::lock_guard lock(reader_lock_);
  AJAR_ASSIGN(Statement row, reader_.prepare("SELECT id,key_id,route,target,raw,confidence FROM judged_answers WHERE id=?1 "
                                             "UNION ALL SELECT id,key_id,route,target,raw,confidence FROM judged_answers WHERE reply_id=?1 LIMIT 1"));
  AJAR_ASSIGN(const bool there, row.bind(id).step());
  if (!there) return std::nullopt;
  return JudgedAnswer{.id = row.text(0), .key_id = row.text(1), .route = row.text(2), .target = row.text(3), .raw = row.real(4),
                      .confidence = row.real(5)};
}

Status Store::put_evidence(const EvidenceRow& e) {
  std::lock_guard lock(writer_lock_);
  AJAR_ASSIGN(Statement s, writer_.prepare("INSERT OR REPLACE INTO evidence(time_ms,call_id,key_id,route,target,source,raw,confidence,accepted,loss) "
                                           "VALUES(?,?,?,?,?,?,?,?,?,?)"));
  s.bind(e.time_ms).bind_view(e.call_id).bind_view(e.key_id).bind_view(e.route).bind_view(e.target).bind_view(e.source);
  return s.bind(e.raw).bind(e.confidence).bind(int64_t{e.accepted}).bind(e.loss).run();
}

Result<std::vector<EvidenceRow>> Store::evidence(const std::string& route, const std::string& target, const std::string& source, int64_t limit) {
  std::lock_guard lock(reader_lock_);
  AJAR_ASSIGN(Statement row, reader_.prepare("SELECT * FROM (SELECT seq,time_ms,call_id,key_id,source,raw,confidence,accepted,loss FROM evidence "
                                             "WHERE route=?1 AND target=?2 AND (?3='' OR source=?3) ORDER BY seq DESC LIMIT ?4) ORDER BY seq"));
  row.bind(route).bind(target).bind(source).bind(limit);
  std::vector<EvidenceRow> rows;
  for (;;) {
    AJAR_ASSIGN(const bool more, row.step());
    if (!more) return rows;
    rows.push_back({.time_ms = row.integer(1), .call_id = row.text(2), .key_id = row.text(3), .route = route, .target = target,
                    .source = row.text(4), .raw = row.real(5), .confidence = row.real(6), .accepted = row.integer(7) != 0, .loss = row.real(8)});
  }
}

Status Store::put_feedback(const FeedbackRow& f) {
  std::lock_guard lock(writer_lock_);
  AJAR_ASSIGN(Statement s, writer_.prepare(f.score ? "INSERT OR REPLACE INTO feedback VALUES(?,?,?,?,?,?)"
                                                   : "INSERT OR REPLACE INTO feedback VALUES(?,?,?,NULL,?,?)"));
  s.bind_view(f.id).bind_view(f.key_id).bind(f.time_ms);
  if (f.score) s.bind(*f.score);
  return s.bind_view(f.label).bind_view(f.correction).run();
}

Result<std::vector<FeedbackRow>> Store::feedback(int64_t from_ms, int64_t limit) {
  std::lock_guard lock(reader_lock_);
  AJAR_ASSIGN(Statement row, reader_.prepare("SELECT id,key_id,time_ms,score IS NOT NULL,score,label,correction FROM feedback WHERE time_ms>=? "
                                             "ORDER BY time_ms DESC LIMIT ?"));
  row.bind(from_ms).bind(limit);
  std::vector<FeedbackRow> rows;
  for (;;) {
    AJAR_ASSIGN(const bool more, row.step());
    if (!more) return rows;
    FeedbackRow f{.id = row.text(0), .key_id = row.text(1), .time_ms = row.integer(2), .label = row.text(5), .correction = row.text(6)};
    if (row.integer(3) != 0) f.score = row.real(4);
    rows.push_back(std::move(f));
  }
}

Status Store::put_trial(const TrialRow& t) {
  std::lock_guard lock(writer_lock_);
  AJAR_ASSIGN(Statement s, writer_.prepare("INSERT OR REPLACE INTO trials VALUES(?,?,?,?,?)"));
  return s.bind_view(t.kind).bind_view(t.route).bind_view(t.target).bind_view(t.state).bind(t.time_ms).run();
}

Result<std::vector<TrialRow>> Store::trials(const std::string& kind) {
  std::lock_guard lock(reader_lock_);
  AJAR_ASSIGN(Statement row, reader_.prepare("SELECT route,target,state,time_ms FROM trials WHERE kind=? ORDER BY route,target"));
  row.bind(kind);
  std::vector<TrialRow> rows;
  for (;;) {
    AJAR_ASSIGN(const bool more, row.step());
    if (!more) return rows;
    rows.push_back({.kind = kind, .route = row.text(0), .target = row.text(1), .state = row.text(2), .time_ms = row.integer(3)});
  }
}

}  // namespace ajar::store
