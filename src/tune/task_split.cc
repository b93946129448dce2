#include "tune/task_split.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>

#include "base/text.h"

namespace ajar::tune {
namespace {

using Rows = std::vector<const learn::Labelled*>;

// Equal but for case and spaces.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : to_lower(trim(text))) {
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!space) out.push_back(c);
    else if (!out.ends_with(' ')) out.push_back(' ');
  }
  return out;
}

uint64_t hash_of(std::string_view text) {  // FNV-1a, mixed
  uint64_t h = 0xcbf29ce484222325;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  h ^= h >> 33, h *= 0xff51afd7ed558ccd, h ^= h >> 33;
  return h;
}

bool teaches(std::string_view split) { return split.starts_with("train") || split.ends_with("_train"); }

// Half of the held-out rows calibrates, half tests: every second one by the hash of its text.
void hold_out(Rows rows, std::map<std::string_view, uint32_t>& ids, TaskSplit& out) {
  std::ranges::sort(rows, {}, [](const auto* row) { return std::pair(hash_of(plain(row->text)), std::string_view(row->text)); });
  for (size_t i = 0; i < rows.size(); ++i)
    (i % 2 == 0 ? out.calibration : out.test).push_back({rows[i]->text, ids.at(rows[i]->label)});
}

}  // namespace

Result<TaskSplit> split_rows(const std::vector<learn::Labelled>& rows, std::string_view out_of_scope, double held_out) {
  if (!(held_out > 0 && held_out < 1)) return invalid("held_out", "the held-out share must lie between 0 and 1");
  TaskSplit out;
  std::set<std::string> seen;
  std::map<std::string_view, Rows> by_label;
  bool named = false;
  for (const auto& row : rows) {
    if (!seen.insert(plain(row.text)).second) {
      ++out.duplicates;
    } else if (!out_of_scope.empty() && row.label == out_of_scope) {
      out.out_of_scope.push_back({row.text});
    } else {
      by_label[row.label].push_back(&row);
      named = named || !row.split.empty();
    }
  }
  std::map<std::string_view, uint32_t> ids;
  for (const auto& [label, list] : by_label) {
    ids.emplace(label, static_cast<uint32_t>(out.labels.size()));
    out.labels.emplace_back(label);
  }
  if (out.labels.size() < 2) return invalid("rows", "a task needs rows of at least two labels");

  Rows held;
  for (auto& [label, list] : by_label) {
    Rows taught, rest;
    if (named) {
      for (const auto* row : list) (teaches(row->split) ? taught : rest).push_back(row);
    } else {
      std::ranges::sort(list, {}, [](const auto* row) { return std::pair(hash_of("split " + plain(row->text)), std::string_view(row->text)); });
      const auto n = static_cast<std::ptrdiff_t>(held_out * static_cast<double>(list.size()));
      rest.assign(list.begin(), list.begin() + n);
      taught.assign(list.begin() + n, list.end());
    }
    if (taught.empty()) return invalid("rows", "the label '" + std::string(label) + "' has no rows to learn from");
    for (const auto* row : taught) out.train.push_back({row->text, ids.at(label)});
    held.insert(held.end(), rest.begin(), rest.end());
  }
  hold_out(std::move(held), ids, out);
  if (out.calibration.size() + out.test.size() < 20)
    return invalid("rows", std::to_string(out.calibration.size() + out.test.size()) + " rows can be held out; at least 20 are needed to tell how good the model is");
  char share[64];
  std::snprintf(share, sizeof share, "%g of each label by the hash of the text", held_out);
  out.how = named ? "as the data name it" : share;
  return out;
}

}  // namespace ajar::tune
