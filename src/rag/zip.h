#pragma once
// Files inside a ZIP archive in memory, with limits against bombs.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

struct zip;

namespace ajar::rag {

class Zip {
 public:
  static constexpr size_t kMaxFile = 256 << 20;      // unpacked
  static constexpr size_t kMaxTotal = 512 << 20;     // of all that is read from one archive
  static constexpr int64_t kMaxEntries = 65'536;

  static Result<Zip> open(std::string_view bytes);   // which must outlive it; kInvalid: damaged
  bool has(const std::string& name) const;
  // kNotFound, kTooLarge, kInvalid (damaged or encrypted); all name the file.
  Result<std::string> read(const std::string& name) const;
  std::vector<std::string> names() const;

 private:
  struct Close { void operator()(::zip* archive) const; };
  std::unique_ptr<::zip, Close> archive_;
  mutable size_t read_ = 0;
};

// "word/document.xml" and "../media/x" to "media/x": how a part of a package names another.
std::string resolve_part(std::string_view from, std::string_view target);

}  // namespace ajar::rag
