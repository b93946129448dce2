#pragma once
// Comparing JSON as values: members in any order, numbers by value. In the expected text the string
// "*any*" stands for any value that is present.

#include <string>
#include <string_view>
#include <vector>

namespace ajar::wiretest {

// "" when equal, otherwise one line per difference: path, expected, got. `mask` names top-level
// members that are ignored on both sides.
std::string json_diff(std::string_view expected, std::string_view got,
                      const std::vector<std::string>& mask = {});

}  // namespace ajar::wiretest
