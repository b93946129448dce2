#pragma once
// Files to text in a process of their own, with limits. Whatever a file does to its reader, it costs that file only.
//
// The helper is our own program, started anew with a hidden subcommand that calls convert_child(3, 4, <name>): 3 is the file, in
// memory; 4 is where the result goes. Limits: processor and wall time, address space, size of the result, open files;
// it can write no file, and may make no socket (seccomp; inherited by pdftotext).

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "rag/extracted.h"

namespace ajar::rag {

struct ConvertOptions {
  std::vector<std::string> command;           // the helper's argv; the file's name is added to it
  int processor_seconds = 60;
  std::chrono::milliseconds wall{120'000};
  size_t memory = size_t{2} << 30;            // of address space
  size_t result = size_t{160} << 20;          // bytes
  size_t file = size_t{512} << 20;            // larger files are refused unread
};

// Blocks until the helper has ended; any thread. kUnsupported, kInvalid, kTooLarge, kForbidden: of the file, with the reason;
// kTimeout: it took too long; kUnavailable: the helper could not be started.
Result<Extracted> convert(std::string_view bytes, std::string_view name, const ConvertOptions& options);

// In the helper: what main returns. Reads the file from `in`, writes the result to `out`.
int convert_child(int in, int out, std::string_view name);

}  // namespace ajar::rag
