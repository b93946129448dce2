#pragma once
// The task model that is part of the binary (models/banking77.task; its card is models/banking77.md).

#include <string_view>

namespace ajar::app {

inline constexpr std::string_view kBuiltinTask = "builtin:banking77";  // as the path of a task
std::string_view builtin_task();                                       // the file's bytes

}  // namespace ajar::app
