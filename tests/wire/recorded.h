#pragma once
// Recorded traffic of real providers, where it is at hand: $AJAR_SHARED/wire, or ../shared/data/wire beside the source.

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ajar::wiretest {

namespace fs = std::filesystem;

fs::path recordings();
std::string slurp(const fs::path& path);
std::vector<fs::path> files_below(const fs::path& folder);  // sorted; none when there is no such folder

// One JSON per line, as the data of server-sent events; `named`: with `event:` lines.
std::string frames(std::string_view lines, bool named);

// A recorded conversation of a VCR cassette.
struct Exchange {
  std::string uri, request, type, response;
  int status = 0;
};
// Those with Anthropic and Google, of every cassette below the folder.
void for_each_exchange(const fs::path& folder, const std::function<void(const Exchange&)>& use);

}  // namespace ajar::wiretest
