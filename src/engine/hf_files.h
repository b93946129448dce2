#pragma once
// The small files of a folder as Hugging Face lays it out.

#include <filesystem>
#include <string>

#include "base/error.h"

namespace ajar::engine {

// The file's text; empty where there is none. kInvalid: it is larger than 64 MiB.
Result<std::string> read_hf_text(const std::filesystem::path& path);
// The same for JSON: whole numbers beyond 64 bits, which configurations have for "no limit", are written as floats,
// because our reader refuses them otherwise.
Result<std::string> read_hf_json(const std::filesystem::path& path);

}  // namespace ajar::engine
