#include "gateway/semantic_cache.h"

#include <algorithm>
#include <cmath>

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
}

void SemanticCache::add(const RequestKey& key, std::span<const float> embedding, std::string question, std::string said, const RequestKey& answer) {
  auto entry = std::make_shared<Entry>(Entry{.answer = answer, .question = std::move(question), .said = std::move(said), .vector = quantised(embedding)});
  Shard& s = shard(key);
  std::lock_guard guard(s.lock);
  const auto found = s.by_key.find(key);
  if (found == s.by_key.end()) {
    if (s.recent.size() >= kMostBuckets) s.by_key.erase(s.recent.back().key), s.recent.pop_back();
    s.recent.push_front({.key = key});
    s.by_key[key] = s.recent.begin();
  } else {
    s.recent.splice(s.recent.begin(), s.recent, found->second);
  }
  auto& entries = s.recent.front().entries;
  if (entries.size() >= kMostInBucket) entries.erase(entries.begin());
  entries.push_back(std::move(entry));
}

void SemanticCache::forget(const RequestKey& key, const Entry& entry) {
  Shard& s = shard(key);
  std::lock_guard guard(s.lock);
  const auto found = s.by_key.find(key);
  if (found != s.by_key.end()) std::erase_if(found->second->entries, [&](const auto& known) { return known.get() == &entry; });
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
