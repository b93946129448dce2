#include "api/gemini_path.h"

#include "base/text.h"

namespace ajar::api {
namespace {

bool take(std::string_view& path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  path.remove_prefix(prefix.size());
  return true;
}

}  // namespace

std::optional<GeminiPath> gemini_path(std::string_view path) {
  if (!take(path, "/v1beta1/") && !take(path, "/v1beta/") && !take(path, "/v1/")) return std::nullopt;
  if (take(path, "projects/") || path.starts_with("publishers/")) {
    constexpr std::string_view kModels = "/models/";
    const size_t at = path.find(kModels);
    if (at == path.npos) return std::nullopt;
    path.remove_prefix(at + kModels.size());
  } else if (!take(path, "models/")) {
    return std::nullopt;
  }
  const size_t colon = path.rfind(':');
  if (colon == path.npos || colon == 0 || path.find('/', colon) != path.npos) return std::nullopt;
  const std::string_view name = path.substr(0, colon);
  return GeminiPath{.model = percent_decode(name).value_or(std::string(name)),
                    .verb = std::string(path.substr(colon + 1))};
}

bool is_gemini(std::string_view path) {
  return path.starts_with("/v1beta/") || path.starts_with("/v1beta1/") || path.starts_with("/v1/projects/") ||
         path.starts_with("/v1/publishers/") || (path.starts_with("/v1/models/") && gemini_path(path));
}

}  // namespace ajar::api
