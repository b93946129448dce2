#pragma once
// For tests: the folder of shared data, a folder that goes with the test, the helper process.

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "rag/convert.h"

namespace ajar::rag {

// Empty when it is not at hand.
std::string shared_data();  // convert_test.cc

inline std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

class TestFolder {
 public:
  TestFolder() {
    static int made = 0;
    path_ = (std::filesystem::temp_directory_path() / ("ajar-rag-" + std::to_string(getpid()) + "-" + std::to_string(++made))).string();
    std::filesystem::create_directories(path_);
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }
  std::string write(const std::string& name, std::string_view text) const {
    std::filesystem::create_directories(std::filesystem::path(path_ + "/" + name).parent_path());
    std::ofstream(path_ + "/" + name, std::ios::binary) << text;
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

// The test binary itself, which main() in convert_test.cc makes a helper.
inline ConvertOptions test_helper(std::string mode = "convert-child") {
  ConvertOptions options;
  options.command = {std::filesystem::read_symlink("/proc/self/exe").string(), std::move(mode)};
  return options;
}

}  // namespace ajar::rag
