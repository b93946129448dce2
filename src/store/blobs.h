#pragma once
// The bytes of clients' files: one file each in a folder of their own, named by id. Blocks: call on a blocking pool.

#include <string>
#include <string_view>

#include "base/error.h"

namespace ajar::store {

class Blobs {
 public:
  // Makes the folder when it is missing.
  static Result<Blobs> open(const std::string& folder);

  // Whole and durable when it returns; nothing is there otherwise. kUnavailable names the file and the cause.
  Status put(const std::string& id, std::string_view bytes) const;
  // kNotFound: there is none.
  Result<std::string> read(const std::string& id) const;
  // `size` bytes at most from `offset` on; empty at the end.
  Result<std::string> read(const std::string& id, int64_t offset, size_t size) const;
  // Adds bytes at the end; makes the file when it is missing. One caller at a time per id. All or nothing when it fails;
  // safe against the process's end, not against a power failure: what must survive that, too, calls sync().
  Status append(const std::string& id, std::string_view bytes) const;
  Status sync(const std::string& id) const;
  Result<int64_t> size(const std::string& id) const;
  // Cuts off what stands behind the last line end: a line that was being written when the process ended.
  Status trim_to_lines(const std::string& id) const;
  Status remove(const std::string& id) const;  // also when there is none

 private:
  explicit Blobs(std::string folder) : folder_(std::move(folder)) {}
  std::string path(const std::string& id) const { return folder_ + "/" + id; }
  std::string folder_;
};

}  // namespace ajar::store
