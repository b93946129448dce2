#pragma once
// Whole files, read and written safely. Blocking: not on a loop.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace ajar::learn {

// kNotFound, kTooLarge (over `most` bytes), kUnavailable: names the path.
Result<std::string> read_file(const std::string& path, int64_t most);

// Beside it under another name, synced, then renamed: after a crash there is the old file or the new one, whole.
Status write_file(const std::string& path, std::string_view bytes);

// Without the byte order mark that some editors put before UTF-8.
inline std::string_view without_mark(std::string_view bytes) {
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  return bytes;
}

}  // namespace ajar::learn
