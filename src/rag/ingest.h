#pragma once
// A folder and a collection kept the same: new and changed files are added, files that went are removed. Told by content, not by
// time; what was done stays done when it is interrupted.

#include <functional>
#include <string>

#include "rag/collection.h"

namespace ajar::rag {

struct SyncOptions {
  std::string prefix;                                // before each path to make an id; what else has it is removed
  std::optional<std::vector<std::string>> allow;
  Metadata metadata;
  size_t batch_bytes = 4 << 20;                      // files of one transaction
  size_t batch_files = 64;
  bool hidden = false;                               // files and folders whose name begins with a dot too
};

struct SyncProgress {
  size_t done = 0, all = 0;                          // files
  std::string id;                                    // the last one
  AddResult result;
};

struct SyncReport {
  size_t added = 0, replaced = 0, unchanged = 0, failed = 0, removed = 0;
};

// Links are not followed. False from `progress` ends it after the batch: kCancelled.
Result<SyncReport> sync_folder(Collection& collection, const std::string& folder, const SyncOptions& options,
                               const std::function<bool(const SyncProgress&)>& progress = {});

}  // namespace ajar::rag
