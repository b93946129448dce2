#include "case.h"

#include "base/text.h"

namespace ajar::wiretest {

std::string Case::get(const std::string& key, std::string_view otherwise) const {
  const auto found = head.find(key);
  return found == head.end() ? std::string(otherwise) : found->second;
}

const Section* Case::find(std::string_view name) const {
  for (const Section& section : sections) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  for (const std::string_view line : split(text, '\n')) {
    if (!trim(line).empty()) out.emplace_back(trim(line));
  }
  return out;
}

std::map<std::string, std::string> parse_pairs(std::string_view text) {
  std::map<std::string, std::string> out;
  for (const std::string& line : lines_of(text)) {
    if (line.starts_with('#')) continue;
    const size_t equals = line.find('=');
    const std::string_view view = line;
    if (equals == line.npos) {
      out[line] = "";
    } else {
      out[std::string(trim(view.substr(0, equals)))] = std::string(trim(view.substr(equals + 1)));
    }
  }
  return out;
}

Result<Case> parse_case(std::string path, std::string_view text) {
  static constexpr std::string_view kKnown[] = {"client", "upstream", "reply",   "stream",
                                                "json",   "error",    "dropped", "error_body"};
  static constexpr std::string_view kHead[] = {
      "front", "target", "kind",   "model", "preset", "base_path",     "api_version",       "keep_unknown",
      "end",    "refold", "mask",  "each",   "include_usage", "default_max_tokens"};
  Case out;
  out.path = std::move(path);
  std::string head;
  int number = 0;
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    ++number;
    if (line.starts_with("== ")) {
      Section section;
      section.line = number;
      for (const std::string_view word : split(trim(line.substr(3)), ' ')) {
        if (word.empty()) continue;
        if (section.name.empty()) {
          section.name = word;
        } else {
          section.args.emplace_back(word);
        }
      }
      bool known = false;
      for (const std::string_view name : kKnown) known = known || name == section.name;
      if (!known) {
        return fail(Code::kInvalid, out.path + ":" + std::to_string(number) +
                                        ": unknown section '" + section.name + "'");
      }
      out.sections.push_back(std::move(section));
      continue;
    }
    std::string& into = out.sections.empty() ? head : out.sections.back().body;
    into.append(line).push_back('\n');
  }
  out.head = parse_pairs(head);
  for (const auto& [key, value] : out.head) {
    bool known = false;
    for (const std::string_view name : kHead) known = known || name == key;
    if (!known) return fail(Code::kInvalid, out.path + ": unknown key '" + key + "'");
  }
  if (out.sections.empty()) return fail(Code::kInvalid, out.path + ": no section");
  return out;
}

}  // namespace ajar::wiretest
