// Opening, recovery and the small questions.

#include "rag/collection.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "json/read.h"
#include "json/write.h"
#include "rag/collection_outside.h"

namespace ajar::rag {
namespace {

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL, format TEXT NOT NULL, title TEXT NOT NULL, language TEXT NOT NULL,
  status TEXT NOT NULL, reason TEXT NOT NULL, note TEXT NOT NULL, metadata TEXT NOT NULL, allow TEXT NOT NULL,
  bytes INTEGER NOT NULL, pages INTEGER NOT NULL, first_row INTEGER NOT NULL, rows INTEGER NOT NULL, added_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chunks (
  row INTEGER PRIMARY KEY, first_byte INTEGER NOT NULL, page INTEGER NOT NULL, parent_first INTEGER NOT NULL, parent_last INTEGER NOT NULL,
  headings TEXT NOT NULL, title TEXT NOT NULL, language TEXT NOT NULL, text TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, row INTEGER NOT NULL UNIQUE, send INTEGER NOT NULL) STRICT;
)";
// Which documents are not as the table of documents has them. Kept by triggers, so that no way of changing a document goes round it.
constexpr const char* kChanges = R"(
CREATE TABLE IF NOT EXISTS changes (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL) STRICT;
CREATE TRIGGER IF NOT EXISTS document_added AFTER INSERT ON documents BEGIN INSERT INTO changes (id) VALUES (new.id); END;
CREATE TRIGGER IF NOT EXISTS document_removed AFTER DELETE ON documents BEGIN INSERT INTO changes (id) VALUES (old.id); END;
CREATE TRIGGER IF NOT EXISTS document_changed AFTER UPDATE ON documents BEGIN
  INSERT INTO changes (id) VALUES (old.id); INSERT INTO changes (id) SELECT new.id WHERE new.id <> old.id;
END;
)";
constexpr int kVersion = 2;  // 2: chunks know their headings

std::string make_vectors_table(const std::string& name) { return "CREATE TABLE IF NOT EXISTS " + name + " (row INTEGER PRIMARY KEY, vector ANY NOT NULL) STRICT"; }

}  // namespace

std::string write_allow(const std::optional<std::vector<std::string>>& allow) {
  std::string out;
  if (!allow) return out;
  json::Writer w(out);
  w.begin_array();
  for (const std::string& principal : *allow) w.string(principal);
  w.end_array();
  return out;
}

std::optional<std::vector<std::string>> read_allow(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::vector<std::string> out;
  json::Document document;
  // What cannot be read keeps everyone out.
  if (const auto value = document.parse(text))
    if (const auto array = json::as_array(*value))
      for (const auto& one : *array)
        if (const auto principal = json::as_string(one)) out.emplace_back(*principal);
  return out;
}

Collection::Collection(std::string folder, CollectionOptions options) : folder_(std::move(folder)), options_(std::move(options)) {}

Collection::~Collection() {
  if (outside_) outside_->finish();
  if (!writer_) return;
  graph_thread_ = {};  // asks it to stop, and waits
  std::lock_guard writer(writer_lock_);
  (void)checkpoint_locked();
  (void)keep_documents(kClosing);
}

Result<std::unique_ptr<Collection>> Collection::open(const std::string& folder, CollectionOptions options) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return fail(Code::kUnavailable, "cannot make the folder " + folder + ": " + std::strerror(errno));
  std::unique_ptr<Collection> collection(new Collection(folder, std::move(options)));
  std::lock_guard writer(collection->writer_lock_);
  if (Status recovered = collection->recover(); !recovered) {
    collection->writer_.reset();
    return std::unexpected(std::move(recovered.error()).in("collection " + folder));
  }
  return collection;
}

Result<std::optional<std::string>> Collection::meta(const char* key) {
  AJAR_ASSIGN(store::Statement get, writer_->prepare("SELECT value FROM meta WHERE key = ?"));
  get.bind(std::string_view(key));
  AJAR_ASSIGN(const bool there, get.step());
  if (!there) return std::optional<std::string>();
  return std::optional(get.text(0));
}

Status Collection::set_meta(const char* key, const std::string& value) {
  AJAR_ASSIGN(store::Statement set, writer_->prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)"));
  return set.bind(std::string_view(key)).bind(value).run();
}

Status Collection::transaction(const std::function<Status()>& body) {
  AJAR_TRY(writer_->exec("BEGIN IMMEDIATE"));
  Status done = body();
  if (done) done = writer_->exec("COMMIT");
  if (!done) (void)writer_->exec("ROLLBACK");
  return done;
}

// Columns that older collections lack.
Status Collection::migrate() {
  for (const char* column : {"heads", "context"}) {
    AJAR_ASSIGN(store::Statement there, writer_->prepare("SELECT 1 FROM pragma_table_info('chunks') WHERE name = ?"));
    there.bind(std::string_view(column));
    AJAR_ASSIGN(const bool known, there.step());
    there.reset();
    if (!known) AJAR_TRY(writer_->exec(("ALTER TABLE chunks ADD COLUMN " + std::string(column) + " TEXT NOT NULL DEFAULT ''").c_str()));
  }
  return writer_->exec("CREATE TABLE IF NOT EXISTS contexts (key TEXT PRIMARY KEY, line TEXT NOT NULL) STRICT, WITHOUT ROWID");
}

Status Collection::recover() {
  AJAR_ASSIGN(writer_, store::Database::open(folder_ + "/collection.db"));
  // An acknowledged document survives a power failure too.
  AJAR_TRY(writer_->exec("PRAGMA synchronous=FULL; PRAGMA cache_size=-16384;"));
  AJAR_TRY(writer_->exec(kSchema));
  AJAR_TRY(writer_->exec(kChanges));
  AJAR_ASSIGN(const auto version, meta("version"));
  if (version && parse_int(*version).value_or(0) > kVersion) return fail(Code::kUnavailable, "it was made by a newer version");
  AJAR_TRY(migrate());
  if (version != std::to_string(kVersion)) AJAR_TRY(set_meta("version", std::to_string(kVersion)));
  AJAR_ASSIGN(const auto next, meta("next_row"));
  next_row_ = static_cast<uint32_t>(next ? parse_int(*next).value_or(1) : 1);
  AJAR_ASSIGN(const auto generation, meta("generation"));
  generation_ = generation ? parse_int(*generation).value_or(0) : 0;
  AJAR_ASSIGN(const auto embedder, meta("embedder"));
  AJAR_ASSIGN(const auto width, meta("width"));
  if (embedder && width) {
    embedded_name_ = *embedder, embedded_width_ = static_cast<uint32_t>(parse_int(*width).value_or(0));
  } else if (options_.embedder && next_row_ == 1) {
    embedded_name_ = options_.embedder->name, embedded_width_ = options_.embedder->width;
    AJAR_TRY(set_meta("embedder", embedded_name_));
    AJAR_TRY(set_meta("width", std::to_string(embedded_width_)));
    if (!options_.store.empty()) AJAR_TRY(set_meta("store", options_.store));
  }
  if (embedded_width_ > index::kMaxWidth) return fail(Code::kInvalid, "vectors wider than 16,384 numbers");
  AJAR_ASSIGN(const auto weights, meta("weights"));
  if (weights) {
    const auto parts = split(*weights, ' ');
    if (parts.size() == 3) {
      weights_ = {static_cast<float>(parse_double(parts[0]).value_or(1)), static_cast<float>(parse_double(parts[1]).value_or(1)),
                  parts[2] == "ranks" ? index::Fusion::kRanks : index::Fusion::kScores};
    }
  }
  std::unique_lock state(state_lock_);
  AJAR_TRY(read_documents());
  AJAR_TRY(replay_words());
  if (embedded_width_ > 0) {
    AJAR_TRY(writer_->exec(make_vectors_table(vectors_table(generation_)).c_str()));
    AJAR_ASSIGN(const auto store, meta("store"));
    AJAR_TRY(store ? open_outside() : replay_vectors());
  }
  grow_graph();
  return {};
}

// Opens the files of an index; a damaged one, or one that knows more than the log, is made anew.
template <class Index>
static Status open_index(Index& index, const std::string& folder, const std::string& name, uint32_t next_row, const index::Bitmap& live, uint64_t& rebuilt) {
  const Status opened = index.open(folder, name);
  if (!opened || index.segments().watermark() > next_row) {
    ++rebuilt;
    AJAR_TRY(index.reset());
  }
  index.segments().keep_only(live);
  return {};
}

Status Collection::replay_words() {
  AJAR_TRY(open_index(words_, folder_, "words", next_row_, visible_.live(), rebuilt_));
  AJAR_ASSIGN(store::Statement rows, writer_->prepare("SELECT row, title, headings, text, language, context FROM chunks WHERE row >= ? ORDER BY row"));
  rows.bind(static_cast<int64_t>(words_.segments().watermark()));
  index::Bm25Builder builder;
  while (true) {
    AJAR_ASSIGN(const bool more, rows.step());
    if (!more) break;
    const index::Language language = index::language_of(rows.text(4)).value_or(index::Language::kNone);
    auto& analyzer = analyzers_[static_cast<int>(language)];
    if (!analyzer) analyzer = std::make_unique<index::Analyzer>(language);
    builder.start_row(static_cast<uint32_t>(rows.integer(0)));
    analyzer->each(indexed_text(rows.text(1), rows.text(2), rows.text(3), rows.text(5)), [&](std::string_view term, uint32_t, uint32_t) { builder.add(term); });
    if (builder.rows() >= 8192) AJAR_TRY(words_.add(builder));
  }
  return builder.rows() > 0 ? words_.add(builder) : Status();
}

Status Collection::replay_vectors() {
  vectors_ = std::make_shared<index::VectorIndex>(embedded_width_, options_.graph);
  AJAR_TRY(open_index(*vectors_, folder_, vectors_table(generation_), next_row_, visible_.live(), rebuilt_));
  AJAR_ASSIGN(store::Statement all, writer_->prepare("SELECT row, vector FROM " + vectors_table(generation_) + " WHERE row >= ? ORDER BY row"));
  all.bind(static_cast<int64_t>(vectors_->segments().watermark()));
  std::vector<uint32_t> rows;
  std::vector<float> numbers;
  const auto add = [&]() -> Status {
    if (rows.empty()) return {};
    AJAR_TRY(vectors_->add(rows, numbers));
    rows.clear(), numbers.clear();
    return {};
  };
  while (true) {
    AJAR_ASSIGN(const bool more, all.step());
    if (!more) return add();
    const std::string bytes = all.text(1);
    if (bytes.size() != size_t{embedded_width_} * sizeof(float)) return fail(Code::kInvalid, "a vector of another width");
    rows.push_back(static_cast<uint32_t>(all.integer(0)));
    numbers.resize(numbers.size() + embedded_width_);
    std::memcpy(&numbers[numbers.size() - embedded_width_], bytes.data(), bytes.size());
    if (rows.size() >= 8192) AJAR_TRY(add());
  }
}

Status Collection::checkpoint() {
  std::lock_guard writer(writer_lock_);
  return checkpoint_locked();
}

Status Collection::checkpoint_locked() {
  AJAR_TRY(words_.segments().checkpoint(next_row_));
  if (vectors_) AJAR_TRY(vectors_->checkpoint(next_row_));
  grow_graph();
  return keep_documents(kServing);
}

Result<Collection::Lease> Collection::lease() {
  {
    std::lock_guard lock(pool_lock_);
    if (!pool_.empty()) {
      Lease one(this, std::move(pool_.back()));
      pool_.pop_back();
      return one;
    }
  }
  AJAR_ASSIGN(store::Database database, store::Database::open(folder_ + "/collection.db"));
  AJAR_TRY(database.exec("PRAGMA query_only=1; PRAGMA mmap_size=1073741824; PRAGMA cache_size=-8192;"));
  auto connection = std::make_unique<Connection>();
  AJAR_ASSIGN(connection->chunk, database.prepare("SELECT first_byte, page, parent_first, parent_last, headings, title, text, language, heads, context FROM chunks WHERE row = ?"));
  AJAR_ASSIGN(connection->parent, database.prepare("SELECT text FROM chunks WHERE row BETWEEN ? AND ? ORDER BY row"));
  connection->database = std::move(database);
  return Lease(this, std::move(connection));
}

bool Collection::has(const std::string& id, const std::string& hash) {
  std::lock_guard writer(writer_lock_);
  auto get = writer_->prepare("SELECT 1 FROM documents WHERE id = ? AND hash = ? AND status = 'ready'");
  if (!get) return false;
  get->bind(id).bind(hash);
  return get->step().value_or(false);
}

static DocumentInfo info_of(const store::Statement& row) {
  DocumentInfo info{.id = row.text(0), .name = row.text(1), .hash = row.text(2), .format = row.text(3), .title = row.text(4), .language = row.text(5),
                    .status = row.text(6), .reason = row.text(7), .note = row.text(8)};
  info.metadata = read_metadata(row.text(9)).value_or(Metadata());
  info.allow = read_allow(row.text(10));
  info.bytes = row.integer(11), info.pages = row.integer(12), info.chunks = row.integer(13), info.added_ms = row.integer(14);
  return info;
}
constexpr const char* kInfoColumns = "id, name, hash, format, title, language, status, reason, note, metadata, allow, bytes, pages, rows, added_ms";

Result<DocumentInfo> Collection::document(const std::string& id, const Reader& reader) {
  {
    std::shared_lock state(state_lock_);
    const auto document = visible_.find(id);
    if (!document || !Visible::may_read(*document, reader)) return fail(Code::kNotFound, "no document '" + id + "'");
  }
  AJAR_ASSIGN(Lease connection, lease());
  AJAR_ASSIGN(store::Statement get, connection->database.prepare("SELECT " + std::string(kInfoColumns) + " FROM documents WHERE id = ?"));
  get.bind(id);
  AJAR_ASSIGN(const bool there, get.step());
  if (!there) return fail(Code::kNotFound, "no document '" + id + "'");
  return info_of(get);
}

Result<std::vector<DocumentInfo>> Collection::list(const std::string& after, size_t limit, const Reader& reader) {
  AJAR_ASSIGN(Lease connection, lease());
  AJAR_ASSIGN(store::Statement get, connection->database.prepare("SELECT " + std::string(kInfoColumns) + " FROM documents WHERE id > ? ORDER BY id"));
  get.bind(after);
  std::vector<DocumentInfo> out;
  while (out.size() < limit) {
    AJAR_ASSIGN(const bool more, get.step());
    if (!more) break;
    std::shared_lock state(state_lock_);
    const auto document = visible_.find(get.text(0));
    if (document && Visible::may_read(*document, reader)) out.push_back(info_of(get));
  }
  return out;
}

Result<std::string> Collection::text(const std::string& id, const Reader& reader) {
  uint32_t first = 0, rows = 0;
  {
    std::shared_lock state(state_lock_);
    const auto document = visible_.find(id);
    if (!document || !Visible::may_read(*document, reader)) return fail(Code::kNotFound, "no document '" + id + "'");
    first = document->first_row, rows = document->rows;
  }
  std::string out;
  if (rows == 0) return out;
  AJAR_ASSIGN(Lease connection, lease());
  store::Statement& get = connection->parent;
  get.reset();
  get.bind(int64_t{first}).bind(int64_t{first} + rows - 1);
  while (true) {
    AJAR_ASSIGN(const bool more, get.step());
    if (!more) break;
    out += get.text(0);
  }
  get.reset();
  return out;
}

bool Collection::needs_reembedding() const {
  std::shared_lock state(state_lock_);
  return options_.embedder && (options_.embedder->name != embedded_name_ || options_.embedder->width != embedded_width_);
}

std::string Collection::embedded_with() const {
  std::shared_lock state(state_lock_);
  return embedded_name_;
}

Weights Collection::weights() const {
  std::shared_lock state(state_lock_);
  return weights_;
}

Status Collection::set_weights(const Weights& weights) {
  std::lock_guard writer(writer_lock_);
  std::string text;
  json::append_double(text, weights.words), text += ' ';
  json::append_double(text, weights.meaning);
  AJAR_TRY(set_meta("weights", text + (weights.how == index::Fusion::kRanks ? " ranks" : " scores")));
  std::unique_lock state(state_lock_);
  weights_ = weights;
  return {};
}

Collection::Stats Collection::stats() const {
  std::shared_lock state(state_lock_);
  return {visible_.documents(), visible_.live().count(), rebuilt_, vectors_ ? vectors_->graph_rows() : 0, vectors_ ? vectors_->graph_missing() : 0};
}

std::vector<index::Language> Collection::languages() const {
  std::vector<std::pair<size_t, index::Language>> counts;
  for (const auto& [language, count] : language_counts_)
    if (count > 0) counts.emplace_back(count, language);
  std::sort(counts.rbegin(), counts.rend());
  std::vector<index::Language> out;
  for (const auto& [count, language] : counts) out.push_back(language);
  return out;
}

}  // namespace ajar::rag
