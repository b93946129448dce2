#pragma once
// Programs of others that read a part of a file for us: pdftotext, pdftoppm, tesseract. Only in the helper process, whose limits they
// inherit: no network, no files but their own.

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace ajar::rag {

// Bytes as a file in memory that a child may read; it begins at its start.
class MemoryFile {
 public:
  static Result<MemoryFile> make(std::string_view bytes);  // kUnavailable
  MemoryFile(MemoryFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  MemoryFile& operator=(MemoryFile&&) = delete;
  ~MemoryFile();
  std::string path() const { return "/dev/fd/" + std::to_string(fd_); }
  int fd() const { return fd_; }

 private:
  explicit MemoryFile(int fd) : fd_(fd) {}
  int fd_;
};

struct ProgramOutput {
  std::string text, complaint;  // the latter cut at 4 KiB
  int status = -1;              // as waitpid gives it; 127: it is not installed
};

// Where programs lie: folders joined by ':', as in PATH. Empty: as it was. Before the first of the calls below.
void look_for_programs_in(std::string_view path);
std::string find_program(std::string_view name);  // empty: nowhere

// Runs argv[0] as it is found, with the file as its standard input when there is one. kTooLarge: it wrote more than `most`;
// kTimeout; kUnavailable: no process.
Result<ProgramOutput> run_program(const std::vector<std::string>& argv, const MemoryFile* input, size_t most, TimePoint deadline);

}  // namespace ajar::rag
