#include "gateway/semantic_record.h"

#include <bit>
#include <cmath>

#include "base/varint.h"

namespace ajar {
namespace {

constexpr char kVersion = 1;
constexpr size_t kKey = sizeof(RequestKey::bytes), kHead = 2 + 2 * kKey, kSeen = 5;  // bytes

void put_key(std::string& out, const RequestKey& key) { out.append(reinterpret_cast<const char*>(key.bytes.data()), kKey); }

RequestKey take_key(std::string_view& rest) {
  RequestKey key;
  std::memcpy(key.bytes.data(), rest.data(), kKey);
  rest.remove_prefix(kKey);
  return key;
}

std::string head(SemanticRecord::Kind kind, const RequestKey& bucket, const RequestKey& answer) {
  std::string out{char(kind), kVersion};
  put_key(out, bucket), put_key(out, answer);
  return out;
}

void put_seen(std::string& out, const learn::VCacheEntry::Observation& seen) {
  const uint32_t bits = std::bit_cast<uint32_t>(seen.similarity);
  for (int shift = 0; shift < 32; shift += 8) out.push_back(char(bits >> shift));
  out.push_back(char(seen.same));
}

std::optional<learn::VCacheEntry::Observation> read_seen(std::string_view bytes) {
  uint32_t bits = 0;
  for (int i = 0; i < 4; ++i) bits |= uint32_t(uint8_t(bytes[size_t(i)])) << (8 * i);
  const float similarity = std::bit_cast<float>(bits);
  if (!(similarity >= 0 && similarity <= 1) || uint8_t(bytes[4]) > 1) return std::nullopt;
  return learn::VCacheEntry::Observation{.similarity = similarity, .same = bytes[4] == 1};
}

bool read_entry(std::string_view rest, SemanticCache::Entry& entry) {
  if (rest.size() < kKey) return false;
  entry.said = take_key(rest);
  VarintReader in(rest);
  entry.question = in.text();
  const std::string_view vector = in.text(), seen = in.text();
  entry.observed = in.number();
  if (!in.good() || !in.empty() || seen.size() % kSeen != 0 || seen.size() / kSeen > learn::VCacheOptions().most) return false;
  entry.vector.assign(vector.begin(), vector.end());
  for (size_t at = 0; at < seen.size(); at += kSeen) {
    const auto one = read_seen(seen.substr(at, kSeen));
    if (!one) return false;
    entry.learnt.observe(one->similarity, one->same, {});
  }
  return true;
}

}  // namespace

std::string write_entry(const RequestKey& bucket, const SemanticCache::Entry& entry) {
  std::string out = head(SemanticRecord::Kind::kEntry, bucket, entry.answer), seen;
  put_key(out, entry.said);
  put_text(out, entry.question);
  put_text(out, {reinterpret_cast<const char*>(entry.vector.data()), entry.vector.size()});
  for (const auto& one : entry.learnt.seen()) put_seen(seen, one);
  put_text(out, seen);
  put_varint(out, entry.observed);
  return out;
}

std::string write_observation(const RequestKey& bucket, const RequestKey& answer, learn::VCacheEntry::Observation seen, uint64_t number) {
  std::string out = head(SemanticRecord::Kind::kObservation, bucket, answer);
  put_seen(out, seen);
  put_varint(out, number);
  return out;
}

std::string write_forgotten(const RequestKey& bucket, const RequestKey& answer) { return head(SemanticRecord::Kind::kForgotten, bucket, answer); }

std::optional<SemanticRecord> read_semantic_record(std::string_view record) {
  if (record.size() < kHead || record[1] != kVersion) return std::nullopt;
  SemanticRecord out{.kind = SemanticRecord::Kind(record[0])};
  std::string_view rest = record.substr(2);
  out.bucket = take_key(rest), out.entry.answer = take_key(rest);
  switch (out.kind) {
    case SemanticRecord::Kind::kEntry:
      if (!read_entry(rest, out.entry)) return std::nullopt;
      return out;
    case SemanticRecord::Kind::kObservation: {
      if (rest.size() <= kSeen) return std::nullopt;
      const auto seen = read_seen(rest);
      if (!seen) return std::nullopt;
      VarintReader in(rest.substr(kSeen));
      out.seen = *seen, out.entry.observed = in.number();
      if (!in.good() || !in.empty()) return std::nullopt;
      return out;
    }
    case SemanticRecord::Kind::kForgotten:
      if (!rest.empty()) return std::nullopt;
      return out;
  }
  return std::nullopt;
}

}  // namespace ajar
