#include "engine/vocabulary.h"

#include <bit>
#include <functional>

namespace ajar::engine {
namespace {

size_t hash_of(std::string_view bytes) { return std::hash<std::string_view>{}(bytes); }

}  // namespace

void Vocabulary::reserve(size_t tokens, size_t bytes) {
  blob_.reserve(bytes);
  spans_.reserve(tokens);
  if (slots_.size() < tokens * 2) {
    slots_.assign(std::bit_ceil(tokens * 2 + 16), -1);
    for (size_t id = 0; id < spans_.size(); ++id) insert(int32_t(id));
  }
}

void Vocabulary::add(int32_t id, std::string_view bytes) {
  if (size_t(id) >= spans_.size()) spans_.resize(size_t(id) + 1);
  spans_[size_t(id)] = {uint32_t(blob_.size()), uint32_t(bytes.size())};
  blob_.append(bytes);
  if (++used_ * 2 > slots_.size()) grow();
  insert(id);
}

void Vocabulary::grow() {
  const std::vector<int32_t> before = std::move(slots_);
  slots_.assign(std::bit_ceil(used_ * 4 + 16), -1);
  for (const int32_t id : before) {
    if (id >= 0) insert(id);
  }
}

void Vocabulary::insert(int32_t id) {
  const std::string_view mine = bytes(id);
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash_of(mine) & mask;; at = (at + 1) & mask) {
    if (slots_[at] < 0) {
      slots_[at] = id;
      return;
    }
    if (bytes(slots_[at]) == mine) return;
  }
}

int32_t Vocabulary::find(std::string_view wanted) const {
  if (slots_.empty()) return -1;
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash_of(wanted) & mask; slots_[at] >= 0; at = (at + 1) & mask) {
    if (bytes(slots_[at]) == wanted) return slots_[at];
  }
  return -1;
}

std::string_view Vocabulary::bytes(int32_t id) const {
  if (id < 0 || size_t(id) >= spans_.size()) return {};
  const Span span = spans_[size_t(id)];
  return std::string_view(blob_).substr(span.offset, span.length);
}

}  // namespace ajar::engine
