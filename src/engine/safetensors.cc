#include "engine/safetensors.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "json/read.h"

namespace ajar::engine {
namespace {

constexpr uint64_t kMaxHeader = 100'000'000;  // the format's own bound
constexpr size_t kMaxTensors = 262'144;
constexpr size_t kMaxName = 511;
constexpr int64_t kMaxElements = int64_t(1) << 48;
constexpr size_t kMaxDimensions = 8;

// Bytes of an element; 0: unknown.
int64_t size_of(std::string_view dtype) {
  struct Size {
    std::string_view name;
    int64_t bytes;
  };
  static constexpr Size kSizes[] = {{"F64", 8}, {"I64", 8}, {"U64", 8}, {"F32", 4}, {"I32", 4}, {"U32", 4}, {"F16", 2},
                                    {"BF16", 2}, {"I16", 2}, {"U16", 2}, {"I8", 1}, {"U8", 1}, {"BOOL", 1},
                                    {"F8_E4M3", 1}, {"F8_E5M2", 1}};
  for (const Size& size : kSizes) {
    if (size.name == dtype) return size.bytes;
  }
  return 0;
}

Result<SafeTensor> read_tensor(std::string_view name, const json::Value& value, std::string_view data) {
  const auto broken = [&](const std::string& what) { return invalid(std::string(name), std::string(name) + ": " + what); };
  const auto object = json::as_object(value);
  if (!object) return broken("its entry is not an object");
  SafeTensor out{.name = std::string(name), .dtype = std::string(json::string_or(*object, "dtype"))};
  const int64_t element = size_of(out.dtype);
  if (element == 0) return broken("the number format '" + out.dtype + "' is unknown");
  const auto shape = json::find(*object, "shape");
  const auto sizes = shape ? json::as_array(*shape) : std::nullopt;
  if (!sizes) return broken("it has no shape");
  int64_t elements = 1;
  for (const auto item : *sizes) {
    const auto size = json::as_int(item);
    if (!size || *size < 0) return broken("its shape is not of whole numbers");
    if (*size > kMaxElements || (*size > 0 && elements > kMaxElements / *size)) return broken("its shape is too large");
    if (out.shape.size() == kMaxDimensions) return broken("it has more than 8 dimensions");
    elements *= *size;
    out.shape.push_back(*size);
  }
  const auto offsets = json::find(*object, "data_offsets");
  const auto ends = offsets ? json::as_array(*offsets) : std::nullopt;
  if (!ends || ends->size() != 2) return broken("it has no data_offsets");
  const auto from = json::as_int(ends->at(0).value()), to = json::as_int(ends->at(1).value());
  if (!from || !to || *from < 0 || *to < *from) return broken("its data_offsets are not two whole numbers in order");
  if (uint64_t(*to) > data.size()) {
    return broken("its data end at " + std::to_string(*to) + " of " + std::to_string(data.size()) + " bytes");
  }
  if (*to - *from != elements * element) {
    return broken("its shape takes " + std::to_string(elements * element) + " bytes, its data_offsets span " +
                  std::to_string(*to - *from));
  }
  out.bytes = data.substr(size_t(*from), size_t(*to - *from));
  return out;
}

}  // namespace

Result<std::vector<SafeTensor>> read_safetensors(std::string_view file) {
  uint64_t size = 0;
  if (file.size() < sizeof size) return invalid("header", "the file ends inside its header");
  std::memcpy(&size, file.data(), sizeof size);
  if (size > kMaxHeader) return invalid("header", "a header of " + std::to_string(size) + " bytes is more than 100 MB");
  if (size > file.size() - sizeof size) {
    return invalid("header", "a header of " + std::to_string(size) + " bytes is longer than the file");
  }
  json::Document document;
  const auto header = document.parse_object(file.substr(sizeof size, size));
  if (!header) return invalid("header", "the header is not JSON: " + header.error().message);
  const std::string_view data = file.substr(sizeof size + size);
  std::vector<SafeTensor> out;
  std::unordered_set<std::string_view> names;
  for (const auto& [name, value] : *header) {
    if (!names.insert(name).second) return invalid(std::string(name), std::string(name) + " is given twice");
    if (name == "__metadata__") continue;
    if (name.empty() || name.size() > kMaxName) return invalid("header", "a name of " + std::to_string(name.size()) + " bytes");
    if (out.size() == kMaxTensors) return invalid("header", "there are more than 262144 tensors");
    AJAR_ASSIGN(auto tensor, read_tensor(name, value, data));
    out.push_back(std::move(tensor));
  }
  std::vector<const SafeTensor*> placed;
  for (const SafeTensor& tensor : out) {
    if (!tensor.bytes.empty()) placed.push_back(&tensor);
  }
  std::ranges::sort(placed, {}, [](const SafeTensor* tensor) { return tensor->bytes.data(); });
  for (size_t i = 1; i < placed.size(); ++i) {
    if (placed[i - 1]->bytes.data() + placed[i - 1]->bytes.size() > placed[i]->bytes.data()) {
      return invalid(placed[i]->name, placed[i]->name + ": its data lie over those of " + placed[i - 1]->name);
    }
  }
  return out;
}

}  // namespace ajar::engine
