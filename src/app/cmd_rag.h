#pragma once
// What the two files of `ajar rag` share.

#include <memory>
#include <string>

#include "app/commands.h"
#include "app/rag_parts.h"

namespace ajar::app {

// A host of the models in the data folder.
Result<std::unique_ptr<ModelHost>> rag_host(const std::string& data);
void add_rag_bench(CommandContext& context, CommandLine rag);

}  // namespace ajar::app
