// Kept responses: queued to the writer like call rows, and readable from that moment on.
#include <algorithm>

#include "store/store.h"

namespace ajar::store {
namespace {

constexpr const char* kColumns = "SELECT id,key_id,team,previous,created_ms,input,response FROM responses ";

ResponseRow read_row(const Statement& row) {
  return {.id = row.text(0), .key_id = row.text(1), .team = row.text(2), .previous = row.text(3),
          .created_ms = row.integer(4), .input = row.text(5), .response = row.text(6)};
}

}  // namespace

void Store::keep(ResponseRow row) {
  bool wake = false;
  {
    std::lock_guard lock(queue_lock_);
    if (kept_bytes_ + row.bytes() > kMaxKeptBytes) {
      ++stats_.dropped;
      return;
    }
    wake = queue_.empty() && spend_.empty() && kept_queue_.empty();
    kept_bytes_ += row.bytes();
    auto shared = std::make_shared<const ResponseRow>(std::move(row));
    kept_[shared->id] = shared;
    kept_queue_.push_back(std::move(shared));
    ++recorded_;
  }
  if (wake) wake_.notify_one();
}

void Store::forget(const Kept& kept) {
  for (const auto& row : kept) {
    kept_bytes_ -= row->bytes();
    const auto found = kept_.find(row->id);
    if (found != kept_.end() && found->second == row) kept_.erase(found);
  }
}

Status Store::write_response(const ResponseRow& row) {
  Statement& s = insert_response_;
  s.bind_view(row.id).bind_view(row.key_id).bind_view(row.team).bind_view(row.previous).bind(row.created_ms);
  AJAR_TRY(s.bind_view(row.input).bind_view(row.response).run());
  for (const std::string& item : row.items) AJAR_TRY(insert_item_.bind_view(item).bind_view(row.id).run());
  return {};
}

Result<std::optional<ResponseRow>> Store::response(const std::string& id) {
  {
    std::lock_guard lock(queue_lock_);
    if (const auto found = kept_.find(id); found != kept_.end()) return *found->second;
  }
  std::lock_guard lock(reader_lock_);
  AJAR_ASSIGN(Statement row, reader_.prepare(std::string(kColumns) + "WHERE id=?"));
  AJAR_ASSIGN(const bool there, row.bind(id).step());
  if (!there) return std::nullopt;
  return read_row(row);
}

Result<std::optional<ResponseRow>> Store::response_of_item(const std::string& item) {
  {
    std::lock_guard lock(queue_lock_);
    for (const auto& [id, row] : kept_) {
      if (std::ranges::find(row->items, item) != row->items.end()) return *row;
    }
  }
  std::lock_guard lock(reader_lock_);
  AJAR_ASSIGN(Statement row, reader_.prepare(std::string(kColumns) +
                                             "WHERE id IN (SELECT response FROM response_items WHERE item=?) "
                                             "ORDER BY created_ms DESC LIMIT 1"));
  AJAR_ASSIGN(const bool there, row.bind(item).step());
  if (!there) return std::nullopt;
  return read_row(row);
}

Result<bool> Store::delete_response(const std::string& id) {
  flush();  // it may still be on its way
  std::lock_guard lock(writer_lock_);
  AJAR_ASSIGN(Statement items, writer_.prepare("DELETE FROM response_items WHERE response=?"));
  AJAR_TRY(items.bind(id).run());
  AJAR_ASSIGN(Statement remove, writer_.prepare("DELETE FROM responses WHERE id=?"));
  AJAR_TRY(remove.bind(id).run());
  return sqlite3_changes(writer_.raw()) > 0;
}

Result<int64_t> Store::delete_responses_before(int64_t time_ms) {
  constexpr int kStep = 200;  // rows may be large, and recording must not wait long
  int64_t deleted = 0;
  for (;;) {
    std::lock_guard lock(writer_lock_);
    const std::string old = "(SELECT id FROM responses WHERE created_ms<? ORDER BY created_ms, id LIMIT " +
                            std::to_string(kStep) + ")";
    AJAR_TRY(writer_.exec("BEGIN IMMEDIATE"));
    const auto remove = [&]() -> Result<int64_t> {
      AJAR_ASSIGN(Statement items, writer_.prepare("DELETE FROM response_items WHERE response IN " + old));
      AJAR_TRY(items.bind(time_ms).run());
      AJAR_ASSIGN(Statement rows, writer_.prepare("DELETE FROM responses WHERE id IN " + old));
      AJAR_TRY(rows.bind(time_ms).run());
      return sqlite3_changes(writer_.raw());
    };
    auto changed = remove();
    if (!changed) {
      writer_.exec("ROLLBACK");
      return changed;
    }
    AJAR_TRY(writer_.exec("COMMIT"));
    deleted += *changed;
    if (*changed < kStep) return deleted;
  }
}

}  // namespace ajar::store
