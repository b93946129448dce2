// Files and batches: the rows. Their bytes are in blobs.h.
#include "store/store.h"

namespace ajar::store {
namespace {

constexpr const char* kFile = "SELECT id,owner,name,purpose,bytes,created_ms,expires_ms FROM files ";
constexpr const char* kBatch =
    "SELECT id,owner,key_id,endpoint,input_file,output_file,error_file,status,window,metadata,faults,total,completed,"
    "failed,created_ms,expires_ms,in_progress_ms,finalizing_ms,cancelling_ms,ended_ms FROM batches ";

StoredFile read_file(const Statement& row) {
  return {.id = row.text(0), .owner = row.text(1), .name = row.text(2), .purpose = row.text(3),
          .bytes = row.integer(4), .created_ms = row.integer(5), .expires_ms = row.integer(6)};
}

Batch read_batch(const Statement& row) {
  return {.id = row.text(0), .owner = row.text(1), .key_id = row.text(2), .endpoint = row.text(3),
          .input_file = row.text(4), .output_file = row.text(5), .error_file = row.text(6),
          .status = BatchStatus(row.integer(7)), .window = row.text(8), .metadata = row.text(9),
          .faults = row.text(10), .total = row.integer(11), .completed = row.integer(12), .failed = row.integer(13),
          .created_ms = row.integer(14), .expires_ms = row.integer(15), .in_progress_ms = row.integer(16),
          .finalizing_ms = row.integer(17), .cancelling_ms = row.integer(18), .ended_ms = row.integer(19)};
}

template <class Read>
auto read_all(Statement& rows, Read read) -> Result<std::vector<decltype(read(rows))>> {
  std::vector<decltype(read(rows))> out;
  for (;;) {
    AJAR_ASSIGN(const bool more, rows.step());
    if (!more) return out;
    out.push_back(read(rows));
  }
}

std::unexpected<Error> no_such(const char* what, const std::string& id) {
  return fail(Code::kNotFound, std::string("there is no ") + what + " '" + id + "'", "id");
}

}  // namespace

Status Store::put_file(const StoredFile& file) {
  std::lock_guard lock(writer_lock_);
  AJAR_ASSIGN(Statement put, writer_.prepare("INSERT OR REPLACE INTO files VALUES(?,?,?,?,?,?,?)"));
  put.bind(file.id).bind(file.owner).bind(file.name).bind(file.purpose);
  put.bind(file.bytes).bind(file.created_ms).bind(file.expires_ms);
  return put.run();
}

Result<StoredFile> Store::find_file(const std::string& owner, const std::string& id) {
  std::lock_guard lock(reader_lock_);
  AJAR_ASSIGN(Statement row, reader_.prepare(std::string(kFile) + "WHERE id=? AND owner=?"));
  row.bind(id).bind(owner);
  AJAR_ASSIGN(const bool there, row.step());
  if (!there) return no_such("file", id);
  return read_file(row);
}

Result<std::vector<StoredFile>> Store::list_files(const std::string& owner, const std::string& purpose,
                                                  const std::string& after, int64_t limit, bool oldest_first) {
  std::lock_guard lock(reader_lock_);
  const std::string compare = oldest_first ? ">" : "<", order = oldest_first ? " ASC" : " DESC";
  AJAR_ASSIGN(Statement rows,
              reader_.prepare(std::string(kFile) +
                              "WHERE owner=?1 AND (?2='' OR purpose=?2) AND (?3='' OR (created_ms,id) " + compare +
                              " (SELECT created_ms,id FROM files WHERE id=?3 AND owner=?1)) ORDER BY created_ms" +
                              order + ", id" + order + " LIMIT ?4"));
  rows.bind(owner).bind(purpose).bind(after).bind(limit);
  return read_all(rows, read_file);
}

Result<bool> Store::delete_file(const std::string& owner, const std::string& id) {
  std::lock_guard lock(writer_lock_);
  AJAR_ASSIGN(Statement remove, writer_.prepare("DELETE FROM files WHERE id=? AND owner=?"));
  AJAR_TRY(remove.bind(id).bind(owner).run());
  return sqlite3_changes(writer_.raw()) > 0;
}

Result<std::vector<StoredFile>> Store::files_expired_at(int64_t time_ms, int64_t limit) {
  std::lock_guard lock(reader_lock_);
  AJAR_ASSIGN(Statement rows, reader_.prepare(std::string(kFile) + "WHERE expires_ms>0 AND expires_ms<? LIMIT ?"));
  rows.bind(time_ms).bind(limit);
  return read_all(rows, read_file);
}

Result<int64_t> Store::file_bytes() {
  std::lock_guard lock(reader_lock_);
  AJAR_ASSIGN(Statement row, reader_.prepare("SELECT COALESCE(SUM(bytes),0) FROM files"));
  AJAR_TRY(row.step());
  return row.integer(0);
}

Status Store::put_batch(const Batch& b) {
  std::lock_guard lock(writer_lock_);
  AJAR_ASSIGN(Statement put, writer_.prepare(
                                 "INSERT OR REPLACE INTO batches VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  put.bind(b.id).bind(b.owner).bind(b.key_id).bind(b.endpoint);
  put.bind(b.input_file).bind(b.output_file).bind(b.error_file).bind(int64_t(b.status));
  put.bind(b.window).bind(b.metadata).bind(b.faults).bind(b.total).bind(b.completed).bind(b.failed);
  put.bind(b.created_ms).bind(b.expires_ms).bind(b.in_progress_ms).bind(b.finalizing_ms);
  put.bind(b.cancelling_ms).bind(b.ended_ms);
  return put.run();
}

Result<Batch> Store::find_batch(const std::string& owner, const std::string& id) {
  std::lock_guard lock(reader_lock_);
  AJAR_ASSIGN(Statement row, reader_.prepare(std::string(kBatch) + "WHERE id=? AND owner=?"));
  row.bind(id).bind(owner);
  AJAR_ASSIGN(const bool there, row.step());
  if (!there) return no_such("batch", id);
  return read_batch(row);
}

Result<std::vector<Batch>> Store::list_batches(const std::string& owner, const std::string& after, int64_t limit) {
  std::lock_guard lock(reader_lock_);
  AJAR_ASSIGN(Statement rows,
              reader_.prepare(std::string(kBatch) +
                              "WHERE owner=?1 AND (?2='' OR (created_ms,id) < (SELECT created_ms,id FROM batches "
                              "WHERE id=?2 AND owner=?1)) ORDER BY created_ms DESC, id DESC LIMIT ?3"));
  rows.bind(owner).bind(after).bind(limit);
  return read_all(rows, read_batch);
}

Result<std::vector<Batch>> Store::open_batches() {
  std::lock_guard lock(reader_lock_);
  AJAR_ASSIGN(Statement rows, reader_.prepare(std::string(kBatch) + "WHERE status IN (?,?,?,?) ORDER BY created_ms, id"));
  for (const auto status : {BatchStatus::kValidating, BatchStatus::kInProgress, BatchStatus::kFinalizing,
                            BatchStatus::kCancelling}) {
    rows.bind(int64_t(status));
  }
  return read_all(rows, read_batch);
}

Result<Batch> Store::cancel_batch(const std::string& owner, const std::string& id, int64_t time_ms) {
  {
    std::lock_guard lock(writer_lock_);
    AJAR_ASSIGN(Statement change,
                writer_.prepare("UPDATE batches SET status=?, cancelling_ms=? WHERE id=? AND owner=? AND status IN (?,?)"));
    change.bind(int64_t(BatchStatus::kCancelling)).bind(time_ms).bind(id).bind(owner);
    AJAR_TRY(change.bind(int64_t(BatchStatus::kValidating)).bind(int64_t(BatchStatus::kInProgress)).run());
  }
  return find_batch(owner, id);
}

}  // namespace ajar::store
