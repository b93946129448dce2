// New vectors for all chunks while the old ones serve. They go into a table of their own, a batch a transaction, so that an
// interruption costs a batch; the last step changes over in one transaction.

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "rag/collection_parts.h"

namespace ajar::rag {

Status Collection::reembed(const std::function<void(size_t, size_t)>& progress) {
  if (!options_.embedder) return fail(Code::kInvalid, "there is no embedder to re-embed with");
  const Embedder& embedder = *options_.embedder;
  constexpr int64_t kBatch = 64;
  int64_t next_generation = 0, after = -1;
  size_t done = 0;
  {
    std::lock_guard writer(writer_lock_);
    next_generation = generation_ + 1;
    const std::string wanted = embedder.name + "/" + std::to_string(embedder.width);
    AJAR_ASSIGN(const auto begun, meta("reembedding"));
    const std::string table = vectors_table(next_generation);
    if (begun != wanted) {
      AJAR_TRY(writer_->exec(("DROP TABLE IF EXISTS " + table).c_str()));
      AJAR_TRY(set_meta("reembedding", wanted));
    }
    AJAR_TRY(writer_->exec(("CREATE TABLE IF NOT EXISTS " + table + " (row INTEGER PRIMARY KEY, vector ANY NOT NULL) STRICT").c_str()));
    AJAR_ASSIGN(store::Statement last, writer_->prepare("SELECT coalesce(max(row), -1), count(*) FROM " + table));
    AJAR_TRY(last.step());
    after = last.integer(0), done = static_cast<size_t>(last.integer(1));
  }
  const std::string table = vectors_table(next_generation);
  while (true) {
    // Documents may be added and removed between batches, by whoever still has the old embedder; rows only grow.
    std::lock_guard writer(writer_lock_);
    std::vector<int64_t> rows;
    std::vector<std::string> texts;
    {
      AJAR_ASSIGN(store::Statement some, writer_->prepare("SELECT row, title, headings, text, context FROM chunks WHERE row > ? ORDER BY row LIMIT ?"));
      some.bind(after).bind(kBatch);
      while (true) {
        AJAR_ASSIGN(const bool more, some.step());
        if (!more) break;
        rows.push_back(some.integer(0));
        texts.push_back(indexed_text(some.text(1), some.text(2), some.text(3), some.text(4)));
      }
    }
    if (rows.empty()) {
      // The change over, under the same lock as the look that found nothing more.
      AJAR_TRY(transaction([&]() -> Status {
        AJAR_TRY(writer_->exec(("DELETE FROM " + table + " WHERE row NOT IN (SELECT row FROM chunks)").c_str()));
        AJAR_TRY(set_meta("generation", std::to_string(next_generation)));
        AJAR_TRY(set_meta("embedder", embedder.name));
        AJAR_TRY(set_meta("width", std::to_string(embedder.width)));
        AJAR_TRY(set_meta("reembedding", ""));
        if (outside_) AJAR_TRY(leave_generation());
        return writer_->exec(("DROP TABLE IF EXISTS " + vectors_table(next_generation - 1)).c_str());
      }));
      std::unique_lock state(state_lock_);
      if (vectors_) (void)vectors_->reset();
      generation_ = next_generation, embedded_name_ = embedder.name, embedded_width_ = embedder.width;
      if (outside_) {
        AJAR_TRY(open_outside());
        AJAR_TRY(transaction([&] { return journal_all(); }));
        return {};
      }
      AJAR_TRY(replay_vectors());
      state.unlock();
      return checkpoint_locked();
    }
    AJAR_ASSIGN(std::vector<float> vectors, embedder.embed(texts));
    if (vectors.size() != texts.size() * embedder.width) return fail(Code::kUpstream, "the embedder gave vectors of another width than it says");
    AJAR_TRY(transaction([&]() -> Status {
      AJAR_ASSIGN(store::Statement put, writer_->prepare("INSERT OR REPLACE INTO " + table + " VALUES (?, ?)"));
      for (size_t i = 0; i < rows.size(); ++i) {
        const std::span one = std::span(vectors).subspan(i * embedder.width, embedder.width);
        AJAR_TRY(index::normalize(one));
        AJAR_TRY(put.bind(rows[i]).bind_view(bytes_of(one)).run());
      }
      return {};
    }));
    after = rows.back(), done += rows.size();
    if (progress) progress(std::min(done, stats().chunks), stats().chunks);
  }
}

}  // namespace ajar::rag
