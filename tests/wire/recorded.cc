#include "recorded.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/text.h"
#include "json/read.h"

namespace ajar::wiretest {

fs::path recordings() {
  const char* shared = std::getenv("AJAR_SHARED");
  return (shared ? fs::path(shared) : fs::path(AJAR_SOURCE_DIR).parent_path() / "shared" / "data") /
         "wire";
}

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> out;
  if (!fs::exists(folder)) return out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) out.push_back(entry.path());
  }
  std::ranges::sort(out);
  return out;
}

// One JSON per line, as the data of server-sent events.
std::string frames(std::string_view lines, bool named) {
  std::string out;
  for (std::string_view line : split(lines, '\n')) {
    line = trim(line);
    if (line.empty()) continue;
    if (named) {
      json::Document document;
      const auto object = document.parse_object(line);
      if (object) out.append("event: ").append(json::string_or(*object, "type")).append("\n");
    }
    out.append("data: ").append(line).append("\n\n");
  }
  return out;
}

namespace {

std::string scalar(const YAML::Node& body) {
  const YAML::Node node = body["string"];
  if (!node || !node.IsScalar()) return {};
  const std::string text = node.as<std::string>();
  if (node.Tag() != "!binary" && node.Tag() != "tag:yaml.org,2002:binary") return text;
  std::string packed;
  std::ranges::copy_if(text, std::back_inserter(packed),
                       [](char c) { return c != '\n' && c != ' '; });
  return base64_decode(packed).value_or("");
}

}  // namespace

void for_each_exchange(const fs::path& folder, const std::function<void(const Exchange&)>& use) {
  for (const fs::path& path : files_below(folder)) {
    if (path.extension() != ".yml") continue;
    const std::string text = slurp(path);
    if (text.find("api.anthropic.com") == text.npos && text.find("googleapis.com") == text.npos)
      continue;
    for (const YAML::Node& item : YAML::Load(text)["http_interactions"]) {
      Exchange exchange;
      exchange.uri = item["request"]["uri"].as<std::string>();
      exchange.request = scalar(item["request"]["body"]);
      exchange.status = item["response"]["status"]["code"].as<int>();
      exchange.response = scalar(item["response"]["body"]);
      if (const YAML::Node type = item["response"]["headers"]["Content-Type"];
          type && type.IsSequence()) {
        exchange.type = type[0].as<std::string>();
      }
      use(exchange);
    }
  }
}

}  // namespace ajar::wiretest
