#include "rag/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdlib>
#include <map>

#include "base/clock.h"
#include "base/text.h"
#include "rag/collection_test_ingest.h"
#include "rag/extract.h"
#include "rag/rag_test_helper.h"

namespace ajar::rag {
namespace {

using ::testing::HasSubstr;

// What a hostile file might make its reader do.
int misbehave(std::string_view how) {
  if (how == "hang") pause();
  if (how == "spin")
    for (volatile unsigned i = 0;; i = i + 1) {
    }
  if (how == "crash") raise(SIGSEGV);
  if (how == "nonsense") return ::write(4, "AJARDOC1\1\377\377\377\377", 13) == 13 ? 0 : 1;
  if (how == "flood") {
    const std::string block(1 << 20, 'x');
    while (::write(4, block.data(), block.size()) > 0) {
    }
  }
  if (how == "fork") {  // leaves a process behind that holds the pipe
    if (fork() == 0) pause();
    pause();
  }
  if (how == "memory") {
    std::string all;
    try {
      for (int i = 0; i < 1 << 16; ++i) all.append(1 << 20, 'x');
    } catch (const std::bad_alloc&) {
      (void)!::write(4, write_result(fail(Code::kTooLarge, "no memory")).data(), 22);
    }
  }
  return 0;
}

TEST(Convert, AFileComesBackAsText) {
  const auto read = convert("# Title\n\nBody text.\n", "x.md", test_helper());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->text, "Title\n\nBody text.");
  EXPECT_EQ(read->blocks[0].kind, Block::Kind::kHeading);
}

TEST(Convert, ReasonsComeBackToo) {
  const auto read = convert("\x89PNG\r\n\x1a\n....", "scan.pdf", test_helper());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kUnsupported);
  EXPECT_THAT(read.error().message, HasSubstr("PNG image"));
  EXPECT_FALSE(convert("", "x", test_helper()));
}

TEST(Convert, WhateverAFileDoesToItsReaderCostsThatFileOnly) {
  for (const auto& [how, code] : std::map<std::string, Code>{{"hang", Code::kTimeout}, {"fork", Code::kTimeout}, {"spin", Code::kTooLarge},
                                                             {"crash", Code::kInvalid}, {"nonsense", Code::kInvalid}, {"flood", Code::kTooLarge}}) {
    ConvertOptions options = test_helper("misbehave-" + how);
    options.processor_seconds = 1;
    options.wall = std::chrono::milliseconds(how == "spin" ? 60'000 : 300);
    if (how == "crash" || how == "nonsense" || how == "flood") options.wall = std::chrono::milliseconds(60'000);
    options.result = 8 << 20;
    const auto read = convert("x", "x", options);
    ASSERT_FALSE(read) << how;
    EXPECT_EQ(read.error().code, code) << how << ": " << read.error().message;
  }
}

#ifndef AJAR_SANITIZED
TEST(Convert, MemoryIsBounded) {
  ConvertOptions options = test_helper("misbehave-memory");
  options.memory = 512 << 20;
  EXPECT_FALSE(convert("x", "x", options));
}
#endif

TEST(Convert, AHelperThatIsNotThereIsSaidToBe) {
  ConvertOptions options;
  options.command = {"/no/such/helper"};
  const auto read = convert("x", "x", options);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kUnavailable);
}

TEST(Convert, NoSocketsInTheHelper) {
  ConvertOptions options = test_helper("probe-sockets");
  const auto read = convert("x", "x", options);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->text, "EPERM");
}

TEST(Convert, NoFilesInTheHelper) {
  if (syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) < 1) GTEST_SKIP() << "this kernel has no Landlock";
  const auto read = convert("x", "x", test_helper("probe-files"));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->text, "EACCES EACCES EACCES EACCES open");
}

TEST(Result, GoesBothWays) {
  TextBuilder builder;
  builder.title("t");
  builder.page(3);
  builder.heading(2, "Head");
  builder.row({"a", "", "c"});
  builder.note("n");
  const auto made = builder.finish("x");
  const auto read = read_result(write_result(made));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->text, "Head\n\na |  | c");
  EXPECT_EQ(read->blocks[1].page, 3u);
  EXPECT_EQ(read->note, "n");
  const std::string whole = write_result(made);
  for (size_t i = 0; i < whole.size(); ++i) EXPECT_FALSE(read_result(std::string_view(whole).substr(0, i))) << i;
}

}  // namespace

std::string shared_data() {
  const char* set = std::getenv("AJAR_SHARED");
  const std::string path = set != nullptr ? set : std::string(AJAR_SOURCE_DIR) + "/../shared/data";
  return std::filesystem::exists(path) ? path : "";
}

int ingest_until_killed(int fd, int start, const std::string& folder) {
  auto collection = Collection::open(folder + "/c", ingest_options());
  if (!collection) return 1;
  const auto say = [&](const char* what, const std::string& id, int version) {
    const std::string line = std::string(what) + " " + id + " " + std::to_string(version) + "\n";
    return ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  };
  for (int i = start;; ++i) {
    const std::string id = "d" + std::to_string(i % 23);
    const int version = i % 5 == 3 ? -1 : i;
    if (!say("begin", id, version)) return 2;
    if (version < 0 ? !(*collection)->remove(std::vector<std::string>{id}) : !(*collection)->add({.id = id, .name = id + ".txt", .bytes = ingest_text(id, version)})) return 3;
    if (!say("done", id, version)) return 2;
  }
}

}  // namespace ajar::rag

int main(int argc, char** argv) {
  const std::string_view mode = argc == 3 || argc == 4 ? argv[1] : "";
  if (mode == "convert-child") return ajar::rag::convert_child(3, 4, argv[2], argc == 4 ? argv[3] : "", std::getenv("PATH") != nullptr ? std::getenv("PATH") : "");
  if (mode.starts_with("misbehave-")) return ajar::rag::misbehave(mode.substr(10));
  if (mode == "probe-sockets") {
    // Once the helper has read a file, what it gave up stays given up.
    const int elsewhere = open("/dev/null", 1);
    ajar::rag::convert_child(3, elsewhere, "x");
    const bool denied = syscall(SYS_socket, 2, 1, 0) < 0 && errno == EPERM;
    ajar::rag::TextBuilder out;
    out.paragraph(denied ? "EPERM" : "a socket");
    const std::string answer = ajar::rag::write_result(out.finish("txt"));
    return ::write(4, answer.data(), answer.size()) == static_cast<ssize_t>(answer.size()) ? 0 : 1;
  }
  if (mode == "probe-files") {
    const int elsewhere = open("/dev/null", 1);
    ajar::rag::convert_child(3, elsewhere, "x");
    std::string said;
    const auto probe = [&](const char* path, int how) {
      const int fd = open(path, how, 0600);
      said += std::string(said.empty() ? "" : " ") + (fd >= 0 ? "open" : errno == EACCES ? "EACCES" : "other");
      if (fd >= 0) close(fd);
    };
    probe("/etc/passwd", O_RDONLY), probe("/proc/self/environ", O_RDONLY), probe("/tmp", O_RDONLY | O_DIRECTORY), probe("/tmp/ajar-probe-of-files", O_WRONLY | O_CREAT);
    probe("/usr/bin/env", O_RDONLY);
    ajar::rag::TextBuilder out;
    out.paragraph(said);
    const std::string answer = ajar::rag::write_result(out.finish("txt"));
    return ::write(4, answer.data(), answer.size()) == static_cast<ssize_t>(answer.size()) ? 0 : 1;
  }
  if (mode.starts_with("ingest-until-killed:")) {
    const auto parts = ajar::split(mode, ':');
    return ajar::rag::ingest_until_killed(std::atoi(std::string(parts[1]).c_str()), std::atoi(std::string(parts[2]).c_str()), argv[2]);
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
