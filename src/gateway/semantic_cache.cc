#include "gateway/semantic_cache.h"

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "gateway/semantic_record.h"
#include "learn/semantic_gate.h"

namespace ajar {
namespace {

std::vector<int8_t> quantised(std::span<const float> vector) {
  std::vector<int8_t> out;
  out.reserve(vector.size());
  for (const float x : vector) out.push_back(int8_t(std::lround(std::clamp(x, -1.0f, 1.0f) * 127)));
  return out;
}

float cosine(std::span<const int8_t> a, std::span<const int8_t> b) {
  if (a.size() != b.size()) return -1;
  int32_t sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += int32_t(a[i]) * b[i];
  return float(sum) / (127.0f * 127.0f);
}

// About what an entry takes; 2 KiB of what it may learn are counted from its first day, so that the sum only changes with entries.
size_t bytes_of(const SemanticCache::Entry& entry) {
  constexpr size_t kNode = 200, kLearnt = 2048;
  return sizeof entry + kNode + kLearnt + entry.question.size() + entry.vector.size();
}

}  // namespace

std::optional<SemanticCache::Neighbour> SemanticCache::nearest(const RequestKey& key, std::span<const float> embedding, std::string_view question) {
  constexpr size_t kTried = 4;  // of the nearest, by the gate
  const std::vector<int8_t> wanted = quantised(embedding);
  std::vector<Neighbour> near;
  {
    Shard& s = shard(key);
    std::lock_guard guard(s.lock);
    const auto found = s.by_key.find(key);
    if (found == s.by_key.end()) return std::nullopt;
    s.recent.splice(s.recent.begin(), s.recent, found->second);
    for (const auto& entry : found->second->entries) {
      const float similarity = cosine(entry->vector, wanted);
      if (similarity >= kFloor) near.push_back({.entry = entry, .similarity = std::min(similarity, 1.0f)});
    }
  }
  const size_t tried = std::min(kTried, near.size());
  std::ranges::partial_sort(near, near.begin() + std::ptrdiff_t(tried), [](const Neighbour& a, const Neighbour& b) { return a.similarity > b.similarity; });
  for (size_t i = 0; i < tried; ++i) {
    if (learn::compare_prompts(question, near[i].entry->question).same()) return near[i];
  }
  return std::nullopt;
}

bool SemanticCache::serves(const RequestKey& key, const Neighbour& neighbour, double u, double delta) {
  std::lock_guard guard(shard(key).lock);
  return neighbour.entry->learnt.serves(neighbour.similarity, u, {.delta = delta});
}

void SemanticCache::observe(const RequestKey& key, const Neighbour& neighbour, bool same, double delta) {
  std::lock_guard guard(shard(key).lock);
  neighbour.entry->learnt.observe(neighbour.similarity, same, {.delta = delta});
  const uint64_t number = ++neighbour.entry->observed;
  note(write_observation(key, neighbour.entry->answer, {.similarity = neighbour.similarity, .same = same}, number));
}

void SemanticCache::add(const RequestKey& key, std::span<const float> embedding, std::string question, std::string_view said, const RequestKey& answer) {
  auto entry = std::make_shared<Entry>(Entry{.answer = answer, .said = text_key(said), .question = std::move(question), .vector = quantised(embedding)});
  Shard& s = shard(key);
  std::lock_guard guard(s.lock);
  note(write_entry(key, *entry));
  insert(s, key, std::move(entry));
}

void SemanticCache::insert(Shard& s, const RequestKey& key, std::shared_ptr<Entry> entry) {
  const auto found = s.by_key.find(key);
  if (found == s.by_key.end()) {
    if (s.recent.size() >= kMostBuckets) drop_bucket(s, std::prev(s.recent.end()));
    s.recent.push_front({.key = key});
    s.by_key[key] = s.recent.begin();
  } else {
    s.recent.splice(s.recent.begin(), s.recent, found->second);
  }
  auto& entries = s.recent.front().entries;
  const auto same = std::ranges::find(entries, entry->answer, [](const auto& known) { return known->answer; });
  if (same != entries.end()) drop(s, entries, same);
  else if (entries.size() >= kMostInBucket) drop(s, entries, entries.begin());
  s.bytes += bytes_of(*entry);
  entries.push_back(std::move(entry));
  while (s.bytes > kMostBytes && s.recent.size() > 1) drop_bucket(s, std::prev(s.recent.end()));
  while (s.bytes > kMostBytes && entries.size() > 1) drop(s, entries, entries.begin());
}

void SemanticCache::drop(Shard& s, Entries& entries, Entries::iterator entry) {
  s.bytes -= bytes_of(**entry);
  entries.erase(entry);
}

void SemanticCache::drop_bucket(Shard& s, std::list<Bucket>::iterator bucket) {
  for (const auto& entry : bucket->entries) s.bytes -= bytes_of(*entry);
  s.by_key.erase(bucket->key);
  s.recent.erase(bucket);
}

void SemanticCache::forget(const RequestKey& key, const Entry& entry) {
  Shard& s = shard(key);
  std::lock_guard guard(s.lock);
  const auto found = s.by_key.find(key);
  if (found == s.by_key.end()) return;
  auto& entries = found->second->entries;
  const auto there = std::ranges::find_if(entries, [&](const auto& known) { return known.get() == &entry; });
  if (there == entries.end()) return;
  note(write_forgotten(key, entry.answer));
  drop(s, entries, there);
}

Status SemanticCache::keep_in(const std::string& file, const Lives& lives) {
  int64_t unread = 0;
  AJAR_ASSIGN(auto opened, store::RecordLog::open(file, [&](std::string_view record) { unread += !read_record(record, lives); }));
  if (opened.cut_bytes > 0) {
    log_warn(file + ": the last " + std::to_string(opened.cut_bytes) + " bytes were no whole record and were dropped; " + std::to_string(opened.records) + " records were read");
  }
  if (unread > 0) log_warn(file + ": " + std::to_string(unread) + " records could not be read, or are of another version, and were passed over");
  log_ = std::move(opened.log);
  return {};
}

bool SemanticCache::read_record(std::string_view bytes, const Lives& lives) {
  auto record = read_semantic_record(bytes);
  if (!record) return false;
  Shard& s = shard(record->bucket);
  std::lock_guard guard(s.lock);
  if (record->kind == SemanticRecord::Kind::kEntry) {
    if (lives(record->entry.answer)) insert(s, record->bucket, std::make_shared<Entry>(std::move(record->entry)));
    return true;
  }
  const auto found = s.by_key.find(record->bucket);
  if (found == s.by_key.end()) return true;  // of an entry that is not kept any more
  auto& entries = found->second->entries;
  const auto entry = std::ranges::find(entries, record->entry.answer, [](const auto& known) { return known->answer; });
  if (entry == entries.end()) return true;
  if (record->kind == SemanticRecord::Kind::kForgotten) {
    drop(s, entries, entry);
  } else if (record->entry.observed > (*entry)->observed) {
    (*entry)->learnt.observe(record->seen.similarity, record->seen.same, {});
    (*entry)->observed = record->entry.observed;
  }
  return true;
}

void SemanticCache::tidy(const Lives& lives) {
  int64_t live = 0;
  for (Shard& s : shards_) {
    std::lock_guard guard(s.lock);
    for (auto bucket = s.recent.begin(); bucket != s.recent.end();) {
      const auto next = std::next(bucket);
      auto& entries = bucket->entries;
      for (size_t i = entries.size(); i-- > 0;) {
        if (lives(entries[i]->answer)) continue;
        note(write_forgotten(bucket->key, entries[i]->answer));
        drop(s, entries, entries.begin() + std::ptrdiff_t(i));
      }
      if (entries.empty()) drop_bucket(s, bucket);
      bucket = next;
    }
    live += int64_t(s.bytes);
  }
  if (!log_ || log_->file_bytes() < std::max<int64_t>(2 * live, 4 << 20)) return;
  const Status rewritten = log_->rewrite([&](const auto& write) {
    for (Shard& s : shards_) {
      std::vector<std::string> records;
      {
        std::lock_guard guard(s.lock);
        for (auto bucket = s.recent.rbegin(); bucket != s.recent.rend(); ++bucket)  // the latest used last, as they are read
          for (const auto& entry : bucket->entries) records.push_back(write_entry(bucket->key, *entry));
      }
      for (const std::string& record : records) write(record);
    }
  });
  if (!rewritten) log_warn("the log of questions that are alike could not be written anew: " + rewritten.error().message);
}

void SemanticCache::flush() {
  if (log_) log_->flush();
}

size_t SemanticCache::size() const {
  size_t count = 0;
  for (const Shard& s : shards_) {
    std::lock_guard guard(s.lock);
    for (const Bucket& bucket : s.recent) count += bucket.entries.size();
  }
  return count;
}

}  // namespace ajar
