// Vectors that are searched in another store. What the store is to be told stands in the table `outbox`, written in the transaction
// that changes the documents; a row leaves it when the store has acknowledged just this change. Whatever the store says of
// rows is looked at again: only rows that the reader may see are handed out, with cosines of our own floats.

#include "rag/collection_outside.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "rag/predicate.h"

namespace ajar::rag {
namespace {

constexpr int64_t kBatch = 512;           // rows of one turn of sending
constexpr uint32_t kWindow = 1000;        // rows that are compared at once
constexpr Millis kFirstPause{1000}, kLongestPause{60'000};

}  // namespace

// With the writer's lock; the state's too, or while nobody else knows the collection.
Status Collection::open_outside() {
  AJAR_ASSIGN(const auto name, meta("store"));
  AJAR_ASSIGN(auto base, meta("store_collection"));
  if (!base) {
    base = sha256_hex(new_id("")).substr(0, 20);
    AJAR_TRY(set_meta("store_collection", *base));
  }
  AJAR_ASSIGN(store::Statement count, writer_->prepare("SELECT count(*) FROM outbox"));
  AJAR_TRY(count.step());
  if (!outside_) outside_ = std::make_unique<Outside>(name.value_or(""), *base);
  Outside& out = *outside_;
  auto opened = options_.open_store ? options_.open_store(out.name, out.collection(generation_)) : fail(Code::kNotFound, "the vector store '" + out.name + "' is not at hand here");
  std::lock_guard hold(out.lock);
  out.waiting = static_cast<size_t>(count.integer(0));
  out.made = false;
  out.store = opened ? std::shared_ptr<VectorStore>(std::move(*opened)) : nullptr;
  out.trouble = opened ? "" : opened.error().message;
  out.again = {};
  if (!out.thread.joinable()) {
    out.thread = std::thread([this, &out] {
      std::unique_lock hold(out.lock);
      while (!out.stop) {
        if (out.waiting == 0 || !out.store) out.changed.wait(hold);
        else if (now() < out.again) out.changed.wait_until(hold, out.again);
        if (out.stop || out.waiting == 0 || !out.store || now() < out.again) continue;
        hold.unlock();
        settle();
        hold.lock();
      }
    });
  }
  out.changed.notify_all();
  return {};
}

Status Collection::journal(int64_t first, int64_t rows, bool send) {
  if (!outside_ || rows == 0) return {};
  AJAR_ASSIGN(store::Statement put, writer_->prepare("INSERT OR REPLACE INTO outbox (row, send) VALUES (?, ?)"));
  for (int64_t row = first; row < first + rows; ++row) AJAR_TRY(put.bind(row).bind(int64_t{send ? 1 : 0}).run());
  std::lock_guard hold(outside_->lock);
  outside_->waiting += static_cast<size_t>(rows);  // too many where a row stood there already, or the transaction fails: counted again when it is sent
  return {};
}

Status Collection::journal_all() {
  AJAR_TRY(writer_->exec(("INSERT OR REPLACE INTO outbox (row, send) SELECT row, 1 FROM " + vectors_table(generation_)).c_str()));
  AJAR_ASSIGN(store::Statement count, writer_->prepare("SELECT count(*) FROM outbox"));
  AJAR_TRY(count.step());
  std::lock_guard hold(outside_->lock);
  outside_->waiting = static_cast<size_t>(count.integer(0));
  return {};
}

// The store's collection of this generation is dropped when the next is sent for the first time.
Status Collection::leave_generation() {
  AJAR_ASSIGN(const auto left, meta("store_left"));
  AJAR_TRY(set_meta("store_left", (left && !left->empty() ? *left + " " : "") + outside_->collection(generation_)));
  return writer_->exec("DELETE FROM outbox");
}

Status Collection::send_journal() {
  Outside& out = *outside_;
  std::lock_guard sending(out.sending);
  struct Entry {
    int64_t seq;
    uint32_t row;
  };
  while (true) {
    std::shared_ptr<VectorStore> store;
    std::vector<Entry> entries;
    std::vector<uint32_t> gone;
    std::vector<VectorRow> rows;
    std::vector<float> numbers;
    std::string left;
    uint32_t width = 0;
    {
      // Documents are changed with this lock held to the end, so what is read here is one state of all.
      std::lock_guard writer(writer_lock_);
      {
        std::lock_guard hold(out.lock);
        if (out.stop) return {};
        if (!out.store) return fail(Code::kUnavailable, out.trouble);
        store = out.store;
      }
      width = embedded_width_;
      AJAR_ASSIGN(const auto names, meta("store_left"));
      left = names.value_or("");
      AJAR_ASSIGN(store::Statement some, writer_->prepare("SELECT o.seq, o.row, o.send, v.vector FROM outbox o LEFT JOIN " + vectors_table(generation_) + " v ON v.row = o.row ORDER BY o.seq LIMIT ?"));
      some.bind(kBatch);
      std::map<std::string, std::shared_ptr<const RowFields>> fields;
      AJAR_ASSIGN(store::Statement described, writer_->prepare("SELECT metadata FROM documents WHERE id = ?"));
      while (true) {
        AJAR_ASSIGN(const bool more, some.step());
        if (!more) break;
        const auto row = static_cast<uint32_t>(some.integer(1));
        entries.push_back({some.integer(0), row});
        const auto document = some.integer(2) == 0 ? std::nullopt : visible_.of_row(row);
        const std::string vector = document ? some.text(3) : "";
        if (vector.size() != size_t{width} * sizeof(float)) {
          gone.push_back(row);
          continue;
        }
        auto& known = fields[document->id];
        if (!known) {
          described.reset();
          described.bind(document->id);
          AJAR_ASSIGN(const bool there, described.step());
          AJAR_ASSIGN(const Metadata metadata, read_metadata(there ? described.text(0) : "{}"));
          AJAR_ASSIGN(known, fields_of(document->id, document->allow, metadata));
        }
        numbers.resize(numbers.size() + width);
        std::memcpy(&numbers[numbers.size() - width], vector.data(), vector.size());
        rows.push_back({.row = row, .vector = {}, .fields = known});
      }
      if (entries.empty()) {
        std::lock_guard hold(out.lock);
        out.waiting = 0;
        if (left.empty()) return {};
      }
    }
    if (!left.empty()) {
      for (const auto name : split(left, ' ')) {
        AJAR_ASSIGN(const auto old, options_.open_store(out.name, std::string(name)));
        AJAR_TRY(old->drop());
      }
      std::lock_guard writer(writer_lock_);
      AJAR_TRY(set_meta("store_left", ""));
      if (entries.empty()) return {};
    }
    if (!out.made) {
      AJAR_ASSIGN(const bool anew, store->create(width));
      out.made = true;
      if (anew) {  // it may have had rows once
        std::lock_guard writer(writer_lock_);
        AJAR_TRY(transaction([&] { return journal_all(); }));
        continue;
      }
    }
    for (size_t i = 0; i < rows.size(); ++i) rows[i].vector = std::span(numbers).subspan(i * width, width);
    Status told = gone.empty() ? Status() : store->erase(gone);
    if (told && !rows.empty()) told = store->upsert(rows);
    if (!told) {
      out.made = false;  // somebody may have dropped it
      return told;
    }
    std::lock_guard writer(writer_lock_);
    AJAR_TRY(transaction([&]() -> Status {
      AJAR_ASSIGN(store::Statement done, writer_->prepare("DELETE FROM outbox WHERE seq = ?"));
      for (const Entry& entry : entries) AJAR_TRY(done.bind(entry.seq).run());
      return {};
    }));
    std::lock_guard hold(out.lock);
    out.waiting -= std::min(out.waiting, entries.size());
  }
}

void Collection::settle() {
  if (!outside_) return;
  Outside& out = *outside_;
  {
    std::lock_guard hold(out.lock);
    if (!out.store || now() < out.again) return;
  }
  const Status sent = send_journal();
  std::lock_guard hold(out.lock);
  if (sent) {
    if (!out.trouble.empty()) log_info("rag: the vector store '" + out.name + "' takes rows again");
    out.trouble.clear(), out.pause = Millis(0), out.again = {};
    return;
  }
  if (out.trouble.empty()) log_warn("rag: " + sent.error().message + "; " + std::to_string(out.waiting) + " rows wait until it takes them");
  out.trouble = sent.error().message;
  out.pause = std::clamp(out.pause * 2, kFirstPause, kLongestPause);
  out.again = now() + out.pause;
  out.changed.notify_all();
  if (options_.on_store) options_.on_store(out.name, "failed");
}

// An answer that is less than it should be says so; it is never an error, and never more than the reader may see.
std::vector<index::Scored> Collection::nearest_outside(const SearchRequest& request, const Predicate& predicate, const index::Bitmap& rows, size_t limit,
                                                       const index::FetchVectors& fetch) {
  Outside& out = *outside_;
  std::vector<index::Scored> found;
  const size_t wanted = std::min(limit, rows.count());
  if (wanted == 0) return found;
  const auto without = [&](const std::string& why) {
    if (request.degraded != nullptr) *request.degraded = why;
    if (options_.on_store) options_.on_store(out.name, "degraded");
  };
  std::shared_ptr<VectorStore> store;
  size_t waiting = 0;
  {
    std::lock_guard hold(out.lock);
    if (!out.store || now() < out.again) {
      without("by words alone: " + out.trouble);
      return found;
    }
    store = out.store, waiting = out.waiting;
  }
  // Rows that are gone here and not yet there take places: then more are asked for.
  for (size_t asked = std::min(limit + std::min<size_t>(waiting, 100), kMaxStoreLimit);; asked = std::min(asked * 4, kMaxStoreLimit)) {
    auto nearest = store->search(request.embedding, predicate, asked);
    if (!nearest) {
      std::lock_guard hold(out.lock);
      if (nearest.error().code == Code::kNotFound && waiting > 0) {
        without("by words alone: " + std::to_string(waiting) + " rows are not in the vector store '" + out.name + "' yet");
      } else {
        if (out.trouble.empty()) log_warn("rag: " + nearest.error().message + "; answers are by words alone until it works");
        out.trouble = nearest.error().message;
        out.pause = std::clamp(out.pause * 2, kFirstPause, kLongestPause);
        out.again = now() + out.pause;
        without("by words alone: " + out.trouble);
        if (options_.on_store) options_.on_store(out.name, "failed");
      }
      return {};
    }
    found.clear();
    std::set<uint32_t> seen;
    for (const index::Scored& one : *nearest)
      if (rows.test(one.row) && seen.insert(one.row).second) found.push_back(one);
    if (found.size() >= wanted || nearest->size() < asked || asked == kMaxStoreLimit) break;
  }
  if (waiting == 0) {
    std::lock_guard hold(out.lock);
    if (!out.trouble.empty()) log_info("rag: the vector store '" + out.name + "' answers again");
    out.trouble.clear(), out.pause = Millis(0);
  }
  std::vector<uint32_t> numbers_of;
  for (const index::Scored& one : found) numbers_of.push_back(one.row);
  std::vector<float> numbers(numbers_of.size() * request.embedding.size());
  std::vector<float> query = request.embedding;
  if (const Status read = fetch(numbers_of, numbers); !read || !index::normalize(query)) {
    without("by words alone: " + (read ? "the question has no direction" : read.error().message));
    return {};
  }
  for (size_t i = 0; i < found.size(); ++i) {
    float sum = 0;
    for (size_t d = 0; d < query.size(); ++d) sum += query[d] * numbers[i * query.size() + d];
    found[i].score = sum;
  }
  std::erase_if(found, [](const index::Scored& one) { return !std::isfinite(one.score); });  // removed meanwhile
  std::ranges::sort(found, index::better);
  if (waiting > 0) without("by meaning without some: " + std::to_string(waiting) + " rows are not in the vector store '" + out.name + "' yet");
  else if (found.size() < wanted) without("by meaning without some: the vector store '" + out.name + "' gave " + std::to_string(found.size()) + " rows of " + std::to_string(wanted) + "; `ajar rag repair` compares them");
  if (found.size() > limit) found.resize(limit);
  return found;
}

std::string Collection::store() const { return outside_ ? outside_->name : ""; }

size_t Collection::waiting() const {
  if (!outside_) return 0;
  std::lock_guard hold(outside_->lock);
  return outside_->waiting;
}

Result<Collection::Repair> Collection::repair(bool all, const std::function<void(size_t, size_t)>& progress) {
  if (!outside_) return fail(Code::kInvalid, "the vectors of this collection are in no other store");
  Outside& out = *outside_;
  Repair done;
  std::shared_ptr<VectorStore> store;
  uint32_t width = 0, end = 0;
  {
    std::lock_guard writer(writer_lock_);
    std::lock_guard hold(out.lock);
    if (!out.store) return fail(Code::kUnavailable, out.trouble);
    store = out.store, width = embedded_width_, end = next_row_;
  }
  bool anew = false;
  {
    std::lock_guard sending(out.sending);  // nobody sends into what is dropped
    if (all) AJAR_TRY(store->drop());
    AJAR_ASSIGN(anew, store->create(width));
    out.made = true;
    if (anew || all) {
      std::lock_guard writer(writer_lock_);
      AJAR_TRY(transaction([&] { return journal_all(); }));
    }
  }
  for (uint32_t first = 1; first < end; first += kWindow) {
    if (progress) progress(first, end);
    std::vector<uint32_t> there;
    if (!anew && !all) {
      AJAR_ASSIGN(there, store->rows(first, kWindow));
      std::erase_if(there, [&](uint32_t row) { return row < first || row - first >= kWindow; });  // what lies elsewhere is compared there
      std::ranges::sort(there);
    }
    std::lock_guard writer(writer_lock_);
    AJAR_TRY(transaction([&]() -> Status {
      std::vector<uint32_t> have, lacked, extra;
      AJAR_ASSIGN(store::Statement some, writer_->prepare("SELECT row FROM " + vectors_table(generation_) + " WHERE row >= ? AND row < ? ORDER BY row"));
      some.bind(int64_t{first}).bind(int64_t{first} + kWindow);
      while (true) {
        AJAR_ASSIGN(const bool more, some.step());
        if (!more) break;
        have.push_back(static_cast<uint32_t>(some.integer(0)));
      }
      std::ranges::set_difference(have, there, std::back_inserter(lacked));
      std::ranges::set_difference(there, have, std::back_inserter(extra));
      done.rows += have.size(), done.lacked += lacked.size(), done.extra += extra.size();
      if (anew || all) return {};  // all are in the journal
      for (const uint32_t row : lacked) AJAR_TRY(journal(row, 1, true));
      for (const uint32_t row : extra) AJAR_TRY(journal(row, 1, false));
      return {};
    }));
  }
  {
    std::lock_guard hold(out.lock);
    out.again = {};  // a person asked
  }
  AJAR_TRY(send_journal());
  settle();  // clears what was noted of its trouble
  return done;
}

}  // namespace ajar::rag
