#include "engine/hf_files.h"

#include "engine/mapped_file.h"

namespace ajar::engine {
namespace {

constexpr size_t kMaxText = 64 << 20;

std::string with_floats(std::string_view json) {
  std::string out;
  bool quoted = false;
  for (size_t i = 0; i < json.size();) {
    const char c = json[i];
    const auto digit = [&](size_t at) { return at < json.size() && json[at] >= '0' && json[at] <= '9'; };
    if (!quoted && digit(i)) {
      size_t end = i;
      while (digit(end)) ++end;
      out.append(json.substr(i, end - i));
      const bool whole = end == json.size() || (json[end] != '.' && json[end] != 'e' && json[end] != 'E');
      const bool fraction = i > 0 && (json[i - 1] == '.' || json[i - 1] == '+' || json[i - 1] == '-' || json[i - 1] == 'e' ||
                                      json[i - 1] == 'E');
      if (whole && !fraction && end - i > 18) out += ".0";
      i = end;
      continue;
    }
    out += c;
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\' && i + 1 < json.size()) out += json[++i];
    ++i;
  }
  return out;
}

}  // namespace

Result<std::string> read_hf_text(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::string();
  AJAR_ASSIGN(const auto file, MappedFile::open(path.string()));
  if (file->bytes().size() > kMaxText) return invalid("file", path.string() + " is larger than 64 MiB");
  return std::string(file->bytes());
}

Result<std::string> read_hf_json(const std::filesystem::path& path) {
  AJAR_ASSIGN(const std::string text, read_hf_text(path));
  return with_floats(text);
}

}  // namespace ajar::engine
