// A record of the semantic cache's log: it is refused, or what was read from it writes a record that reads and writes the same. Each
// input is tried as it is and as what follows the head of each kind, so that what lies behind the head is reached.
#include <cstdlib>

#include "gateway/semantic_record.h"

namespace {

using ajar::SemanticRecord;

std::string write(const SemanticRecord& record) {
  switch (record.kind) {
    case SemanticRecord::Kind::kEntry: return write_entry(record.bucket, record.entry);
    case SemanticRecord::Kind::kObservation: return write_observation(record.bucket, record.entry.answer, record.seen, record.entry.observed);
    case SemanticRecord::Kind::kForgotten: return write_forgotten(record.bucket, record.entry.answer);
  }
  std::abort();  // no reader gives another kind
}

void try_one(std::string_view bytes) {
  const auto read = ajar::read_semantic_record(bytes);
  if (!read) return;
  const std::string once = write(*read);
  const auto again = ajar::read_semantic_record(once);
  if (!again || write(*again) != once) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try_one(bytes);
  for (const char kind : {'S', 'O', 'F'}) try_one(std::string{kind, 1} + std::string(bytes));
  return 0;
}
