#include "vectors/embedded.h"

#include <cstring>
#include <limits>
#include <mutex>

#include "index/vectors.h"
#include "rag/predicate.h"

namespace ajar::vectors {
namespace {

class Embedded final : public rag::VectorStore {
 public:
  std::string where() const override { return "the embedded store"; }
  Status health() override { return {}; }

  Result<bool> create(uint32_t width) override {
    std::lock_guard lock(lock_);
    if (index_ && index_->width() != width) return fail(Code::kConflict, where() + " has vectors of " + std::to_string(index_->width()) + " numbers");
    if (index_) return false;
    index_ = std::make_unique<index::VectorIndex>(width);
    return true;
  }

  Status upsert(std::span<const rag::VectorRow> rows) override {
    std::lock_guard lock(lock_);
    if (!index_) return missing();
    for (const rag::VectorRow& row : rows) {
      if (row.vector.size() != index_->width()) return fail(Code::kUpstream, where() + " has vectors of " + std::to_string(index_->width()) + " numbers");
      // The index knows a row once and for all: another vector comes under another of its numbers.
      if (const auto old = rows_.find(row.row); old != rows_.end()) forget(old);
      const uint32_t slot = next_++;
      AJAR_TRY(index_->add(std::span(&slot, 1), row.vector));
      live_.set(slot);
      slots_[slot] = row.row;
      rows_[row.row] = {slot, {row.vector.begin(), row.vector.end()}, row.fields};
    }
    return {};
  }

  Status erase(std::span<const uint32_t> rows) override {
    std::lock_guard lock(lock_);
    if (!index_) return missing();
    for (const uint32_t row : rows)
      if (const auto old = rows_.find(row); old != rows_.end()) forget(old);
    return {};
  }

  Result<std::vector<index::Scored>> search(std::span<const float> query, const rag::Predicate& predicate, size_t limit) override {
    std::lock_guard lock(lock_);
    if (!index_) return missing();
    index::Bitmap kept = live_;
    for (const auto& [row, held] : rows_)
      if (!rag::keeps(predicate, *held.fields)) kept.clear(held.slot);
    AJAR_ASSIGN(auto found, index_->reader().search(query, &kept, limit, [&](std::span<const uint32_t> slots, std::span<float> out) -> Status {
      for (size_t i = 0; i < slots.size(); ++i) {
        const auto& vector = rows_.at(slots_.at(slots[i])).vector;
        std::memcpy(&out[i * vector.size()], vector.data(), vector.size() * sizeof(float));
      }
      return {};
    }));
    for (index::Scored& one : found) one.row = slots_.at(one.row);
    return found;
  }

  Result<uint64_t> count() override {
    std::lock_guard lock(lock_);
    if (!index_) return missing();
    return rows_.size();
  }

  Result<std::vector<uint32_t>> rows(uint32_t first, uint32_t count) override {
    std::lock_guard lock(lock_);
    if (!index_) return missing();
    std::vector<uint32_t> out;
    for (auto it = rows_.lower_bound(first); it != rows_.end() && it->first - first < count; ++it) out.push_back(it->first);
    return out;
  }

  Status drop() override {
    std::lock_guard lock(lock_);
    index_.reset();
    rows_.clear(), slots_.clear();
    live_ = {}, next_ = 0;
    return {};
  }

 private:
  struct Held {
    uint32_t slot;
    std::vector<float> vector;
    std::shared_ptr<const rag::RowFields> fields;
  };

  std::unexpected<Error> missing() const { return fail(Code::kNotFound, where() + " has no collection"); }
  void forget(std::map<uint32_t, Held>::iterator old) {
    index_->remove(std::span(&old->second.slot, 1));
    live_.clear(old->second.slot);
    slots_.erase(old->second.slot);
    rows_.erase(old);
  }

  std::mutex lock_;  // guards all
  std::unique_ptr<index::VectorIndex> index_;
  std::map<uint32_t, Held> rows_;
  std::map<uint32_t, uint32_t> slots_;  // slot to row
  index::Bitmap live_;                  // slots
  uint32_t next_ = 0;
};

}  // namespace

std::unique_ptr<rag::VectorStore> make_embedded() { return std::make_unique<Embedded>(); }

}  // namespace ajar::vectors
