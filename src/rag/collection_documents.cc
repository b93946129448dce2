// The table of documents that a collection opens with. SQLite says which file it is, by its checksum, and which documents are not as the
// file has them; a file that does not fit is no file. So access is what the log of truth says, whatever became of the file.

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "rag/collection_parts.h"

namespace ajar::rag {
namespace {

constexpr const char* kName = "documents-";
constexpr size_t kReadAtOnce = 65'536;  // into memory, before they become a table

uint64_t sum_of(std::string_view sealed) { return index::checksum(sealed); }

}  // namespace

Status Collection::read_documents_from(store::Statement rows) {
  while (true) {
    AJAR_ASSIGN(const bool more, rows.step());
    if (!more) return {};
    AJAR_ASSIGN(const Metadata metadata, read_metadata(rows.text(4)));
    const index::Language language = index::language_of(rows.text(5)).value_or(index::Language::kNone);
    visible_.add({rows.text(0), static_cast<uint32_t>(rows.integer(1)), static_cast<uint32_t>(rows.integer(2)), read_allow(rows.text(3)), language}, metadata);
    if (visible_.changes() < std::max(kReadAtOnce, visible_.documents() / 2)) continue;
    // The table takes a fifth of the memory.
    AJAR_ASSIGN(auto table, DocumentsTable::open(index::Buffer::own(visible_.table())));
    visible_.adopt(std::move(table));
  }
}

Status Collection::read_documents() {
  AJAR_ASSIGN(const auto kept, meta("documents"));  // "number checksum seq"
  const std::string entry = kept.value_or("");
  const auto parts = split(entry, ' ');
  std::shared_ptr<const DocumentsTable> table;
  int64_t seq = 0;
  if (parts.size() == 3) {
    documents_file_ = parse_int(parts[0]).value_or(0);
    seq = parse_int(parts[2]).value_or(0);
    auto buffer = index::Buffer::map(folder_ + "/" + kName + std::to_string(documents_file_));
    // All of the file is read here: it is small beside what it saves, and it decides who sees what.
    if (buffer && parts[1] == std::to_string(sum_of((*buffer)->bytes())))
      if (auto opened = DocumentsTable::open(std::move(*buffer))) table = std::move(*opened);
    documents_lost_ = !table;
    rebuilt_ += table ? 0 : 1;
  }
  if (table) {
    visible_.adopt(std::move(table));
    AJAR_ASSIGN(store::Statement gone, writer_->prepare("SELECT DISTINCT id FROM changes WHERE seq > ?"));
    gone.bind(seq);
    while (true) {
      AJAR_ASSIGN(const bool more, gone.step());
      if (!more) break;
      visible_.remove(gone.text(0));
    }
    AJAR_ASSIGN(store::Statement changed, writer_->prepare("SELECT id, first_row, rows, allow, metadata, language FROM documents WHERE id IN (SELECT id FROM changes WHERE seq > ?)"));
    changed.bind(seq);
    AJAR_TRY(read_documents_from(std::move(changed)));
  } else {
    AJAR_ASSIGN(store::Statement all, writer_->prepare("SELECT id, first_row, rows, allow, metadata, language FROM documents"));
    AJAR_TRY(read_documents_from(std::move(all)));
  }
  language_counts_ = visible_.languages();
  return {};
}

// The writer's. A table of n documents is written after n/16 changes, so a document is written about seventeen times, of about 50 bytes.
Status Collection::keep_documents(When when) {
  AJAR_ASSIGN(store::Statement last, writer_->prepare("SELECT coalesce(max(seq), 0), count(*) FROM changes"));
  AJAR_TRY(last.step());
  const int64_t seq = last.integer(0);
  const auto changes = static_cast<size_t>(last.integer(1));
  last.reset();
  const size_t documents = visible_.documents();
  const size_t enough = when == kServing ? std::max<size_t>(options_.table_changes, documents / 16) : std::max<size_t>(options_.table_changes / 8, documents / 64);
  if (changes < enough && ((documents_file_ > 0 && !documents_lost_) || documents < enough)) return {};
  const int64_t number = documents_file_ + 1;
  const std::string bytes = visible_.table();
  const std::string path = folder_ + "/" + kName + std::to_string(number);
  AJAR_TRY(index::replace_file(path, bytes));
  AJAR_TRY(transaction([&]() -> Status {
    AJAR_TRY(set_meta("documents", std::to_string(number) + " " + std::to_string(sum_of(bytes)) + " " + std::to_string(seq)));
    AJAR_ASSIGN(store::Statement done, writer_->prepare("DELETE FROM changes WHERE seq <= ?"));
    return done.bind(seq).run();
  }));
  documents_file_ = number, documents_lost_ = false;
  AJAR_ASSIGN(auto buffer, index::Buffer::map(path));
  AJAR_ASSIGN(auto table, DocumentsTable::open(std::move(buffer)));
  Visible next;
  next.adopt(std::move(table));
  {
    std::unique_lock state(state_lock_);
    std::swap(visible_, next);
  }
  // Files that no longer count, also those of a crash between the file and its entry.
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, ignored)) {
    const std::string file = entry.path().filename().string();
    if (file.starts_with(kName) && file != kName + std::to_string(number)) std::filesystem::remove(entry.path(), ignored);
  }
  return {};
}

}  // namespace ajar::rag
