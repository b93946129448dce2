#pragma once
// Whether two files are the same model, without reading them whole.

#include <string>

#include "engine/checkpoint.h"

namespace ajar::engine {

// Of the checkpoint's file, or of the files in its folder: sizes and times of change; of its tensors: names, shapes, formats, and up to
// 4 KiB from both ends of each. One line.
std::string checkpoint_identity(const Checkpoint& checkpoint);

}  // namespace ajar::engine
