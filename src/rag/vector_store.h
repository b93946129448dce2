#pragma once
// Where the vectors of a collection are searched when that is not the collection itself: the contract of other stores. SQLite in
// the collection's folder stays the log of truth; a store holds for every row its vector and what the row is found by, and can be
// filled anew from the log at any time. A row is a number that its collection gives once.
//
// Any thread, several at once. Every call blocks and every wait in it has a deadline. Errors name the store, its address and
// what it answered: kUnavailable, kTimeout, kCut (nothing was answered, or that it cannot now), kRateLimit, kNotFound (the
// store's collection is gone), kConflict (it is there with another width), kUpstream (refused, or nonsense).

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "index/scored.h"

namespace ajar::rag {

// What a row is found by beside its vector (predicate.h makes it). Tags are of printable ASCII without spaces, or of UTF-8 above it.
struct RowFields {
  std::string document;                    // for people who look into the store
  std::vector<std::string> tags;           // who may find it, and what its metadata are equal to
  std::map<std::string, double> numbers;   // metadata that are numbers, by names of letters, digits and _
  bool operator==(const RowFields&) const = default;
};

struct VectorRow {
  uint32_t row = 0;
  std::span<const float> vector;           // of length 1
  std::shared_ptr<const RowFields> fields;
};

// A condition on rows, for the store's own query. kEverything and kNothing stand alone: simplify() sees to that.
struct Predicate {
  enum class Kind : uint8_t { kEverything, kNothing, kAny, kNone, kGt, kGe, kLt, kLe, kAnd, kOr };
  Kind kind = Kind::kEverything;
  std::vector<std::string> tags;           // kAny: has one of these; kNone: has none of them
  std::string number;                      // kGt to kLe; a row without this number is not kept
  double bound = 0;
  std::vector<Predicate> parts;            // of kAnd and kOr: two or more
};

// What a store takes at most of one row's fields; more is refused when a document is added.
inline constexpr size_t kMaxTags = 1000, kMaxTagBytes = 256, kMaxFieldBytes = 32 << 10;
inline constexpr size_t kMaxStoreLimit = 10'000;  // rows of one search

class VectorStore {
 public:
  virtual ~VectorStore() = default;
  virtual std::string where() const = 0;   // "qdrant at http://…, collection ajar_x": for messages
  // It answers and takes our key.
  virtual Status health() = 0;
  // Makes the store's collection for vectors of this width, compared by cosine, with its indexes. True: it was not there.
  // kConflict: it is there with another width or distance.
  virtual Result<bool> create(uint32_t width) = 0;
  // Puts rows, or replaces them; seen by the next search when it returns (Pinecone: some time later). After an error some
  // may be in: putting is the same a second time.
  virtual Status upsert(std::span<const VectorRow> rows) = 0;
  virtual Status erase(std::span<const uint32_t> rows) = 0;  // those that are there
  // The rows nearest to `query` of those that `predicate` keeps, best first, with their cosines: as many as there are, up to `limit`
  // (1 to kMaxStoreLimit). The predicate holds inside the store: what it forbids takes nobody's place.
  virtual Result<std::vector<index::Scored>> search(std::span<const float> query, const Predicate& predicate, size_t limit) = 0;
  virtual Result<uint64_t> count() = 0;
  // Which of the rows first..first+count-1 are there, ascending. At most 1,000 at once.
  virtual Result<std::vector<uint32_t>> rows(uint32_t first, uint32_t count) = 0;
  virtual Status drop() = 0;               // the store's collection; nothing is done where there is none
};

}  // namespace ajar::rag
