#pragma once
// A .case file in memory. The format is described in README.md beside this file.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ajar::wiretest {

struct Section {
  std::string name;               // "client", "upstream", "reply", ...
  std::vector<std::string> args;  // the words after the name
  std::string body;               // verbatim, each line ended by \n
  int line = 0;                   // of the header, for messages

  std::string arg(size_t index) const { return index < args.size() ? args[index] : std::string(); }
};

struct Case {
  std::string path;
  std::map<std::string, std::string> head;  // `key = value` lines before the first section
  std::vector<Section> sections;

  std::string get(const std::string& key, std::string_view otherwise = {}) const;
  const Section* find(std::string_view name) const;  // the first of that name, or null
};

Result<Case> parse_case(std::string path, std::string_view text);

// `key = value` lines; empty lines and lines that begin with # are skipped.
std::map<std::string, std::string> parse_pairs(std::string_view text);
std::vector<std::string> lines_of(std::string_view text);  // without empty lines

}  // namespace ajar::wiretest
