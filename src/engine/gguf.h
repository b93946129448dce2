#pragma once
// The metadata of a GGUF file, versions 2 and 3. Spec: ggml/docs/gguf.md of the ggml project.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ajar::engine {

enum class GgufType : uint32_t {
  kUint8, kInt8, kUint16, kInt16, kUint32, kInt32, kFloat32, kBool, kString, kArray, kUint64, kInt64, kFloat64
};

// Reads names and values in place: the bytes must outlive it.
class GgufMetadata {
 public:
  // Checks every length against what is there. kInvalid names the key and the offset.
  static Result<GgufMetadata> read(std::string_view bytes);

  uint32_t version() const { return version_; }
  uint64_t tensor_count() const { return tensors_; }
  // Nothing where the key is absent or of another type. Integers of any width, as far as int64 holds them.
  std::optional<std::string_view> string(std::string_view key) const;
  std::optional<int64_t> integer(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  std::vector<std::string_view> strings(std::string_view key) const;   // empty: absent or of another type
  std::vector<float> floats(std::string_view key) const;
  std::vector<int32_t> integers(std::string_view key) const;           // of 32 bits
  std::string_view bytes(std::string_view key) const;                  // an array of 8-bit integers

 private:
  struct Entry {
    std::string_view key;
    GgufType type;
    GgufType item;           // of an array
    uint64_t count = 0;      // of an array
    std::string_view value;  // raw little-endian bytes
  };
  const Entry* find(std::string_view key) const;

  uint32_t version_ = 0;
  uint64_t tensors_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace ajar::engine
