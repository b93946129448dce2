#pragma once
// `ajar replay --file`: what routers between two models would have made of recorded answers.

#include <string>
#include <vector>

#include "app/commands.h"

namespace ajar::app {

struct ReplayFileArgs {
  std::vector<std::string> files;
  std::string weak, strong;      // columns; empty: the first two
  std::string score;             // file of `ajar tune answers`; needs the weak model's answers
  bool learn = false;            // teach such a score from these answers, each judged by one that did not see it
  double cost_ratio = 0;         // price of a weak answer by a strong one's; 0: not known
};

int replay_file(const CommandContext& context, const ReplayFileArgs& args);

}  // namespace ajar::app
