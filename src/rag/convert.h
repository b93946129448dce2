#pragma once
// Files to text in a process of their own, with limits. Whatever a file does to its reader, it costs that file only.
//
// The helper is our own program, started anew with a hidden subcommand that calls convert_child(3, 4, <name>, <ocr>): 3 is the file, in
// memory; 4 is where the result goes. Limits: processor and wall time, address space, size of the result, open files; it may make no
// socket (seccomp) and opens no file but what programs are made of (Landlock, where the kernel has it); so do those it starts.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "rag/extracted.h"
#include "rag/ocr.h"

namespace ajar::rag {

struct ConvertOptions {
  std::vector<std::string> command;           // the helper's argv; the file's name and write_ocr() are added to it
  int processor_seconds = 60;
  std::chrono::milliseconds wall{120'000};
  size_t memory = size_t{2} << 30;            // of address space
  size_t result = size_t{160} << 20;          // bytes
  size_t file = size_t{512} << 20;            // larger files are refused unread
  OcrOptions ocr;                             // its seconds are added to `wall` for files that may be scanned
};

// Blocks until the helper has ended; any thread. kUnsupported, kInvalid, kTooLarge, kForbidden: of the file, with the reason;
// kTimeout: it took too long; kUnavailable: the helper could not be started.
Result<Extracted> convert(std::string_view bytes, std::string_view name, const ConvertOptions& options);

// In the helper: what main returns. Reads the file from `in`, writes the result to `out`. `path`: where programs are looked for (PATH).
int convert_child(int in, int out, std::string_view name, std::string_view ocr = {}, std::string_view path = {});

}  // namespace ajar::rag
