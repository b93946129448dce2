#include "rag/ingest.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace ajar::rag {
namespace {

namespace fs = std::filesystem;

Result<std::vector<std::string>> files_of(const std::string& folder, bool hidden) {
  std::vector<std::string> out;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, error), end;
  if (error) return fail(Code::kNotFound, "cannot read the folder " + folder + ": " + error.message());
  while (it != end) {
    const std::string name = it->path().filename().string();
    if (!hidden && name.starts_with('.')) {
      it.disable_recursion_pending();
    } else if (it->is_regular_file(error) && !it->is_symlink(error)) {
      out.push_back(fs::relative(it->path(), folder, error).string());
    }
    it.increment(error);
    if (error) return fail(Code::kUnavailable, "cannot read the folder " + folder + ": " + error.message());
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

Result<SyncReport> sync_folder(Collection& collection, const std::string& folder, const SyncOptions& options,
                               const std::function<bool(const SyncProgress&)>& progress) {
  AJAR_ASSIGN(const std::vector<std::string> files, files_of(folder, options.hidden));
  SyncReport report;
  size_t done = 0;
  std::vector<DocumentInput> batch;
  size_t bytes = 0;
  const auto flush = [&]() -> Status {
    if (batch.empty()) return {};
    std::vector<std::string> ids;
    for (const DocumentInput& one : batch) ids.push_back(one.id);
    AJAR_ASSIGN(const std::vector<AddResult> results, collection.add_all(std::move(batch)));
    batch.clear(), bytes = 0;
    for (size_t i = 0; i < results.size(); ++i) {
      (results[i].outcome == Outcome::kAdded       ? report.added
       : results[i].outcome == Outcome::kReplaced  ? report.replaced
       : results[i].outcome == Outcome::kUnchanged ? report.unchanged
                                                   : report.failed) += 1;
      if (progress && !progress({++done, files.size(), ids[i], results[i]})) return fail(Code::kCancelled, "stopped");
    }
    return {};
  };
  for (const std::string& file : files) {
    std::ifstream in(folder + "/" + file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in && text.str().empty()) text.clear();  // unreadable: fails as an empty file does, with its name in the list
    batch.push_back({options.prefix + file, file, std::move(text).str(), options.metadata, options.allow, {}});
    bytes += batch.back().bytes.size();
    if (bytes >= options.batch_bytes || batch.size() >= options.batch_files) AJAR_TRY(flush());
  }
  AJAR_TRY(flush());
  // What is no longer there.
  std::vector<std::string> gone;
  for (std::string after = options.prefix;;) {
    AJAR_ASSIGN(const auto some, collection.list(after, 1000, Reader{.everything = true}));
    bool outside = some.empty();
    for (const DocumentInfo& info : some) {
      after = info.id;
      if (!info.id.starts_with(options.prefix)) {
        outside = true;
        break;
      }
      if (!std::binary_search(files.begin(), files.end(), info.id.substr(options.prefix.size()))) gone.push_back(info.id);
    }
    if (outside) break;
  }
  AJAR_ASSIGN(report.removed, collection.remove(gone));
  return report;
}

}  // namespace ajar::rag
