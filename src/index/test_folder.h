#pragma once
// A folder that goes with the test.

#include <unistd.h>

#include <filesystem>
#include <string>

namespace ajar::index {

class TestFolder {
 public:
  TestFolder() {
    static int made = 0;
    path_ = (std::filesystem::temp_directory_path() / ("ajar-index-" + std::to_string(getpid()) + "-" + std::to_string(++made))).string();
    std::filesystem::create_directories(path_);
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace ajar::index
