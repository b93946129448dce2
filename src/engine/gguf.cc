#include "engine/gguf.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

namespace ajar::engine {
namespace {

constexpr uint64_t kMaxEntries = 65'536;
constexpr uint64_t kMaxKey = 65'535;
constexpr uint64_t kMaxItems = 1 << 26;  // of an array
constexpr uint64_t kMaxTensors = 65'536;
constexpr uint64_t kMaxTensorName = 511;
constexpr uint64_t kMaxElements = uint64_t(1) << 48;  // of a tensor
constexpr uint64_t kMaxAlignment = 1 << 20;

class Cursor {
 public:
  explicit Cursor(std::string_view bytes, size_t at = 0) : bytes_(bytes), at_(at) {}

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
  out.bytes_ = bytes;
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
  std::unordered_set<std::string_view> keys;
  for (uint64_t i = 0; i < entries; ++i) {
    GgufEntry entry{};
    uint32_t type = 0;
    if (!cursor.string(entry.key) || entry.key.size() > kMaxKey) return broken("", "a key does not fit");
    if (!keys.insert(entry.key).second) return broken(entry.key, "the key is given twice");
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
      if (entry.count > bytes.size()) return broken(entry.key, "the array is longer than the file");
      if (entry.count > kMaxItems) return broken(entry.key, std::to_string(entry.count) + " items are too many");
      entry.item = GgufType(item);
      const size_t from = cursor.at();
      if (entry.item == GgufType::kString) {
        std::string_view ignored;
        for (uint64_t k = 0; k < entry.count; ++k) {
          if (!cursor.string(ignored)) return broken(entry.key, "the array is longer than the file");
        }
        entry.value = cursor.since(from);
      } else if (!cursor.take(entry.count * size_of(entry.item), entry.value)) {
        return broken(entry.key, "the array is longer than the file");
      }
    } else if (!cursor.take(size_of(entry.type), entry.value)) {
      return broken(entry.key, "the file ends inside the value");
    }
    out.entries_.push_back(entry);
  }
  out.table_ = cursor.at();
  return out;
}

Result<std::vector<GgufTensor>> GgufMetadata::tensors() const {
  if (tensors_ > kMaxTensors) {
    return invalid("header", std::to_string(tensors_) + " tensors are more than " + std::to_string(kMaxTensors));
  }
  uint64_t alignment = kDefaultAlignment;
  if (find("general.alignment") != nullptr) {
    const int64_t given = integer("general.alignment").value_or(0);
    if (given < 8 || uint64_t(given) > kMaxAlignment || (given & (given - 1)) != 0) {
      return invalid("general.alignment", std::to_string(given) + " is not a power of two from 8 to " +
                                              std::to_string(kMaxAlignment));
    }
    alignment = uint64_t(given);
  }
  Cursor cursor(bytes_, table_);
  std::string_view name;
  const auto broken = [&](const std::string& what) {
    return invalid(std::string(name), "the tensor table at offset " + std::to_string(cursor.at()) + ": " + what);
  };
  struct Place {
    uint64_t offset, size;
    size_t tensor;
  };
  std::vector<GgufTensor> out;
  std::vector<Place> places;
  std::unordered_set<std::string_view> names;
  for (uint64_t i = 0; i < tensors_; ++i) {
    name = {};
    uint32_t dimensions = 0, type = 0;
    uint64_t offset = 0, elements = 1;
    if (!cursor.string(name)) return name = {}, broken("the file ends inside the name of tensor " + std::to_string(i));
    if (name.empty() || name.size() > kMaxTensorName) {
      const size_t size = name.size();
      return name = {}, broken("a name of " + std::to_string(size) + " bytes");
    }
    if (!names.insert(name).second) return broken("the name is given twice");
    if (!cursor.number(dimensions)) return broken("the file ends inside the shape");
    if (dimensions < 1 || dimensions > 4) return broken(std::to_string(dimensions) + " dimensions, not 1 to 4");
    GgufTensor tensor{.name = name, .shape = {1, 1, 1, 1}};
    for (uint32_t k = 0; k < dimensions; ++k) {
      uint64_t size = 0;
      if (!cursor.number(size)) return broken("the file ends inside the shape");
      if (size == 0) return broken("dimension " + std::to_string(k) + " is 0");
      if (size > kMaxElements || elements > kMaxElements / size) return broken("the shape is too large");
      elements *= size;
      tensor.shape[k] = int64_t(size);
    }
    if (!cursor.number(type) || !cursor.number(offset)) return broken("the file ends inside the tensor's entry");
    const DtypeInfo* info = dtype_info(type);
    if (info == nullptr) {
      return fail(Code::kUnsupported, "the number format " + std::to_string(type) + " is not supported",
                  std::string(name));
    }
    tensor.dtype = info->dtype;
    if (tensor.shape[0] % info->block_elements != 0) {
      return broken("rows of " + std::to_string(tensor.shape[0]) + " elements are no whole blocks of " +
                    std::string(info->name));
    }
    if (offset % alignment != 0) return broken("its offset " + std::to_string(offset) + " is not aligned");
    places.push_back({offset, elements / uint64_t(info->block_elements) * uint64_t(info->block_bytes), out.size()});
    out.push_back(tensor);
  }
  if (out.empty()) return out;
  const uint64_t start = (cursor.at() + alignment - 1) / alignment * alignment;
  const uint64_t room = bytes_.size() < start ? 0 : bytes_.size() - start;
  for (const Place& place : places) {
    GgufTensor& tensor = out[place.tensor];
    if (place.offset > room || place.size > room - place.offset) {
      name = tensor.name;
      return broken("its " + std::to_string(place.size) + " bytes at " + std::to_string(place.offset) +
                    " of the data are beyond the file's end");
    }
    tensor.bytes = bytes_.substr(start + place.offset, place.size);
  }
  std::ranges::sort(places, {}, &Place::offset);
  for (size_t i = 1; i < places.size(); ++i) {
    if (places[i].offset - places[i - 1].offset >= places[i - 1].size) continue;
    name = out[places[i].tensor].name;
    return broken("its data lie over those of " + std::string(out[places[i - 1].tensor].name));
  }
  return out;
}

const GgufEntry* GgufMetadata::find(std::string_view key) const {
  const auto found = std::ranges::find(entries_, key, &GgufEntry::key);
  return found == entries_.end() ? nullptr : &*found;
}

std::optional<std::string_view> GgufMetadata::string(std::string_view key) const {
  const GgufEntry* entry = find(key);
  if (entry == nullptr || entry->type != GgufType::kString) return std::nullopt;
  return entry->value;
}

std::optional<int64_t> GgufMetadata::integer(std::string_view key) const {
  const GgufEntry* entry = find(key);
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
  const GgufEntry* entry = find(key);
  if (entry == nullptr || entry->type != GgufType::kBool) return std::nullopt;
  return entry->value[0] != 0;
}

std::optional<double> GgufMetadata::real(std::string_view key) const {
  const GgufEntry* entry = find(key);
  if (entry == nullptr) return std::nullopt;
  if (entry->type == GgufType::kFloat32) return number_in<float>(entry->value);
  if (entry->type == GgufType::kFloat64) return number_in<double>(entry->value);
  if (const auto whole = integer(key)) return double(*whole);
  return std::nullopt;
}

std::vector<std::string_view> GgufMetadata::strings(std::string_view key) const {
  std::vector<std::string_view> out;
  const GgufEntry* entry = find(key);
  if (entry == nullptr || entry->type != GgufType::kArray || entry->item != GgufType::kString) return out;
  out.reserve(entry->count);  // each took at least 8 bytes of the file
  Cursor cursor(entry->value);
  std::string_view item;
  for (uint64_t i = 0; i < entry->count && cursor.string(item); ++i) out.push_back(item);
  return out;
}

std::vector<float> GgufMetadata::floats(std::string_view key) const {
  const GgufEntry* entry = find(key);
  if (entry == nullptr || entry->type != GgufType::kArray || entry->item != GgufType::kFloat32) return {};
  std::vector<float> out(entry->count);
  if (!out.empty()) std::memcpy(out.data(), entry->value.data(), entry->value.size());
  return out;
}

std::vector<int32_t> GgufMetadata::integers(std::string_view key) const {
  const GgufEntry* entry = find(key);
  if (entry == nullptr || entry->type != GgufType::kArray ||
      (entry->item != GgufType::kInt32 && entry->item != GgufType::kUint32)) {
    return {};
  }
  std::vector<int32_t> out(entry->count);
  if (!out.empty()) std::memcpy(out.data(), entry->value.data(), entry->value.size());
  return out;
}

std::string_view GgufMetadata::bytes(std::string_view key) const {
  const GgufEntry* entry = find(key);
  if (entry == nullptr || entry->type != GgufType::kArray ||
      (entry->item != GgufType::kInt8 && entry->item != GgufType::kUint8)) {
    return {};
  }
  return entry->value;
}

std::vector<bool> GgufMetadata::booleans(std::string_view key) const {
  std::vector<bool> out;
  const GgufEntry* entry = find(key);
  if (entry == nullptr || entry->type != GgufType::kArray) return out;
  if (entry->item == GgufType::kBool) {
    for (const char c : entry->value) out.push_back(c != 0);
  } else {
    for (const int32_t value : integers(key)) out.push_back(value != 0);
  }
  return out;
}

}  // namespace ajar::engine
