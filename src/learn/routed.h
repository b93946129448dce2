#pragma once
// Prompts that two models answered, with what each answer was worth, as RouteLLM records them (Ong et al., 2024): CSV with a header
// prompt,WEAK,STRONG and perhaps WEAK_response; worths are True, False or numbers.

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ajar::learn {

struct RoutedRow {
  std::string prompt;
  std::string answer;                 // the weak model's, where the file has it
  double weak = 0, strong = 0;
};

struct RoutedFile {
  std::string weak, strong;           // the columns' names
  bool answers = false;               // it has the weak model's
  std::vector<RoutedRow> rows;
};

// `weak`, `strong`: columns; empty: the first two behind the prompt's. kInvalid names the source and the line.
Result<RoutedFile> parse_routed(std::string_view bytes, std::string_view source, std::string_view weak = {}, std::string_view strong = {});

}  // namespace ajar::learn
