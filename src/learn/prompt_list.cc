#include "learn/prompt_list.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "json/read.h"
#include "learn/csv.h"
#include "learn/file.h"

namespace ajar::learn {
namespace {

constexpr int kMostDepth = 8;
constexpr std::array<std::string_view, 8> kTextNames = {"prompt", "text", "question", "input", "goal", "behavior", "query", "instruction"};
constexpr std::array<std::string_view, 3> kLabelNames = {"label", "class", "is_safe"};
constexpr std::array<std::string_view, 3> kCategoryNames = {"category", "type", "intent"};
constexpr std::array<std::string_view, 3> kListNames = {"payloads", "prompts", "data"};
constexpr std::array<std::string_view, 6> kBenign = {"safe", "benign", "harmless", "normal", "0", "false"};
constexpr std::array<std::string_view, 8> kAttack = {"unsafe", "harmful", "attack", "malicious", "injection", "jailbreak", "1", "true"};

std::optional<bool> benign_of(std::string_view name, std::string_view label) {
  const std::string word = to_lower(trim(label));
  if (name == "is_safe") return word == "true" || word == "1";
  if (std::ranges::find(kBenign, word) != kBenign.end()) return true;
  if (std::ranges::find(kAttack, word) != kAttack.end()) return false;
  return std::nullopt;
}

class Reader {
 public:
  explicit Reader(std::string_view source) : source_(source) {}

  Status add(std::string_view text, std::optional<bool> benign, std::string_view category, const std::string& where) {
    if (trim(text).empty()) return {};
    if (!valid_utf8(text)) return invalid("text", where + ": not UTF-8");
    prompts_.push_back({.text = std::string(trim(text)), .benign = benign, .category = std::string(category)});
    return {};
  }

  // False: the value is no prompt, but may hold some.
  Result<bool> take(const json::Value& value, std::string_view category, const std::string& where) {
    if (const auto text = json::as_string(value)) {
      AJAR_TRY(add(*text, std::nullopt, category, where));
      return true;
    }
    const auto object = json::as_object(value);
    if (!object) return false;
    for (const std::string_view name : kTextNames) {
      const auto member = json::find(*object, name);
      const auto text = member ? json::as_string(*member) : std::nullopt;
      if (!text) continue;
      std::optional<bool> benign;
      for (const std::string_view label : kLabelNames) {
        const auto said = json::find(*object, label);
        if (!said || benign) continue;
        const auto word = json::as_string(*said);
        benign = benign_of(label, word ? std::string(*word) : json::raw(*said));
      }
      for (const std::string_view of : kCategoryNames) {
        if (category.empty()) category = json::string_or(*object, of);
      }
      AJAR_TRY(add(*text, benign, category, where));
      return true;
    }
    return false;
  }

  Status walk(const json::Value& value, std::string_view category, int depth) {
    if (depth > kMostDepth) return invalid("json", std::string(source_) + ": it is nested too deeply");
    const std::string where(source_);
    AJAR_ASSIGN(const bool taken, take(value, category, where));
    if (taken) return {};
    if (const auto array = json::as_array(value)) {
      for (const json::Value item : *array) AJAR_TRY(walk(item, category, depth + 1));
      return {};
    }
    const auto object = json::as_object(value);
    if (!object) return {};
    for (const std::string_view name : kListNames) {
      if (const auto list = json::find(*object, name)) return walk(*list, category, depth + 1);
    }
    for (const auto [name, member] : *object) {
      if (json::as_array(member) || json::as_object(member)) AJAR_TRY(walk(member, name, depth + 1));
    }
    return {};
  }

  Status lines(std::string_view bytes) {
    json::Document document;
    size_t line = 0;
    for (const std::string_view text : split(bytes, '\n')) {
      const std::string where = std::string(source_) + ":" + std::to_string(++line);
      if (trim(text).empty()) continue;
      auto value = document.parse(text);
      if (!value) return std::unexpected(std::move(value.error()).in(where));
      AJAR_ASSIGN(const bool taken, take(*value, "", where));
      if (!taken) return invalid("text", where + ": no text");
    }
    return {};
  }

  Status plain(std::string_view bytes) {
    size_t line = 0;
    for (const std::string_view text : split(bytes, '\n')) AJAR_TRY(add(text, std::nullopt, "", std::string(source_) + ":" + std::to_string(++line)));
    return {};
  }

  // False: its first row names no text.
  Result<bool> csv(std::string_view bytes) {
    const auto column = [](const std::vector<std::string>& header, const auto& names) -> std::optional<size_t> {
      for (const std::string_view name : names) {
        for (size_t i = 0; i < header.size(); ++i) {
          if (iequals(trim(header[i]), name)) return i;
        }
      }
      return std::nullopt;
    };
    const auto head = parse_csv(bytes.substr(0, bytes.find('\n')), source_);
    if (!head || head->empty() || !column(head->front().fields, kTextNames)) return false;
    AJAR_ASSIGN(const auto rows, parse_csv(bytes, source_));
    const auto& header = rows.front().fields;
    const auto text = column(header, kTextNames), label = column(header, kLabelNames), category = column(header, kCategoryNames);
    for (size_t i = 1; i < rows.size(); ++i) {
      const auto& [line, fields] = rows[i];
      const std::string where = std::string(source_) + ":" + std::to_string(line);
      if (fields.size() != header.size()) {
        return invalid("row", where + ": " + std::to_string(fields.size()) + " columns, expected " + std::to_string(header.size()));
      }
      const auto benign = label ? benign_of(to_lower(trim(header[*label])), fields[*label]) : std::nullopt;
      AJAR_TRY(add(fields[*text], benign, category ? std::string_view(fields[*category]) : "", where));
    }
    return true;
  }

  std::vector<Prompt> take_all() { return std::move(prompts_); }

 private:
  std::string_view source_;
  std::vector<Prompt> prompts_;
};

Status read_any(Reader& reader, std::string_view bytes, std::string_view source) {
  const std::string_view start = trim(bytes.substr(0, 4096));
  if (!start.starts_with('{') && !start.starts_with('[') && !start.starts_with('"')) {
    AJAR_ASSIGN(const bool table, reader.csv(bytes));
    return table ? Status() : reader.plain(bytes);
  }
  json::Document document;
  auto whole = document.parse(bytes);
  if (whole) return reader.walk(*whole, "", 0);
  if (json::explain(trim(bytes.substr(0, bytes.find('\n')))).empty()) return reader.lines(bytes);
  if (start.starts_with('"')) {  // a quoted column of a table, or a line that begins with a quotation
    AJAR_ASSIGN(const bool table, reader.csv(bytes));
    return table ? Status() : reader.plain(bytes);
  }
  return std::unexpected(std::move(whole.error()).in(source));
}

}  // namespace

Result<std::vector<Prompt>> parse_prompts(std::string_view bytes, std::string_view source) {
  bytes = without_mark(bytes);
  Reader reader(source);
  AJAR_TRY(read_any(reader, bytes, source));
  auto prompts = reader.take_all();
  if (prompts.empty()) return invalid("prompts", std::string(source) + ": no prompts");
  return prompts;
}

Result<std::vector<Prompt>> read_prompts(const std::string& path) {
  AJAR_ASSIGN(const std::string bytes, read_file(path, int64_t{256} << 20));
  return parse_prompts(bytes, path);
}

}  // namespace ajar::learn
