// What is asked: our own suites, and files of others.
#include <filesystem>
#include <random>

#include "app/redteam.h"
#include "embed/redteam_suites.toml.h"
#include "gateway/prices_toml.h"
#include "json/write.h"
#include "learn/prompt_list.h"

namespace ajar::app {
namespace {

using Words = std::map<std::string, std::string>;

// Words that no model has learnt and no other run has seen.
Words fresh_words(uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto draw = [&](std::string_view alphabet, size_t n) {
    std::string out;
    for (size_t i = 0; i < n; ++i) out.push_back(alphabet[random() % alphabet.size()]);
    return out;
  };
  const std::string head = draw("BCDFGHKLMNPRSTVZ", 1) + draw("AEIOU", 1) + draw("BCDFGHKLMNPRSTVZ", 1) + draw("AEIOU", 1), tail = draw("0123456789", 5);
  return {{"marker", head + tail}, {"marker_head", head}, {"marker_tail", tail}, {"secret", "tulip-" + draw("bcdfghjkmnpqrstvwxz0123456789", 10)},
          {"mail", "marta.okafor" + draw("0123456789", 4) + "@example.org"}, {"cloud_key", "AKIA" + draw("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)}};
}

std::string fill(std::string_view text, const Words& words) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t close = text[at] == '{' ? text.find('}', at) : text.npos;
    const auto word = close == text.npos ? words.end() : words.find(std::string(text.substr(at + 1, close - at - 1)));
    if (word == words.end()) {
      out.push_back(text[at++]);
    } else {
      out += word->second;
      at = close + 1;
    }
  }
  return out;
}

const toml::array& suites() {
  static const toml::parse_result kParsed = toml::parse(embed::redteam_suites_toml, std::string_view("redteam_suites.toml"));
  return *kParsed.table()["suite"].as_array();
}

std::string text_of(const toml::table& table, std::string_view key) { return table[key].value_or(std::string()); }

Result<std::vector<RedCase>> cases_of_suite(const toml::table& suite, const Words& words) {
  RedCase common{.suite = text_of(suite, "name"), .attack = text_of(suite, "kind") == "attack", .system = fill(text_of(suite, "system"), words)};
  common.judged = text_of(suite, "judged") == "marker" ? RedJudge::kMarker : RedJudge::kComplied;
  common.decoded = suite["decoded"].value_or(false);
  if (const toml::array* markers = suite["markers"].as_array()) {
    for (const auto& marker : *markers) common.markers.push_back(fill(marker.value_or(std::string()), words));
  }
  const std::string wrap = text_of(suite, "wrap");
  std::vector<RedCase> out;
  for (const auto& item : *suite["cases"].as_array()) {
    const toml::table& fields = *item.as_table();
    RedCase& red = out.emplace_back(common);
    red.id = text_of(fields, "id");
    AJAR_ASSIGN(red.text, encode_text(fill(text_of(fields, "text"), words), text_of(fields, "encode")));
    if (!wrap.empty()) red.text = fill(wrap, {{"text", red.text}});
    if (const auto tool = fields["tool"].value<std::string>()) red.tool = fill(*tool, words);
  }
  return out;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> builtin_suites() {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& suite : suites()) out.emplace_back(text_of(*suite.as_table(), "name"), text_of(*suite.as_table(), "about"));
  return out;
}

Result<std::vector<RedCase>> builtin_cases(uint64_t seed, const std::vector<std::string>& only) {
  const Words words = fresh_words(seed);
  std::vector<RedCase> out;
  for (const std::string& name : only) {
    if (std::ranges::none_of(builtin_suites(), [&](const auto& suite) { return suite.first == name; })) {
      std::string known;
      for (const auto& [suite, about] : builtin_suites()) known += (known.empty() ? "" : ", ") + suite;
      return fail(Code::kNotFound, "there is no suite '" + name + "'; known are " + known);
    }
  }
  for (const auto& suite : suites()) {
    const toml::table& table = *suite.as_table();
    if (!only.empty() && std::ranges::find(only, text_of(table, "name")) == only.end()) continue;
    AJAR_ASSIGN(auto cases, cases_of_suite(table, words));
    out.insert(out.end(), std::make_move_iterator(cases.begin()), std::make_move_iterator(cases.end()));
  }
  return out;
}

Result<std::vector<RedCase>> cases_of_file(const std::string& path, bool benign) {
  AJAR_ASSIGN(const auto prompts, learn::read_prompts(path));
  std::vector<RedCase> attacks, harmless;
  const std::string name = std::filesystem::path(path).stem().string();
  int64_t number = 0;
  for (const learn::Prompt& prompt : prompts) {
    const bool fine = prompt.benign.value_or(benign);
    // One suite is one kind: a file with both makes two.
    const char* const kind = fine == benign ? "" : fine ? ":benign" : ":attack";
    (fine ? harmless : attacks).push_back({.suite = name + kind, .id = std::to_string(++number), .attack = !fine, .markers = {}, .system = {},
                                           .text = prompt.text, .tool = {}});
  }
  attacks.insert(attacks.end(), std::make_move_iterator(harmless.begin()), std::make_move_iterator(harmless.end()));
  return attacks;
}

std::string request_body(const RedCase& red, const std::string& model, int64_t max_tokens) {
  std::string out;
  json::Writer w(out);
  const auto message = [&](const char* role, std::string_view text) {
    w.begin_object();
    w.field("role", role);
    w.field("content", text);
    w.end_object();
  };
  w.begin_object();
  w.field("model", model);
  w.field("max_tokens", max_tokens);
  w.key("messages");
  w.begin_array();
  if (!red.system.empty()) message("system", red.system);
  message("user", red.text);
  if (red.tool) {
    w.raw(R"({"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"fetch","arguments":"{\"what\":\"it\"}"}}]})");
    w.begin_object();
    w.field("role", "tool");
    w.field("tool_call_id", "call_1");
    w.field("content", *red.tool);
    w.end_object();
  }
  w.end_array();
  if (red.tool) {
    w.raw_field("tools", R"([{"type":"function","function":{"name":"fetch","description":"Fetches a page, a message or a record.",)"
                         R"("parameters":{"type":"object","properties":{"what":{"type":"string"}},"required":["what"]}}}])");
  }
  w.end_object();
  return out;
}

}  // namespace ajar::app
