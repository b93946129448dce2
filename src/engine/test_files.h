#pragma once
// Files for tests: a folder that goes with the test, safetensors of given shapes.

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ajar::engine {

class Folder {
 public:
  Folder() {
    static int made = 0;
    path_ = std::filesystem::temp_directory_path() / ("ajar-engine-" + std::to_string(getpid()) + "-" + std::to_string(++made));
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, std::string_view text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
    return (path_ / name).string();
  }
  std::string at(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

inline std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

using Shapes = std::vector<std::pair<std::string, std::vector<int64_t>>>;

// "x.{L}.y" stands for each of two layers, "{E}" for each of four experts.
inline Shapes expanded(const Shapes& shapes) {
  Shapes out;
  const auto replaced = [](std::string text, const std::string& from, int to) {
    const size_t at = text.find(from);
    return at == std::string::npos ? text : text.replace(at, from.size(), std::to_string(to));
  };
  for (const auto& [name, shape] : shapes) {
    const int layers = name.find("{L}") == std::string::npos ? 1 : 2, experts = name.find("{E}") == std::string::npos ? 1 : 4;
    for (int layer = 0; layer < layers; ++layer) {
      for (int expert = 0; expert < experts; ++expert) {
        out.emplace_back(replaced(replaced(name, "{L}", layer), "{E}", expert), shape);
      }
    }
  }
  return out;
}

// Whose every number is of the bytes 0x3c; for F32 it counts up in steps of 1/64 per tensor. `shift`: where the data
// begin, modulo 8.
inline std::string safetensors_of(const Shapes& shapes, const std::string& dtype, size_t shift = 0) {
  std::string json = "{", data;
  for (const auto& [name, shape] : shapes) {
    size_t count = 1;
    std::string dims;
    for (const int64_t n : shape) count *= size_t(n), dims += (dims.empty() ? "" : ",") + std::to_string(n);
    const size_t from = data.size();
    if (dtype == "F32") {
      for (size_t i = 0; i < count; ++i) {
        const float value = float(i) / 64;
        data.append(reinterpret_cast<const char*>(&value), sizeof value);
      }
    } else {
      data.append(2 * count, '\x3c');
    }
    json += (json.size() > 1 ? "," : "") + ("\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + dims +
                                             "],\"data_offsets\":[" + std::to_string(from) + "," + std::to_string(data.size()) + "]}");
  }
  json += "}";
  while ((json.size() + 8) % 8 != shift) json += ' ';
  const uint64_t size = json.size();
  return std::string(reinterpret_cast<const char*>(&size), 8) + json + data;
}

}  // namespace ajar::engine
