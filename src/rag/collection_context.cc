// Lines of context while a document is added. Each that was written is kept at once, so that an ingest that was cut goes on where it
// was; when the document is in with all of them, they are in its chunks and go from here.

#include <atomic>
#include <thread>

#include "base/random.h"
#include "rag/collection_parts.h"

namespace ajar::rag {

std::string Collection::context_key(const Prepared& document, size_t chunk) const {
  const Chunk& one = document.chunks[chunk];
  return sha256_hex(options_.context->name + "\n" + document.hash + "\n" + std::to_string(one.begin) + "-" + std::to_string(one.end));
}

Status Collection::write_contexts(Prepared& document) {
  if (!options_.context || document.same || !document.extracted || document.chunks.empty()) return {};
  const ContextWriter& writer = *options_.context;
  const size_t all = document.chunks.size();
  document.contexts.assign(all, "");
  std::vector<size_t> missing;
  {
    std::lock_guard lock(writer_lock_);
    AJAR_ASSIGN(store::Statement known, writer_->prepare("SELECT line FROM contexts WHERE key = ?"));
    for (size_t i = 0; i < all; ++i) {
      known.reset();
      known.bind(context_key(document, i));
      AJAR_ASSIGN(const bool there, known.step());
      if (there) document.contexts[i] = known.text(0);
      else missing.push_back(i);
    }
  }
  const std::string& text = document.extracted->text;
  size_t lacking = missing.size();
  std::string reason;
  for (size_t from = 0; from < missing.size();) {
    const std::span batch = std::span(missing).subspan(from, std::min(missing.size() - from, std::max<size_t>(1, writer.at_once) * 4));
    std::vector<Result<std::string>> lines(batch.size(), std::string());
    std::atomic<size_t> next = 0;
    const auto work = [&] {
      for (size_t i; (i = next.fetch_add(1)) < batch.size();) {
        const Chunk& chunk = document.chunks[batch[i]];
        lines[i] = writer.write({.title = document.extracted->title, .headings = chunk.headings, .around = around_chunk(text, chunk.begin, chunk.end),
                                 .chunk = std::string(document.chunk_text(chunk)), .payer = document.input.payer});
      }
    };
    {
      std::vector<std::jthread> others;
      for (size_t t = 1; t < std::min(writer.at_once, batch.size()); ++t) others.emplace_back(work);
      work();
    }
    size_t written = 0;
    std::lock_guard lock(writer_lock_);
    AJAR_TRY(transaction([&]() -> Status {
      AJAR_ASSIGN(store::Statement put, writer_->prepare("INSERT OR REPLACE INTO contexts VALUES (?, ?)"));
      for (size_t i = 0; i < batch.size(); ++i) {
        if (!lines[i]) {
          reason = lines[i].error().message;
          continue;
        }
        std::string line = context_line(*lines[i]);
        if (line.empty()) {
          reason = "its answer held no sentence";
          continue;
        }
        AJAR_TRY(put.bind(context_key(document, batch[i])).bind(line).run());
        document.contexts[batch[i]] = std::move(line);
        ++written, --lacking;
      }
      return {};
    }));
    from += batch.size();
    if (writer.progress) writer.progress(document.input.id, all - missing.size() + from, all);
    if (written == 0) break;  // whoever writes is away: the others would wait for nothing
  }
  if (lacking > 0) {
    std::string& note = document.extracted->note;
    note += (note.empty() ? "" : "; ") + std::to_string(lacking) + " of " + std::to_string(all) + " chunks have no line of context (" + writer.name + ": " + reason + ")";
  }
  return {};
}

bool Collection::lacks_context(const std::string& id) {
  if (!options_.context) return false;
  std::lock_guard lock(writer_lock_);
  auto lacking = writer_->prepare("SELECT 1 FROM documents d JOIN chunks c ON c.row BETWEEN d.first_row AND d.first_row + d.rows - 1 WHERE d.id = ? AND d.rows > 0 AND c.context = '' LIMIT 1");
  if (!lacking) return false;
  lacking->bind(id);
  return lacking->step().value_or(false);
}

// Part of the transaction that takes the document in.
Status Collection::forget_contexts(const Prepared& document) {
  if (document.contexts.empty()) return {};
  for (const std::string& line : document.contexts)
    if (line.empty()) return {};  // it is added again for what lacks
  AJAR_ASSIGN(store::Statement gone, writer_->prepare("DELETE FROM contexts WHERE key = ?"));
  for (size_t i = 0; i < document.chunks.size(); ++i) AJAR_TRY(gone.bind(context_key(document, i)).run());
  return {};
}

}  // namespace ajar::rag
