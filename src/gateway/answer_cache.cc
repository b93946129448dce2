#include "gateway/answer_cache.h"

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"
#include "base/varint.h"

namespace ajar {
namespace {

constexpr int64_t kEntryOverhead = 200;  // nodes, counts and buckets of one entry
constexpr char kAnswer = 'A', kGone = 'G', kAllGone = 'E';  // what a record of the log is

std::string pack(const CachedAnswer& a) {
  std::string out;
  out.reserve(a.events.size() + a.route.size() + a.target.size() + a.model.size() + 48);
  put_varint(out, uint64_t(a.created_ms)), put_varint(out, uint64_t(a.expires_ms)), put_varint(out, uint64_t(a.cost)), put_varint(out, uint64_t(a.simulator));
  put_text(out, a.route), put_text(out, a.target), put_text(out, a.model), put_varint(out, a.tags.size());
  for (const auto& tag : a.tags) put_text(out, tag);
  put_text(out, a.events);
  return out;
}

// Without the events where only its facts are wanted. False: damaged.
bool unpack(std::string_view packed, CachedAnswer& a, bool events) {
  VarintReader in(packed);
  a.created_ms = int64_t(in.number()), a.expires_ms = int64_t(in.number()), a.cost = int64_t(in.number());
  a.simulator = in.number() != 0;
  a.route = in.text(), a.target = in.text(), a.model = in.text();
  const uint64_t tags = in.number();
  for (uint64_t i = 0; i < tags && in.good(); ++i) a.tags.emplace_back(in.text());
  if (events) a.events = in.text();
  return in.good();
}

std::string record_of(char kind, const RequestKey& key, std::string_view packed = {}) {
  std::string out(1, kind);
  out.append(reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size());
  out += packed;
  return out;
}

bool matches(const CachedAnswer& a, const AnswerCache::Purge& what) {
  if (!what.route.empty() && a.route != what.route) return false;
  if (!what.tag.empty() && std::ranges::find(a.tags, what.tag) == a.tags.end()) return false;
  return what.tag_prefix.empty() ||
         std::ranges::any_of(a.tags, [&](const std::string& tag) { return tag.starts_with(what.tag_prefix); });
}

}  // namespace

Result<std::unique_ptr<AnswerCache>> AnswerCache::open(int64_t max_bytes, const std::string& file) {
  std::unique_ptr<AnswerCache> cache(new AnswerCache(max_bytes));
  if (file.empty()) return cache;
  const int64_t now_ms = unix_millis();
  AJAR_ASSIGN(auto opened, store::RecordLog::open(file, [&](std::string_view record) { cache->read_record(record, now_ms); }));
  if (opened.cut_bytes > 0) {
    log_warn(file + ": the last " + std::to_string(opened.cut_bytes) + " bytes were no whole entry and were dropped; " +
             std::to_string(opened.records) + " records were read");
  }
  cache->log_ = std::move(opened.log);
  return cache;
}

AnswerCache::~AnswerCache() = default;

void AnswerCache::read_record(std::string_view record, int64_t now_ms) {
  RequestKey key;
  if (record.size() < 1 + key.bytes.size()) return;
  std::copy_n(record.data() + 1, key.bytes.size(), reinterpret_cast<char*>(key.bytes.data()));
  const std::string_view packed = record.substr(1 + key.bytes.size());
  if (record[0] == kAllGone) {
    for (Shard& s : shards_) s.recent.clear(), s.by_key.clear(), s.bytes = 0;
  } else if (record[0] == kGone) {
    Shard& s = shard(key);
    if (const auto found = s.by_key.find(key); found != s.by_key.end()) drop(s, found->second);
  } else if (record[0] == kAnswer) {
    CachedAnswer facts;
    if (!unpack(packed, facts, false) || facts.expires_ms <= now_ms) return;
    insert(key, facts.expires_ms, std::make_shared<const std::string>(packed));
  }
}

void AnswerCache::drop(Shard& s, std::list<Entry>::iterator entry) {
  s.bytes -= int64_t(entry->packed->size()) + kEntryOverhead;
  s.by_key.erase(entry->key);
  s.recent.erase(entry);
}

void AnswerCache::insert(const RequestKey& key, int64_t expires_ms, Packed packed) {
  const int64_t share = max_bytes_ / int64_t(shards_.size());
  const int64_t size = int64_t(packed->size()) + kEntryOverhead;
  if (size > share / 16) return;
  Shard& s = shard(key);
  std::lock_guard guard(s.lock);
  if (const auto found = s.by_key.find(key); found != s.by_key.end()) drop(s, found->second);
  s.recent.push_front({.key = key, .expires_ms = expires_ms, .packed = std::move(packed)});
  s.by_key[key] = s.recent.begin();
  s.bytes += size;
  while (s.bytes > share) drop(s, std::prev(s.recent.end())), ++s.evicted;
}

std::shared_ptr<const CachedAnswer> AnswerCache::find(const RequestKey& key, int64_t now_ms) {
  Packed packed;
  {
    Shard& s = shard(key);
    std::lock_guard guard(s.lock);
    const auto found = s.by_key.find(key);
    if (found == s.by_key.end()) return nullptr;
    if (found->second->expires_ms <= now_ms) return drop(s, found->second), nullptr;
    s.recent.splice(s.recent.begin(), s.recent, found->second);
    packed = found->second->packed;
  }
  auto answer = std::make_shared<CachedAnswer>();
  answer->key = key;
  if (!unpack(*packed, *answer, true)) return nullptr;
  return answer;
}

bool AnswerCache::holds(const RequestKey& key, int64_t now_ms) {
  Shard& s = shard(key);
  std::lock_guard guard(s.lock);
  const auto found = s.by_key.find(key);
  return found != s.by_key.end() && found->second->expires_ms > now_ms;
}

void AnswerCache::put(CachedAnswer answer) {
  auto packed = std::make_shared<const std::string>(pack(answer));
  if (log_) log_->append(record_of(kAnswer, answer.key, *packed));
  insert(answer.key, answer.expires_ms, std::move(packed));
}

int64_t AnswerCache::purge(const Purge& what) {
  int64_t purged = 0;
  const auto forget = [&](Shard& s, std::list<Entry>::iterator entry) {
    if (log_) log_->append(record_of(kGone, entry->key));
    drop(s, entry);
    ++purged;
  };
  if (!what.id.empty()) {
    const auto key = RequestKey::from_hex(what.id);
    if (!key) return 0;
    Shard& s = shard(*key);
    std::lock_guard guard(s.lock);
    const auto found = s.by_key.find(*key);
    CachedAnswer facts;
    if (found != s.by_key.end() && unpack(*found->second->packed, facts, false) && matches(facts, what)) forget(s, found->second);
    return purged;
  }
  const bool all = what.tag.empty() && what.tag_prefix.empty() && what.route.empty();
  if (all && log_) log_->append(record_of(kAllGone, {}));
  for (Shard& s : shards_) {
    std::lock_guard guard(s.lock);
    if (all) {
      purged += int64_t(s.recent.size());
      s.recent.clear(), s.by_key.clear(), s.bytes = 0;
      continue;
    }
    for (auto entry = s.recent.begin(); entry != s.recent.end();) {
      const auto next = std::next(entry);
      CachedAnswer facts;
      if (unpack(*entry->packed, facts, false) && matches(facts, what)) forget(s, entry);
      entry = next;
    }
  }
  return purged;
}

void AnswerCache::set_max_bytes(int64_t max_bytes) {
  max_bytes_ = max_bytes;
  const int64_t share = max_bytes / int64_t(shards_.size());
  for (Shard& s : shards_) {
    std::lock_guard guard(s.lock);
    while (s.bytes > share && !s.recent.empty()) drop(s, std::prev(s.recent.end())), ++s.evicted;
  }
}

void AnswerCache::tidy(int64_t now_ms) {
  int64_t live = 0;
  for (Shard& s : shards_) {
    std::lock_guard guard(s.lock);
    for (auto entry = s.recent.begin(); entry != s.recent.end();) {
      const auto next = std::next(entry);
      if (entry->expires_ms <= now_ms) drop(s, entry);
      entry = next;
    }
    live += s.bytes;
  }
  if (!log_ || log_->file_bytes() < std::max<int64_t>(2 * live, 16 << 20)) return;
  const Status rewritten = log_->rewrite([&](const auto& write) {
    for (Shard& s : shards_) {
      std::vector<Entry> entries;
      {
        std::lock_guard guard(s.lock);
        entries.assign(s.recent.rbegin(), s.recent.rend());  // the oldest first, as they are read
      }
      for (const Entry& entry : entries) write(record_of(kAnswer, entry.key, *entry.packed));
    }
  });
  if (!rewritten) log_warn("the cache's log could not be written anew: " + rewritten.error().message);
}

void AnswerCache::flush() {
  if (log_) log_->flush();
}

AnswerCache::Stats AnswerCache::stats() const {
  Stats stats;
  for (const Shard& s : shards_) {
    std::lock_guard guard(s.lock);
    stats.entries += int64_t(s.recent.size()), stats.bytes += s.bytes, stats.evicted += s.evicted;
  }
  if (log_) stats.log_bytes = log_->file_bytes(), stats.log_dropped = log_->dropped();
  return stats;
}

}  // namespace ajar
