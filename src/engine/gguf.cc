#include "engine/gguf.h"

#include <algorithm>
#include <cstring>

namespace ajar::engine {
namespace {

constexpr uint64_t kMaxEntries = 65'536;
constexpr uint64_t kMaxKey = 65'535;

class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  bool number(T& out) {
    if (bytes_.size() - at_ < sizeof(T)) return false;
    std::memcpy(&out, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return true;
  }
  bool take(uint64_t size, std::string_view& out) {
    if (size > bytes_.size() - at_) return false;
    out = bytes_.substr(at_, size);
    at_ += size;
    return true;
  }
  bool string(std::string_view& out) {
    uint64_t size = 0;
    return number(size) && take(size, out);
  }
  size_t at() const { return at_; }
  std::string_view since(size_t from) const { return bytes_.substr(from, at_ - from); }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
};

size_t size_of(GgufType type) {
  switch (type) {
    case GgufType::kUint8:
    case GgufType::kInt8:
    case GgufType::kBool: return 1;
    case GgufType::kUint16:
    case GgufType::kInt16: return 2;
    case GgufType::kUint32:
    case GgufType::kInt32:
    case GgufType::kFloat32: return 4;
    case GgufType::kUint64:
    case GgufType::kInt64:
    case GgufType::kFloat64: return 8;
    default: return 0;
  }
}

template <class T>
T number_in(std::string_view bytes, size_t index = 0) {
  T out;
  std::memcpy(&out, bytes.data() + index * sizeof(T), sizeof(T));
  return out;
}

}  // namespace

Result<GgufMetadata> GgufMetadata::read(std::string_view bytes) {
  Cursor cursor(bytes);
  GgufMetadata out;
  std::string_view magic;
  uint64_t entries = 0;
  if (!cursor.take(4, magic) || magic != "GGUF") return invalid("magic", "this is not a GGUF file");
  if (!cursor.number(out.version_) || !cursor.number(out.tensors_) || !cursor.number(entries)) {
    return invalid("header", "the file ends inside its header");
  }
  if (out.version_ != 2 && out.version_ != 3) {
    return fail(Code::kUnsupported, "GGUF version " + std::to_string(out.version_) + " is not supported (2 and 3 are)");
  }
  if (entries > kMaxEntries) {
    return invalid("header", std::to_string(entries) + " metadata entries are more than " + std::to_string(kMaxEntries));
  }
  const auto broken = [&](std::string_view key, std::string_view what) {
    return invalid(std::string(key), "metadata at offset " + std::to_string(cursor.at()) + ": " + std::string(what));
  };
  for (uint64_t i = 0; i < entries; ++i) {
    Entry entry{};
    uint32_t type = 0;
    if (!cursor.string(entry.key) || entry.key.size() > kMaxKey) return broken("", "a key does not fit");
    if (!cursor.number(type) || type > uint32_t(GgufType::kFloat64)) return broken(entry.key, "unknown type");
    entry.type = GgufType(type);
    if (entry.type == GgufType::kString) {
      if (!cursor.string(entry.value)) return broken(entry.key, "the string is longer than the file");
    } else if (entry.type == GgufType::kArray) {
      uint32_t item = 0;
      if (!cursor.number(item) || !cursor.number(entry.count) || item > uint32_t(GgufType::kFloat64) ||
          GgufType(item) == GgufType::kArray) {
        return broken(entry.key, "unknown kind of array");
      }
      entry.item = GgufType(item);
      const size_t from = cursor.at();
      if (entry.item == GgufType::kString) {
        std::string_view ignored;
        for (uint64_t k = 0; k < entry.count; ++k) {
          if (!cursor.string(ignored)) return broken(entry.key, "the array is longer than the file");
        }
        entry.value = cursor.since(from);
      } else if (entry.count > bytes.size() || !cursor.take(entry.count * size_of(entry.item), entry.value)) {
        return broken(entry.key, "the array is longer than the file");
      }
    } else if (!cursor.take(size_of(entry.type), entry.value)) {
      return broken(entry.key, "the file ends inside the value");
    }
    out.entries_.push_back(entry);
  }
  return out;
}

const GgufMetadata::Entry* GgufMetadata::find(std::string_view key) const {
  const auto found = std::ranges::find(entries_, key, &Entry::key);
  return found == entries_.end() ? nullptr : &*found;
}

std::optional<std::string_view> GgufMetadata::string(std::string_view key) const {
  const Entry* entry = find(key);
  if (entry == nullptr || entry->type != GgufType::kString) return std::nullopt;
  return entry->value;
}

std::optional<int64_t> GgufMetadata::integer(std::string_view key) const {
  const Entry* entry = find(key);
  if (entry == nullptr) return std::nullopt;
  switch (entry->type) {
    case GgufType::kUint8: return number_in<uint8_t>(entry->value);
    case GgufType::kInt8: return number_in<int8_t>(entry->value);
    case GgufType::kUint16: return number_in<uint16_t>(entry->value);
    case GgufType::kInt16: return number_in<int16_t>(entry->value);
    case GgufType::kUint32: return number_in<uint32_t>(entry->value);
    case GgufType::kInt32: return number_in<int32_t>(entry->value);
    case GgufType::kInt64: return number_in<int64_t>(entry->value);
    case GgufType::kUint64: {
      const auto value = number_in<uint64_t>(entry->value);
      if (value > uint64_t(INT64_MAX)) return std::nullopt;
      return int64_t(value);
    }
    default: return std::nullopt;
  }
}

std::optional<bool> GgufMetadata::boolean(std::string_view key) const {
  const Entry* entry = find(key);
  if (entry == nullptr || entry->type != GgufType::kBool) return std::nullopt;
  return entry->value[0] != 0;
}

std::vector<std::string_view> GgufMetadata::strings(std::string_view key) const {
  std::vector<std::string_view> out;
  const Entry* entry = find(key);
  if (entry == nullptr || entry->type != GgufType::kArray || entry->item != GgufType::kString) return out;
  out.reserve(entry->count);  // each took at least 8 bytes of the file
  Cursor cursor(entry->value);
  std::string_view item;
  for (uint64_t i = 0; i < entry->count && cursor.string(item); ++i) out.push_back(item);
  return out;
}

std::vector<float> GgufMetadata::floats(std::string_view key) const {
  const Entry* entry = find(key);
  if (entry == nullptr || entry->type != GgufType::kArray || entry->item != GgufType::kFloat32) return {};
  std::vector<float> out(entry->count);
  std::memcpy(out.data(), entry->value.data(), entry->value.size());
  return out;
}

std::vector<int32_t> GgufMetadata::integers(std::string_view key) const {
  const Entry* entry = find(key);
  if (entry == nullptr || entry->type != GgufType::kArray ||
      (entry->item != GgufType::kInt32 && entry->item != GgufType::kUint32)) {
    return {};
  }
  std::vector<int32_t> out(entry->count);
  std::memcpy(out.data(), entry->value.data(), entry->value.size());
  return out;
}

std::string_view GgufMetadata::bytes(std::string_view key) const {
  const Entry* entry = find(key);
  if (entry == nullptr || entry->type != GgufType::kArray ||
      (entry->item != GgufType::kInt8 && entry->item != GgufType::kUint8)) {
    return {};
  }
  return entry->value;
}

}  // namespace ajar::engine
