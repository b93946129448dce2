#include "rag/sandbox.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "rag/subprocess.h"

namespace ajar::rag {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

}  // namespace

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

bool give_up_files() {
  // What the headers at hand may not know yet; the kernel says which of it there is.
  struct Rules {
    uint64_t files, network, scopes;
  };
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, size_t{0}, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return false;
  constexpr uint64_t kRead = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
  // 13 rights from the first version on, then renaming between folders, truncating, controlling devices.
  const int rights = version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13;
  Rules rules{.files = (uint64_t{1} << rights) - 1, .network = version >= 4 ? 3u : 0u, .scopes = version >= 6 ? 3u : 0u};
  const size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  const int set = static_cast<int>(syscall(SYS_landlock_create_ruleset, &rules, size, 0));
  if (set < 0) return false;
  const auto allow = [&](const std::string& path, uint64_t access) {
    const int fd = ::open(path.c_str(), O_PATH | O_CLOEXEC);
    if (fd < 0) return;  // what is not there cannot be read either
    landlock_path_beneath_attr rule{};
    rule.allowed_access = access, rule.parent_fd = fd;
    (void)syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    ::close(fd);
  };
  // Libraries, data of ICU, fonts and languages, the programs that read a part of a file.
  for (const char* folder : {"/usr", "/lib", "/lib64", "/bin", "/etc/fonts", "/var/cache/fontconfig"}) allow(folder, kRead);
  for (const char* file : {"/etc/ld.so.cache", "/dev/null", "/dev/urandom"}) allow(file, LANDLOCK_ACCESS_FS_READ_FILE);
  for (const char* program : {"pdftotext", "pdftoppm", "tesseract"})
    if (const std::string path = find_program(program); !path.empty()) allow(path, LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE);
  const bool done = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_landlock_restrict_self, set, 0) == 0;
  ::close(set);
  return done;
}

}  // namespace ajar::rag
