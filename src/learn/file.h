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

}  // namespace ajar::learn
