// The helper's side: gives up what it does not need, reads the file, answers.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <new>
#include <stdexcept>

#include "rag/convert.h"
#include "rag/extract.h"
#include "rag/sandbox.h"
#include "rag/subprocess.h"

namespace ajar::rag {
namespace {

Result<Extracted> read_file(int in, std::string_view name, const OcrOptions& ocr) {
  struct stat info {};
  if (fstat(in, &info) != 0 || info.st_size <= 0) return fail(Code::kInvalid, "it is empty");
  const auto size = static_cast<size_t>(info.st_size);
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, in, 0);
  if (data == MAP_FAILED) return fail(Code::kTooLarge, "it does not fit into the memory that a file may take");
  try {
    return extract({static_cast<const char*>(data), size}, name, ocr);
  } catch (const std::bad_alloc&) {
    return fail(Code::kTooLarge, "reading it takes more memory than a file may take");
  } catch (const std::length_error&) {
    return fail(Code::kTooLarge, "reading it takes more memory than a file may take");
  }
}

}  // namespace

int convert_child(int in, int out, std::string_view name, std::string_view ocr, std::string_view path) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Programs that it starts would answer in its name, and one that outlives it would keep the answer open.
  for (const int fd : {in, out}) fcntl(fd, F_SETFD, FD_CLOEXEC);
  look_for_programs_in(path);
  ::setenv("OMP_THREAD_LIMIT", "1", 1);  // tesseract's threads wait for each other more than they work
  const bool alone = give_up_network();
  if (alone) (void)give_up_files();  // older kernels lack it: docs/rag.md
  Result<Extracted> result = alone ? read_file(in, name, read_ocr(ocr))
                                   : fail(Code::kUnavailable, "the kernel does not let the converter give up the network");
  const std::string answer = write_result(result);
  for (size_t at = 0; at < answer.size();) {
    const ssize_t n = ::write(out, answer.data() + at, answer.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return 1;
    at += static_cast<size_t>(n);
  }
  return 0;
}

}  // namespace ajar::rag
