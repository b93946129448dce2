#include "app/builtin_task.h"

// A file of megabytes as a C++ literal would take the compiler a minute.
asm(R"(
  .section .rodata
  .balign 16
  .global ajar_builtin_task
  .global ajar_builtin_task_end
ajar_builtin_task:
  .incbin ")" AJAR_BUILTIN_TASK R"("
ajar_builtin_task_end:
  .byte 0
  .previous
)");

extern "C" const char ajar_builtin_task[], ajar_builtin_task_end[];

namespace ajar::app {

std::string_view builtin_task() { return {ajar_builtin_task, size_t(ajar_builtin_task_end - ajar_builtin_task)}; }

}  // namespace ajar::app
