#pragma once
// What the semantic cache writes down, one record of a store::RecordLog each.
//
// A record: its kind (a byte), the version of its form (a byte, 1), the bucket's key and the answer's (16 bytes each), then
//   'S' an entry: text_key of what was said (16 bytes), question, vector and observations as texts, how many there were in all
//   'O' an observation of the entry, 5 bytes: its similarity (float, little-endian), and 1 where the model said the same, else 0; and how many
//       there were in all with it: one that the entry has already is passed over
//   'F' the entry is forgotten
// Numbers and texts are of base/varint.h. The newest of two entries with the same keys holds.

#include <optional>
#include <string>
#include <string_view>

#include "gateway/semantic_cache.h"

namespace ajar {

struct SemanticRecord {
  enum class Kind : char { kEntry = 'S', kObservation = 'O', kForgotten = 'F' };
  Kind kind = Kind::kEntry;
  RequestKey bucket;
  SemanticCache::Entry entry;                 // of the others its `answer`
  learn::VCacheEntry::Observation seen = {};  // of kObservation, which is number entry.observed
};

std::string write_entry(const RequestKey& bucket, const SemanticCache::Entry& entry);
std::string write_observation(const RequestKey& bucket, const RequestKey& answer, learn::VCacheEntry::Observation seen, uint64_t number);
std::string write_forgotten(const RequestKey& bucket, const RequestKey& answer);

// Nothing: damaged, or of a version that this program does not know.
std::optional<SemanticRecord> read_semantic_record(std::string_view record);

}  // namespace ajar
