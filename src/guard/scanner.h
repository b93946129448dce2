#pragma once
// Finds personal data and secrets in a text in one pass. Immutable after construction: any number of threads may scan
// at once.
//
// Structured entities are found by shape, checksum and the words on both sides; PERSON and LOCATION by lists, capitals
// and titles, which finds most and not all (README.md has the measured shares). Text in tokens of base64, hex or
// percent-encoding is decoded once and scanned too.

#include <string_view>

#include "guard/finding.h"

namespace ajar::guard {

struct ScannerOptions {
  EntitySet entities = EntitySet::all();
  float minimum_score = 0.5f;
};

class Scanner {
 public:
  explicit Scanner(ScannerOptions options = {});

  // Findings do not overlap and are sorted by begin. Work is linear in the text; no text is too long or too odd.
  Findings scan(std::string_view text) const;
  // The same into a vector that the caller keeps, which saves its allocation.
  void scan(std::string_view text, Findings& out) const;
  const ScannerOptions& options() const { return options_; }

  // What decides a finding stands within this many bytes before and behind it.
  static constexpr size_t kReach = 160;

 private:
  ScannerOptions options_;
};

}  // namespace ajar::guard
