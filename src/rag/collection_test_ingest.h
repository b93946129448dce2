#pragma once
// For the crash test: what the process that is killed does.

#include <string>

#include "rag/fake_embedder.h"
#include "rag/rag_test_helper.h"

namespace ajar::rag {

inline std::string ingest_text(const std::string& id, int version) {
  return "Document unique" + id + " in version " + std::to_string(version) + ". It has a second sentence.";
}

inline CollectionOptions ingest_options() {
  CollectionOptions options;
  options.convert = test_helper();
  options.embedder = fake_embedder(16);
  options.checkpoint_rows = 40;
  options.table_changes = 50;
  return options;
}

// Adds, replaces and removes for ever; writes "begin id version" before and "done id version" after each to `fd`.
int ingest_until_killed(int fd, int start, const std::string& folder);

}  // namespace ajar::rag
