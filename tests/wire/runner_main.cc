// wire_cases <file or folder>...: runs every .case below; exit status 1 when one fails.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "runner.h"

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  using namespace ajar::wiretest;
  std::vector<fs::path> files;
  for (int i = 1; i < argc; ++i) {
    if (!fs::is_directory(argv[i])) {
      files.emplace_back(argv[i]);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(argv[i])) {
      if (entry.path().extension() == ".case") files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  int failed = 0, checks = 0;
  for (const fs::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto parsed = parse_case(file.string(), text);
    Outcome outcome;
    if (parsed) {
      outcome = run_case(*parsed);
    } else {
      outcome.complaints = "    " + parsed.error().message + "\n";
    }
    checks += outcome.checks;
    if (outcome.complaints.empty()) continue;
    ++failed;
    std::printf("FAILED %s\n%s", file.c_str(), outcome.complaints.c_str());
  }
  std::printf("%d checks\n%zu passed, %d failed\n", checks, files.size() - size_t(failed), failed);
  return failed > 0 || files.empty() ? 1 : 0;
}
