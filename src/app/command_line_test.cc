#include "app/command_line.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ajar::app {
namespace {

// What parsing printed, and the status that it gave; -1 where the program goes on.
struct Parsed {
  int status = -1;
  std::string out, err;
};

Parsed parse_line(CommandLineRoot& line, std::vector<const char*> args) {
  args.insert(args.begin(), "tool");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Parsed parsed;
  parsed.status = line.parse(int(args.size()), args.data()).value_or(-1);
  parsed.out = testing::internal::GetCapturedStdout();
  parsed.err = testing::internal::GetCapturedStderr();
  return parsed;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

struct Values {
  std::string text = "as it was", place;
  int small = 0;
  int64_t large = 0;
  uint64_t natural = 7;
  double real = 0.5;
  std::vector<std::string> texts, words;
  std::vector<int> numbers = {1, 8};
  bool flag = false;
};

void add_all(CommandLine line, Values& values) {
  line.add_option("place", values.place, "A place");
  line.add_option("-t,--text", values.text, "A text").capture_default();
  line.add_option("--small", values.small, "A number").between(1, 32);
  line.add_option("--large", values.large, "A number").between(int64_t(1) << 12, int64_t(1) << 40).group("");
  line.add_option("--natural", values.natural, "A number").capture_default();
  line.add_option("--real", values.real, "A share").between(0.0, 1.0).capture_default();
  line.add_option("--texts", values.texts, "Several");
  line.add_option("--words", values.words, "Several").delimiter(',');
  line.add_option("--numbers", values.numbers, "Several").delimiter(',').capture_default();
  line.add_flag("-f,--flag", values.flag, "A flag");
  line.footer("The end.");
}

TEST(CommandLine, ANumberBelowZeroIsNoNaturalOne) {
  Values values;
  CommandLineRoot line("A tool", "tool");
  add_all(line, values);
  const Parsed parsed = parse_line(line, {"--natural", "-2"});
  EXPECT_EQ(parsed.status, 105);
  EXPECT_TRUE(has(parsed.err, "--natural: -2 is below 0")) << parsed.err;
}

TEST(CommandLine, ReadsEachType) {
  Values values;
  CommandLineRoot line("A tool", "tool");
  add_all(line, values);
  const Parsed parsed = parse_line(line, {"here", "-t", "two words", "--small=32", "--large", "1099511627776", "--natural", "18446744073709551615",
                                                     "--real", "0.25", "--texts", "a,b", "--texts", "c", "--words", "a,b", "--numbers", "2,3", "-f"});
  EXPECT_EQ(parsed.status, -1) << parsed.err;
  EXPECT_EQ(values.place, "here");
  EXPECT_EQ(values.text, "two words");
  EXPECT_EQ(values.small, 32);
  EXPECT_EQ(values.large, int64_t(1) << 40);
  EXPECT_EQ(values.natural, UINT64_MAX);
  EXPECT_EQ(values.real, 0.25);
  EXPECT_EQ(values.texts, (std::vector<std::string>{"a,b", "c"}));
  EXPECT_EQ(values.words, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(values.numbers, (std::vector<int>{2, 3}));
  EXPECT_TRUE(values.flag);
}

TEST(CommandLine, LeavesWhatIsNotGiven) {
  Values values;
  CommandLineRoot line("A tool", "tool");
  add_all(line, values);
  EXPECT_EQ(parse_line(line, {}).status, -1);
  EXPECT_EQ(values.text, "as it was");
  EXPECT_EQ(values.natural, 7u);
  EXPECT_EQ(values.numbers, (std::vector<int>{1, 8}));
}

TEST(CommandLine, HelpEndsWithStatus0AndShowsDefaults) {
  Values values;
  CommandLineRoot line("A tool", "tool");
  add_all(line, values);
  const Parsed parsed = parse_line(line, {"--help"});
  EXPECT_EQ(parsed.status, 0);
  for (const char* part : {"A tool\nUsage: tool [OPTIONS] [place]", "--text TEXT=as it was ", "--natural UINT=7 ", "--real FLOAT:FLOAT in [0 - 1]=0.5",
                           "--numbers INT=[1,8] ", "INT in [1 - 32]", "--flag ", "The end."}) {
    EXPECT_TRUE(has(parsed.out, part)) << part << " is not in\n" << parsed.out;
  }
  EXPECT_FALSE(has(parsed.out, "--large")) << "an option of the group \"\" is shown";
  EXPECT_EQ(parsed.err, "");
}

TEST(CommandLine, ChecksNameTheOption) {
  const std::string file = std::filesystem::read_symlink("/proc/self/exe"), folder = std::filesystem::path(file).parent_path();
  double number = 0;
  std::string file_path, folder_path, path, one;
  CommandLineRoot line("A tool", "tool");
  line.add_option("--positive", number, "").positive();
  line.add_option("--natural", number, "").at_least_zero();
  line.add_option("--between", number, "").between(0.5, 1.0);
  line.add_option("--file", file_path, "").existing_file();
  line.add_option("--folder", folder_path, "").existing_directory();
  line.add_option("--path", path, "").existing_path();
  line.add_option("--one", one, "").one_of({"f16", "q8_0"});
  for (const auto& [name, right, wrong] : std::vector<std::array<std::string, 3>>{{"--positive", "1", "0"}, {"--natural", "0", "-1"}, {"--between", "1", "1.5"},
           {"--file", file, folder}, {"--folder", folder, file}, {"--path", folder, folder + "/none"}, {"--one", "q8_0", "f32"}}) {
    EXPECT_EQ(parse_line(line, {name.c_str(), right.c_str()}).status, -1) << name;
    const Parsed parsed = parse_line(line, {name.c_str(), wrong.c_str()});
    EXPECT_EQ(parsed.status, 105) << name;
    EXPECT_TRUE(has(parsed.err, name + ": ")) << parsed.err;
    EXPECT_EQ(parsed.out, "");
  }
}

TEST(CommandLine, FaultsHaveAStatus) {
  Values values;
  CommandLineRoot line("A tool", "tool");
  add_all(line, values);
  EXPECT_EQ(parse_line(line, {"--unknown"}).status, 109);
  EXPECT_EQ(parse_line(line, {"--small", "many"}).status, 105);
  EXPECT_EQ(parse_line(line, {"--natural", "many"}).status, 104);
}

TEST(CommandLine, RequiredAndNeeded) {
  std::string must, may;
  bool flag = false;
  CommandLineRoot line("A tool", "tool");
  line.add_option("must", must, "").required();
  const auto other = line.add_option("--may", may, "").required(false);
  line.add_flag("--flag", flag, "").needs(other);
  const Parsed lacks = parse_line(line, {});
  EXPECT_EQ(lacks.status, 106);
  EXPECT_TRUE(has(lacks.err, "must is required")) << lacks.err;
  EXPECT_EQ(parse_line(line, {"x", "--flag"}).status, 107);
  EXPECT_EQ(parse_line(line, {"x", "--flag", "--may", "y"}).status, -1);
}

TEST(CommandLine, Subcommands) {
  bool json = false;
  CommandLineRoot line("A tool", "tool");
  line.require_subcommand(1);
  line.fallthrough();
  line.column_width(50);
  line.add_flag("--json", json, "As JSON");
  CommandLine first = line.add_subcommand("first", "The first"), second = line.add_subcommand("second", "The second");
  second.require_subcommand(0, 1);
  const CommandLine inner = second.add_subcommand("inner", "Inside");
  EXPECT_EQ(line.name() + " " + inner.name(), "tool inner");
  EXPECT_EQ(parse_line(line, {}).status, 106);
  EXPECT_EQ(parse_line(line, {"third"}).status, 106);
  EXPECT_EQ(parse_line(line, {"second", "--json"}).status, -1);
  EXPECT_TRUE(json && second.parsed() && !first.parsed() && !inner.parsed());
  EXPECT_EQ(parse_line(line, {"second", "inner"}).status, -1);
  EXPECT_TRUE(second.parsed() && inner.parsed());
  const std::string help = parse_line(line, {"second", "--help"}).out;
  EXPECT_TRUE(has(help, "inner" + std::string(43, ' ') + "Inside")) << help;
}

}  // namespace
}  // namespace ajar::app
