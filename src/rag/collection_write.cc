// Adding, replacing and removing: what is slow (reading, embedding) before the transaction, the log first, then the indexes.

#include <algorithm>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "rag/collection_parts.h"
#include "rag/extract.h"
#include "rag/predicate.h"

namespace ajar::rag {
namespace {

constexpr size_t kEmbedBatch = 64;
constexpr size_t kReadHere = 4 << 20;  // bytes

// UTF-8 that is plain text, Markdown or a table is read here: our own linear code, fuzzed, and a process for each small file
// would cost more than reading it.
Result<Extracted> read_input(DocumentInput& input, const ConvertOptions& options) {
  if (input.read) return std::move(*input.read);
  if (input.bytes.size() <= kReadHere && !input.bytes.starts_with("PK") && valid_utf8(input.bytes)) {
    const auto format = detect_format(input.bytes, input.name);
    if (format == Format::kText) return extract_text(input.bytes);
    if (format == Format::kMarkdown) return extract_markdown(input.bytes);
    if (format == Format::kCsv) return extract_csv(input.bytes);
  }
  return convert(input.bytes, input.name, options);
}

}  // namespace

Result<Preview> preview(DocumentInput input, const CollectionOptions& options) {
  Preview out;
  AJAR_ASSIGN(out.read, read_input(input, options.convert));
  out.chunks = make_chunks(out.read, options.chunks);
  for (const Chunk& chunk : out.chunks) out.tokens.push_back(options.chunks.count(std::string_view(out.read.text).substr(chunk.begin, chunk.end - chunk.begin)));
  return out;
}

Collection::Prepared Collection::prepare(DocumentInput input) {
  Prepared out;
  out.hash = sha256_hex(input.read ? input.read->text : input.bytes);
  out.input = std::move(input);
  if (has(out.input.id, out.hash) && !lacks_context(out.input.id)) {
    out.same = true, out.outcome = Outcome::kUnchanged;
    return out;
  }
  out.extracted = read_input(out.input, options_.convert);
  if (!out.extracted) return out;
  if (out.extracted->title.empty()) out.extracted->title = out.input.name.substr(out.input.name.rfind('/') + 1);
  out.language = index::language_code(options_.language.value_or(index::detect_language(out.extracted->text)));
  out.chunks = make_chunks(*out.extracted, options_.chunks);
  return out;
}

Status Collection::embed(std::vector<Prepared>& documents) {
  if (embedded_width_ == 0) return {};
  std::vector<std::pair<Prepared*, size_t>> places;
  std::vector<std::string> texts;
  const auto run = [&]() -> Status {
    if (texts.empty()) return {};
    AJAR_ASSIGN(std::vector<float> vectors, options_.embedder->embed(texts));
    if (vectors.size() != texts.size() * embedded_width_) return fail(Code::kUpstream, "the embedder gave " + std::to_string(vectors.size()) + " numbers for " + std::to_string(texts.size()) + " texts of " + std::to_string(embedded_width_));
    for (size_t i = 0; i < places.size(); ++i) {
      const std::span one = std::span(vectors).subspan(i * embedded_width_, embedded_width_);
      AJAR_TRY(index::normalize(one));
      std::copy(one.begin(), one.end(), &places[i].first->vectors[places[i].second * embedded_width_]);
    }
    places.clear(), texts.clear();
    return {};
  };
  for (Prepared& document : documents) {
    document.vectors.resize(document.chunks.size() * embedded_width_);
    for (size_t i = 0; i < document.chunks.size(); ++i) {
      places.emplace_back(&document, i);
      texts.push_back(document.indexed(i));
      if (texts.size() >= kEmbedBatch) AJAR_TRY(run());
    }
  }
  return run();
}

Result<AddResult> Collection::add(DocumentInput document) {
  std::vector<DocumentInput> one;
  one.push_back(std::move(document));
  AJAR_ASSIGN(std::vector<AddResult> results, add_all(std::move(one)));
  return results.front();
}

Result<std::vector<AddResult>> Collection::add_all(std::vector<DocumentInput> inputs) {
  std::set<std::string> ids;
  for (const DocumentInput& input : inputs) {
    if (input.id.empty() || input.id.size() > kMaxDocumentId) return invalid("id", "must have 1 to 1,024 bytes");
    if (!ids.insert(input.id).second) return invalid("id", "'" + input.id + "' occurs twice");
  }
  if (needs_reembedding()) {
    return fail(Code::kConflict, "the collection was embedded with '" + embedded_with() + "', not with '" + options_.embedder->name + "': re-embed it first");
  }
  if (embedded_width_ > 0 && !options_.embedder) return fail(Code::kConflict, "the collection was embedded with '" + embedded_name_ + "', which is not at hand");
  std::vector<Prepared> documents;
  for (DocumentInput& input : inputs) documents.push_back(prepare(std::move(input)));
  for (const Prepared& document : documents) {
    if (document.same || document.extracted) continue;
    const Code code = document.extracted.error().code;
    if (code == Code::kUnavailable || code == Code::kInternal) return std::unexpected(document.extracted.error());  // our fault, not the file's
  }
  for (Prepared& document : documents) AJAR_TRY(write_contexts(document));
  AJAR_TRY(embed(documents));
  if (outside_) {
    for (const Prepared& document : documents) {
      if (auto fields = fields_of(document.input.id, document.input.allow, document.input.metadata); !fields) return std::unexpected(std::move(fields).error().in("'" + document.input.id + "'"));
    }
  }

  std::unique_lock writer(writer_lock_);
  const uint32_t first = next_row_;
  std::vector<uint32_t> gone;
  const Status written = transaction([&]() -> Status {
    for (Prepared& document : documents) AJAR_TRY(write(document, gone));
    return set_meta("next_row", std::to_string(next_row_));
  });
  if (!written) {
    next_row_ = first;
    return std::unexpected(written.error());
  }
  AJAR_TRY(publish(documents, gone));
  writer.unlock();
  settle();
  std::vector<AddResult> results;
  for (const Prepared& document : documents)
    results.push_back({document.outcome, document.outcome == Outcome::kFailed ? document.extracted.error().message : "", document.chunks.size()});
  return results;
}

// One document's part of the transaction.
Status Collection::write(Prepared& document, std::vector<uint32_t>& gone) {
  const DocumentInput& input = document.input;
  AJAR_ASSIGN(store::Statement old, writer_->prepare("SELECT first_row, rows, metadata, allow FROM documents WHERE id = ?"));
  old.bind(input.id);
  AJAR_ASSIGN(const bool there, old.step());
  const int64_t old_first = there ? old.integer(0) : 0, old_rows = there ? old.integer(1) : 0;
  const bool described = there && old.text(2) == write_metadata(input.metadata) && old.text(3) == write_allow(input.allow);
  old.reset();
  if (document.same && there) {
    if (!described) AJAR_TRY(journal(old_first, old_rows, true));
    AJAR_ASSIGN(store::Statement update, writer_->prepare("UPDATE documents SET name = ?, metadata = ?, allow = ? WHERE id = ?"));
    return update.bind(input.name).bind(write_metadata(input.metadata)).bind(write_allow(input.allow)).bind(input.id).run();
  }
  if (document.same) return fail(Code::kUnavailable, "'" + input.id + "' was removed while it was added; add it again");
  if (old_rows > 0) {
    for (const std::string& table : {std::string("chunks"), embedded_width_ > 0 ? vectors_table(generation_) : std::string()}) {
      if (table.empty()) continue;
      AJAR_ASSIGN(store::Statement clear, writer_->prepare("DELETE FROM " + table + " WHERE row BETWEEN ? AND ?"));
      AJAR_TRY(clear.bind(old_first).bind(old_first + old_rows - 1).run());
    }
    AJAR_TRY(journal(old_first, old_rows, false));
    for (int64_t row = old_first; row < old_first + old_rows; ++row) gone.push_back(static_cast<uint32_t>(row));
  }
  document.outcome = !document.extracted ? Outcome::kFailed : there ? Outcome::kReplaced : Outcome::kAdded;
  if (uint64_t{next_row_} + document.chunks.size() >= UINT32_MAX) return fail(Code::kTooLarge, "the collection has used up its rows; make a new one");
  document.first_row = next_row_;
  const auto* read = document.extracted ? &*document.extracted : nullptr;
  AJAR_ASSIGN(store::Statement put, writer_->prepare("INSERT OR REPLACE INTO documents VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  AJAR_TRY(put.bind(input.id).bind(input.name).bind(document.hash).bind(std::string_view(read ? read->format : "")).bind(std::string_view(read ? read->title : ""))
               .bind(document.language).bind(std::string_view(read ? "ready" : "failed"))
               .bind(std::string_view(read ? "" : document.extracted.error().message)).bind(std::string_view(read ? read->note : ""))
               .bind(write_metadata(input.metadata)).bind(write_allow(input.allow)).bind(static_cast<int64_t>(input.bytes.empty() && read ? read->text.size() : input.bytes.size()))
               .bind(int64_t{read ? read->pages : 0}).bind(int64_t{next_row_}).bind(static_cast<int64_t>(document.chunks.size())).bind(unix_millis())
               .run());
  if (document.chunks.empty()) return {};
  AJAR_ASSIGN(store::Statement chunk, writer_->prepare("INSERT INTO chunks (row, first_byte, page, parent_first, parent_last, headings, title, language, text, heads, context) VALUES (?,?,?,?,?,?,?,?,?,?,?)"));
  std::optional<store::Statement> vector;
  if (embedded_width_ > 0) {
    AJAR_ASSIGN(vector, writer_->prepare("INSERT INTO " + vectors_table(generation_) + " VALUES (?, ?)"));
  }
  for (size_t i = 0, first = 0; i < document.chunks.size(); ++i) {
    const Chunk& one = document.chunks[i];
    if (one.parent_begin != document.chunks[first].parent_begin) first = i;
    size_t last = i;
    while (last + 1 < document.chunks.size() && document.chunks[last + 1].parent_begin == one.parent_begin) ++last;
    const int64_t row = next_row_ + static_cast<int64_t>(i);
    AJAR_TRY(chunk.bind(row).bind(int64_t{one.begin}).bind(int64_t{one.page}).bind(next_row_ + static_cast<int64_t>(first))
                 .bind(next_row_ + static_cast<int64_t>(last)).bind_view(one.headings).bind_view(read->title).bind_view(document.language)
                 .bind_view(document.chunk_text(one)).bind(write_spans(one.heads)).bind_view(document.context(i)).run());
    if (vector) AJAR_TRY(vector->bind(row).bind_view(bytes_of(std::span(document.vectors).subspan(i * embedded_width_, embedded_width_))).run());
  }
  next_row_ += static_cast<uint32_t>(document.chunks.size());
  AJAR_TRY(journal(document.first_row, static_cast<int64_t>(document.chunks.size()), true));
  return forget_contexts(document);
}

// After the commit: the indexes, then all at once what readers see.
Status Collection::publish(std::vector<Prepared>& documents, const std::vector<uint32_t>& gone) {
  index::Bm25Builder builder;
  std::vector<uint32_t> rows;
  std::vector<float> numbers;
  for (const Prepared& document : documents) {
    if (document.same) continue;
    const index::Language language = index::language_of(document.language).value_or(index::Language::kNone);
    auto& analyzer = analyzers_[static_cast<int>(language)];
    if (!analyzer) analyzer = std::make_unique<index::Analyzer>(language);
    uint32_t row = document.first_row;
    for (size_t i = 0; i < document.chunks.size(); ++i) {
      rows.push_back(row);
      builder.start_row(row++);
      analyzer->each(document.indexed(i), [&](std::string_view term, uint32_t, uint32_t) { builder.add(term); });
    }
    numbers.insert(numbers.end(), document.vectors.begin(), document.vectors.end());
  }
  if (builder.rows() > 0) AJAR_TRY(words_.add(builder));
  if (vectors_ && !rows.empty()) AJAR_TRY(vectors_->add(rows, numbers));
  {
    std::unique_lock state(state_lock_);
    for (Prepared& document : documents) {
      VisibleDocument seen{document.input.id, document.first_row, static_cast<uint32_t>(document.chunks.size()), document.input.allow,
                           index::language_of(document.language).value_or(index::Language::kNone)};
      const auto old = visible_.find(seen.id);
      if (document.same) {
        if (!old) continue;
        seen.first_row = old->first_row, seen.rows = old->rows, seen.language = old->language;
      } else {
        if (old && old->rows > 0) --language_counts_[old->language];
        if (seen.rows > 0) ++language_counts_[seen.language];
      }
      visible_.remove(seen.id);
      visible_.add(std::move(seen), document.input.metadata);
    }
    words_.remove(gone);
    if (vectors_) vectors_->remove(gone);
  }
  if (next_row_ - words_.segments().watermark() >= options_.checkpoint_rows) return checkpoint_locked();
  return {};
}

Result<size_t> Collection::remove(std::span<const std::string> ids) {
  std::unique_lock writer(writer_lock_);
  std::vector<uint32_t> gone;
  std::vector<std::string> found;
  const Status written = transaction([&]() -> Status {
    for (const std::string& id : ids) {
      const auto document = visible_.find(id);  // changed under this lock only
      if (!document || std::find(found.begin(), found.end(), id) != found.end()) continue;
      found.push_back(id);
      AJAR_ASSIGN(store::Statement row, writer_->prepare("DELETE FROM documents WHERE id = ?"));
      AJAR_TRY(row.bind(id).run());
      if (document->rows == 0) continue;
      for (const std::string& table : {std::string("chunks"), embedded_width_ > 0 ? vectors_table(generation_) : std::string()}) {
        if (table.empty()) continue;
        AJAR_ASSIGN(store::Statement clear, writer_->prepare("DELETE FROM " + table + " WHERE row BETWEEN ? AND ?"));
        AJAR_TRY(clear.bind(int64_t{document->first_row}).bind(int64_t{document->first_row} + document->rows - 1).run());
      }
      AJAR_TRY(journal(document->first_row, document->rows, false));
      for (uint32_t i = 0; i < document->rows; ++i) gone.push_back(document->first_row + i);
    }
    return {};
  });
  if (!written) return std::unexpected(written.error());
  std::unique_lock state(state_lock_);
  for (const std::string& id : found) {
    const auto old = visible_.find(id);
    if (old->rows > 0) --language_counts_[old->language];
    visible_.remove(id);
  }
  words_.remove(gone);
  if (vectors_) vectors_->remove(gone);
  state.unlock();
  writer.unlock();
  settle();
  return found.size();
}

Status Collection::describe(const std::string& id, Metadata metadata, std::optional<std::vector<std::string>> allow) {
  if (outside_) AJAR_TRY(fields_of(id, allow, metadata));
  std::unique_lock writer(writer_lock_);
  const auto old = visible_.find(id);
  if (!old) return fail(Code::kNotFound, "no document '" + id + "'");
  AJAR_TRY(transaction([&]() -> Status {
    AJAR_TRY(journal(old->first_row, old->rows, true));
    AJAR_ASSIGN(store::Statement update, writer_->prepare("UPDATE documents SET metadata = ?, allow = ? WHERE id = ?"));
    return update.bind(write_metadata(metadata)).bind(write_allow(allow)).bind(id).run();
  }));
  std::unique_lock state(state_lock_);
  visible_.remove(id);
  visible_.add({id, old->first_row, old->rows, std::move(allow), old->language}, metadata);
  state.unlock();
  writer.unlock();
  settle();
  return {};
}

}  // namespace ajar::rag
