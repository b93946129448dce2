#pragma once
// Which rows of a data set teach, which calibrate, which test.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "learn/labelled.h"

namespace ajar::tune {

struct SplitRow {
  std::string text;
  uint32_t label = 0;             // of out-of-scope rows: 0
};

struct TaskSplit {
  std::vector<std::string> labels;  // in the order of their bytes
  std::vector<SplitRow> train, calibration, test, out_of_scope;
  int64_t duplicates = 0;
  std::string how;                // for the lineage
};

// See train_task.
Result<TaskSplit> split_rows(const std::vector<learn::Labelled>& rows, std::string_view out_of_scope, double held_out);

}  // namespace ajar::tune
