#pragma once
// Data for tests, read where they are at hand.

#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "json/read.h"

namespace ajar::guard {

// `root`: $AJAR_SHARED, the folder of test data, or null.
inline std::optional<std::string> shared_file(const char* root, const std::string& name) {
  if (root == nullptr) return std::nullopt;
  std::ifstream in(std::string(root) + "/guard/" + name, std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

struct Span {
  size_t begin, end;  // bytes
  std::string entity;
};
struct Sample {
  std::string text;
  std::vector<Span> spans;
};

// presidio-research's synthetic sentences; empty where they are not at hand. Its offsets count code points.
inline std::vector<Sample> presidio_samples(const char* root) {
  std::vector<Sample> samples;
  const auto file = shared_file(root, "presidio-research/synth_dataset_v2.json");
  if (!file) return samples;
  json::Document document;
  const auto parsed = document.parse(*file);
  if (!parsed) return samples;
  const auto items = json::as_array(*parsed).value();
  for (const json::Value& item : items) {
    const auto object = json::as_object(item).value();
    Sample sample{std::string(json::string_or(object, "full_text")), {}};
    std::vector<size_t> starts;
    for (size_t i = 0; i < sample.text.size(); ++i) {
      if ((sample.text[i] & 0xC0) != 0x80) starts.push_back(i);
    }
    starts.push_back(sample.text.size());
    const auto spans = json::as_array(*json::find(object, "spans")).value();
    for (const json::Value& entry : spans) {
      const auto span = json::as_object(entry).value();
      const auto begin = static_cast<size_t>(json::int_or(span, "start_position"));
      const auto end = static_cast<size_t>(json::int_or(span, "end_position"));
      if (begin >= starts.size() || end >= starts.size()) continue;
      sample.spans.push_back({starts[begin], starts[end], std::string(json::string_or(span, "entity_type"))});
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace ajar::guard
