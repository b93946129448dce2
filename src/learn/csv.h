#pragma once
// Comma-separated values as RFC 4180 has them: quoted fields, doubled quotes, line ends within quotes. LF or CRLF.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ajar::learn {

struct CsvRow {
  size_t line;                        // where it begins, from 1
  std::vector<std::string> fields;
};

// Blank lines are left out. kInvalid with `source`:line: a quote that never closes, text after a closing quote.
Result<std::vector<CsvRow>> parse_csv(std::string_view bytes, std::string_view source);

}  // namespace ajar::learn
