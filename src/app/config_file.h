#pragma once
// The configuration file: TOML in, Config out. Unknown keys are errors; every error carries file:line:column; all
// errors of a file are reported, not only the first.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "gateway/config.h"

namespace ajar::app {

// Gives the value of an environment variable. Only main passes the real one.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

struct ConfigFaults {
  std::vector<std::string> lines;  // "ajar.toml:12:5: unknown key 'basse_url' (did you mean 'base_url'?)"
  std::string text() const;
};

// Reads text that came from `file` (a name for messages).
std::expected<Config, ConfigFaults> read_config(std::string_view text, const std::string& file,
                                                const Environment& environment);
std::expected<Config, ConfigFaults> read_config_file(const std::string& path, const Environment& environment);

// What `ajar serve` runs with when it is given no file: the providers whose keys are in the environment, or the
// built-in simulator at `simulator_url` where there are none.
Config default_config(const Environment& environment, const std::string& simulator_url);
bool has_provider_key(const Environment& environment);

// docs/configuration.md, made from the same table that reads the file.
std::string config_reference();

}  // namespace ajar::app
