// The helper's side: gives up what it does not need, reads the file, answers.

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <csignal>
#include <new>
#include <stdexcept>
#include <vector>

#include "rag/convert.h"
#include "rag/extract.h"

namespace ajar::rag {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

// No sockets, no other process's memory, no mounts, no way round to io_uring. Kept across exec, so pdftotext has it too. The
// network is gone twice where the kernel gives a namespace of one's own.
bool give_up_network() {
  (void)unshare(CLONE_NEWUSER | CLONE_NEWNET);
  constexpr int kDenied[] = {SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_ptrace, SYS_mount, SYS_process_vm_writev, SYS_process_vm_readv,
                             SYS_io_uring_setup, SYS_bpf, SYS_keyctl, SYS_add_key, SYS_kexec_load, SYS_init_module, SYS_finit_module};
  std::vector<sock_filter> program = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
#if defined(__x86_64__)
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),  // the x32 interface has numbers of its own
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
#endif
  };
  for (const int call : kDenied) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

Result<Extracted> read_file(int in, std::string_view name) {
  struct stat info {};
  if (fstat(in, &info) != 0 || info.st_size <= 0) return fail(Code::kInvalid, "it is empty");
  const auto size = static_cast<size_t>(info.st_size);
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, in, 0);
  if (data == MAP_FAILED) return fail(Code::kTooLarge, "it does not fit into the memory that a file may take");
  try {
    return extract({static_cast<const char*>(data), size}, name);
  } catch (const std::bad_alloc&) {
    return fail(Code::kTooLarge, "reading it takes more memory than a file may take");
  } catch (const std::length_error&) {
    return fail(Code::kTooLarge, "reading it takes more memory than a file may take");
  }
}

}  // namespace

int convert_child(int in, int out, std::string_view name) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Result<Extracted> result = give_up_network() ? read_file(in, name)
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
