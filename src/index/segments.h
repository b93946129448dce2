#pragma once
// A list of immutable segments with one writer and any number of readers: what BM25 and vectors have in common.
//
// Rows only grow: a segment holds rows behind those of the one before it. An add makes a small segment; eight of a size are
// merged into one, so a row is copied about log8(n) times. A removal clears a bit. Readers take a Snapshot, which nothing
// changes. The latest adds are in memory alone until checkpoint(); the owner has them elsewhere and adds them again after a crash
// (all rows from watermark() on).
//
// S: static Result<std::shared_ptr<const S>> open(std::shared_ptr<const Buffer>);
//    static std::string merge(std::span<const std::shared_ptr<const S>>, const Bitmap& alive);   (sealed bytes)
//    rows(), row(i), buffer(); weight_of(i): what totals() sums up

#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "index/bitmap.h"
#include "index/segment_file.h"

namespace ajar::index {

// Which places of a segment hold rows of the set. Quick where its rows lie without holes, as they do until documents go.
template <class S>
Bitmap places_of(const S& segment, const Bitmap& rows) {
  const uint32_t n = segment.rows(), first = n == 0 ? 0 : segment.row(0);
  if (n == 0 || segment.row(n - 1) - first == n - 1) return rows.slice(first, n);
  Bitmap out(n);
  for (uint32_t from = 0; from < n; from += 64) {
    const uint32_t count = std::min(64u, n - from), row = segment.row(from);
    if (segment.row(from + count - 1) - row == count - 1) {  // most are: holes lie where documents were
      uint64_t word = rows.word(row / 64) >> (row % 64);
      if (row % 64 != 0) word |= rows.word(row / 64 + 1) << (64 - row % 64);
      out.set_word(from / 64, count == 64 ? word : word & ((uint64_t{1} << count) - 1));
    } else {
      for (uint32_t at = from; at < from + count; ++at)
        if (rows.test(segment.row(at))) out.set(at);
    }
  }
  return out;
}

template <class S>
class Segments {
 public:
  static constexpr size_t kFanout = 8;

  struct Snapshot {
    std::vector<std::shared_ptr<const S>> segments;
    std::shared_ptr<const Bitmap> alive = std::make_shared<Bitmap>();
    uint64_t live_rows = 0, live_weight = 0;
  };

  // Memory only.
  Segments() = default;
  // In files of a folder that exists. A file that is damaged or gone is an error: the owner then starts anew from
  // what it has (reset) and adds everything again.
  Status open(const std::string& folder, const std::string& name) {
    folder_ = folder + "/", name_ = name;
    AJAR_ASSIGN(manifest_, read_manifest_file(manifest_path()));
    Snapshot next;
    auto alive = std::make_shared<Bitmap>();
    for (const std::string& file : manifest_.files) {
      AJAR_ASSIGN(auto buffer, Buffer::map(folder_ + file));
      auto segment = S::open(std::move(buffer));
      if (!segment) return std::unexpected(std::move(segment.error()).in(folder_ + file));
      count_in(**segment, next, *alive);
      next.segments.push_back(std::move(*segment));
    }
    next.alive = std::move(alive);
    files_ = manifest_.files;
    sweep();
    publish(std::move(next));
    return {};
  }
  // Forgets everything, files too.
  Status reset() {
    const uint64_t next_file = manifest_.next_file;
    manifest_ = {};
    manifest_.next_file = next_file;
    files_.clear();
    publish({});
    if (folder_.empty()) return {};
    AJAR_TRY(write_manifest(manifest_path(), manifest_));
    sweep();
    return {};
  }

  std::shared_ptr<const Snapshot> snapshot() const {
    std::lock_guard lock(mutex_);
    return current_;
  }
  // Rows below are safe in files.
  uint64_t watermark() const { return manifest_.watermark; }

  // The writer's calls; one at a time.

  // Sealed bytes of a segment whose rows are all behind the last one.
  Status add(std::string bytes) {
    AJAR_ASSIGN(auto segment, S::open(Buffer::own(std::move(bytes))));
    if (segment->rows() == 0) return {};
    Snapshot next = *snapshot();
    if (!next.segments.empty() && next.segments.back()->row(next.segments.back()->rows() - 1) >= segment->row(0)) {
      return fail(Code::kInternal, "a row was added to the index twice");
    }
    auto alive = std::make_shared<Bitmap>(*next.alive);
    count_in(*segment, next, *alive);
    next.alive = std::move(alive);
    next.segments.push_back(std::move(segment));
    files_.emplace_back();
    AJAR_TRY(merge_tail(next, false));
    publish(std::move(next));
    return {};
  }
  // What is not there is passed over.
  void remove(std::span<const uint32_t> rows) {
    Snapshot next = *snapshot();
    auto alive = std::make_shared<Bitmap>(*next.alive);
    for (const uint32_t row : rows) {
      if (!alive->test(row)) continue;
      alive->clear(row);
      --next.live_rows;
      for (const auto& segment : next.segments) {
        if (row > segment->row(segment->rows() - 1)) continue;
        if (const auto at = find(*segment, row); at < segment->rows()) next.live_weight -= segment->weight_of(at);
        break;
      }
    }
    next.alive = std::move(alive);
    publish(std::move(next));
  }
  // Only these rows are there (after open(), to make good for removals since the files were written).
  void keep_only(const Bitmap& rows) {
    std::vector<uint32_t> gone;
    Bitmap dead = *snapshot()->alive;
    dead.subtract(rows).each([&](uint32_t row) { gone.push_back(row); });
    if (!gone.empty()) remove(gone);
  }
  // All rows of the snapshot into files. `end`: rows below it need not be added again. `whole`: all segments become one.
  Status checkpoint(uint64_t end, bool whole = false) {
    if (folder_.empty()) return {};
    Snapshot next = *snapshot();
    if (whole && next.segments.size() > 1) AJAR_TRY(merge_from(next, 0));
    size_t first = files_.size();
    while (first > 0 && files_[first - 1].empty()) --first;
    if (first == files_.size() && manifest_.watermark == end) return {};
    if (files_.size() - first > 1) AJAR_TRY(merge_from(next, first));
    AJAR_TRY(merge_tail(next, true));
    AJAR_TRY(drop_dead(next));
    Manifest manifest = manifest_;
    for (size_t i = 0; i < files_.size(); ++i) {
      if (!files_[i].empty()) continue;
      const std::string file = name_ + "-" + std::to_string(manifest.next_file++);
      AJAR_TRY(replace_file(folder_ + file, next.segments[i]->buffer().bytes()));
      AJAR_ASSIGN(auto buffer, Buffer::map(folder_ + file));  // the file's pages instead of our memory
      AJAR_ASSIGN(next.segments[i], S::open(std::move(buffer)));
      files_[i] = file;
    }
    manifest.files = files_;
    manifest.watermark = end;
    AJAR_TRY(write_manifest(manifest_path(), manifest));
    manifest_ = std::move(manifest);
    publish(std::move(next));
    sweep();
    return {};
  }

 private:
  static void count_in(const S& segment, Snapshot& totals, Bitmap& alive) {
    for (uint32_t i = 0; i < segment.rows(); ++i) alive.set(segment.row(i)), totals.live_weight += segment.weight_of(i);
    totals.live_rows += segment.rows();
  }
  static uint32_t find(const S& segment, uint32_t row) {
    uint32_t from = 0, to = segment.rows();
    while (from < to) {
      const uint32_t middle = from + (to - from) / 2;
      if (segment.row(middle) < row) from = middle + 1;
      else to = middle;
    }
    return from < segment.rows() && segment.row(from) == row ? from : segment.rows();
  }
  static int tier(const S& segment) {
    int tier = 0;
    for (uint64_t n = segment.rows() / 256; n > 0; n /= kFanout) ++tier;
    return tier;
  }
  // Merges segments first.. into one.
  Status merge_from(Snapshot& next, size_t first) {
    const std::span all(next.segments);
    AJAR_ASSIGN(auto merged, S::open(Buffer::own(S::merge(all.subspan(first), *next.alive))));
    next.segments.resize(first);
    files_.resize(first);
    if (merged->rows() > 0) next.segments.push_back(std::move(merged)), files_.emplace_back();
    return {};
  }
  // While the last eight are of one size or less. Not at a checkpoint: only among those without files.
  Status merge_tail(Snapshot& next, bool files_too) {
    while (!next.segments.empty()) {
      const int last = tier(*next.segments.back());
      size_t first = next.segments.size();
      while (first > 0 && tier(*next.segments[first - 1]) <= last && (files_too || files_[first - 1].empty())) --first;
      if (next.segments.size() - first < kFanout) return {};
      AJAR_TRY(merge_from(next, first));
    }
    return {};
  }
  // Writes a segment anew when more than half of it is gone.
  Status drop_dead(Snapshot& next) {
    for (size_t i = next.segments.size(); i-- > 0;) {
      const S& segment = *next.segments[i];
      uint32_t live = 0;
      for (uint32_t at = 0; at < segment.rows(); ++at) live += next.alive->test(segment.row(at)) ? 1 : 0;
      if (live * 2 >= segment.rows()) continue;
      AJAR_ASSIGN(auto merged, S::open(Buffer::own(S::merge(std::span(next.segments).subspan(i, 1), *next.alive))));
      const auto at = static_cast<std::ptrdiff_t>(i);
      if (merged->rows() == 0) {
        next.segments.erase(next.segments.begin() + at);
        files_.erase(files_.begin() + at);
      } else {
        next.segments[i] = std::move(merged);
        files_[i].clear();
      }
    }
    return {};
  }
  void publish(Snapshot next) {
    auto shared = std::make_shared<const Snapshot>(std::move(next));
    std::lock_guard lock(mutex_);
    current_.swap(shared);
  }
  std::string manifest_path() const { return folder_ + name_ + ".manifest"; }
  // Removes files of ours that the manifest does not name.
  void sweep() const {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
      const std::string file = entry.path().filename().string();
      if (!file.starts_with(name_ + "-")) continue;
      if (std::find(manifest_.files.begin(), manifest_.files.end(), file) == manifest_.files.end()) std::filesystem::remove(entry.path(), error);
    }
  }

  std::string folder_, name_;        // empty: memory only
  Manifest manifest_;                // the writer's
  std::vector<std::string> files_;   // the writer's: of each segment; empty: in memory alone
  mutable std::mutex mutex_;         // guards current_
  std::shared_ptr<const Snapshot> current_ = std::make_shared<const Snapshot>();
};

}  // namespace ajar::index
