#include "app/commands.h"
namespace ajar::app {
void add_selftest(CommandContext&) {}
}  // namespace ajar::app
