#pragma once
// Writes a GGUF file, version 3: first the keys and the tensors are said, then the tensors' data follow one after the
// other, so that no more than a piece of one needs to be in memory. All goes to a file without a name (or with one of its
// own, where the file system has no such files), which takes the target's when it is whole; without finish() nothing
// stays. One thread.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/dtype.h"
#include "engine/gguf.h"

namespace ajar::engine {

class GgufWriter {
 public:
  GgufWriter() = default;
  ~GgufWriter();
  GgufWriter(const GgufWriter&) = delete;
  GgufWriter& operator=(const GgufWriter&) = delete;

  // The keys, each once; setting one again is ignored.
  void string(std::string_view key, std::string_view value);
  void u32(std::string_view key, uint32_t value);
  void f32(std::string_view key, float value);
  void boolean(std::string_view key, bool value);
  void strings(std::string_view key, std::span<const std::string> values);
  void floats(std::string_view key, std::span<const float> values);
  void i32s(std::string_view key, std::span<const int32_t> values);
  void booleans(std::string_view key, const std::vector<bool>& values);
  void copy(const GgufEntry& entry);
  bool has(std::string_view key) const;

  // The tensors, in the order of their data.
  void tensor(std::string_view name, Dtype dtype, const std::array<int64_t, 4>& shape);

  enum class Existing { kKeep, kReplace };
  // Writes what was said so far. kConflict: the target exists and is to be kept.
  Status begin(const std::string& path, Existing existing);
  // Data of the tensors, in order and in pieces of any size.
  Status write(std::span<const std::byte> bytes);
  // kInternal: not all data were written.
  Status finish();

  int64_t data_bytes() const;  // of all tensors

 private:
  struct Declared {
    std::string name;
    Dtype dtype;
    std::array<int64_t, 4> shape;
    uint64_t size;
  };
  void array(GgufType item, size_t count);
  bool begin_key(std::string_view name);
  Status put(const void* data, size_t size);
  Status take_name();
  std::string temporary_name() const;
  std::unexpected<Error> failed(int error) const;

  std::vector<std::string> names_;  // of the keys
  std::string keys_;                // as they will lie in the file
  std::vector<Declared> tensors_;
  size_t current_ = 0;              // the tensor whose data come next, and how many of them are there
  uint64_t written_ = 0;
  std::FILE* file_ = nullptr;
  std::string path_;
  std::string temporary_;           // the name that the file has so far; may be empty
  Existing existing_ = Existing::kKeep;
};

}  // namespace ajar::engine
