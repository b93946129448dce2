// Templates against what Jinja2 made of them: tests/chat/compare.py recorded both.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/random.h"
#include "chat/jinja/from_json.h"
#include "chat/jinja/jinja.h"

namespace ajar::jinja {
namespace {

namespace fs = std::filesystem;
constexpr int64_t kNow = 1767225600 + 86400 * 45;

fs::path models() {
  const char* shared = std::getenv("AJAR_SHARED");
  return (shared ? fs::path(shared) : fs::path(AJAR_SOURCE_DIR) / "../shared/data") / "models";
}

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

Result<std::string> render(std::string_view source, const Value& context, const Limits& limits = {}) {
  AJAR_ASSIGN(const auto parsed, Template::parse(source));
  return parsed.render(context, kNow, limits);
}

TEST(Templates, RenderAsJinja2Does) {
  const fs::path folder = models() / "chat-templates";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not at hand";
  json::Document document;
  const std::string text = slurp(fs::path(AJAR_SOURCE_DIR) / "tests/chat/conversations.json");
  const auto all = document.parse(text);
  ASSERT_TRUE(all);
  std::map<std::string, Value> contexts;
  const auto list = *json::as_array(*all);
  for (const json::Value item : list) {
    const auto object = *json::as_object(item);
    contexts[std::string(json::string_or(object, "name"))] = from_json(*json::find(object, "context"));
  }
  std::istringstream lines(slurp(fs::path(AJAR_SOURCE_DIR) / "tests/chat/expected.txt"));
  size_t checked = 0;
  std::string name, conversation, hash, parsed_name;
  Result<Template> parsed = std::unexpected(Error{});
  while (std::getline(lines, name, '\t') && std::getline(lines, conversation, '\t') && std::getline(lines, hash)) {
    if (name != parsed_name) {
      parsed = Template::parse(slurp(folder / (name + ".jinja")));
      ASSERT_TRUE(parsed) << name << ": " << parsed.error().message;
      parsed_name = name;
    }
    const auto made = parsed->render(contexts.at(conversation), kNow);
    const std::string what = made ? "text " + *made : made.error().type == "raise_exception" ? "raised " + made.error().message : "error";
    EXPECT_EQ(sha256_hex(what).substr(0, 16), hash) << name << ", " << conversation << (made ? "" : ": " + made.error().message);
    ++checked;
  }
  EXPECT_GT(checked, 55u * 30);
}

TEST(Templates, Snippets) {
  json::Document document;
  const std::string text = slurp(fs::path(AJAR_SOURCE_DIR) / "tests/chat/snippets.json");
  const auto all = document.parse(text);
  ASSERT_TRUE(all) << all.error().message;
  const auto list = *json::as_array(*all);
  for (const json::Value item : list) {
    const auto object = *json::as_object(item);
    const auto expected = *json::as_object(*json::find(object, "expected"));
    const auto context = json::find(object, "context");
    const std::string_view source = json::string_or(object, "template");
    const auto made = render(source, context ? from_json(*context) : Value(Dict{}));
    const auto wanted = json::find(expected, "text");
    if (wanted) {
      EXPECT_TRUE(made) << source << ": " << made.error().message;
      if (made) EXPECT_EQ(*made, *json::as_string(*wanted)) << source;
    } else {
      EXPECT_FALSE(made) << source << " made «" << *made << "» where Jinja2 says " << json::string_or(expected, "error");
    }
  }
}

// A template that loops or explodes is an error that names the limit.
TEST(Templates, AreLimited) {
  const auto message = [](std::string_view source) {
    const auto made = render(source, Value(Dict{}), {.steps = 200'000, .output_bytes = 1 << 20, .memory_bytes = 8 << 20, .depth = 400});
    return made ? "made " + std::to_string(made->size()) : std::string(code_name(made.error().code)) + ": " + made.error().message;
  };
  const auto too_large = [&](std::string_view source, std::string_view what) {
    EXPECT_TRUE(message(source).starts_with("too_large: ")) << message(source);
    EXPECT_NE(message(source).find(what), std::string::npos) << message(source);
  };
  too_large("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", "steps");
  too_large("{% set ns = namespace(x='xxxxxxxx') %}{% for a in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}", "limit");
  too_large("{% set ns = namespace(x=[1]) %}{% for a in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}", "limit");
  too_large("{{ 'x' * 100000000 }}", "limit");
  too_large("{{ 'x' * 9223372036854775807 }}", "limit");
  too_large("{{ [1] * 9223372036854775807 }}", "limit");
  too_large("{% for a in range(9999) %}{{ 'x' * 1000 }}{% endfor %}", "limit");
  too_large("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "nested deeper than the limit");
  too_large("{% set ns = namespace(x=[]) %}{% for a in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}", "nested deeper");
  too_large("{% set ns = namespace(x=[]) %}{% for a in range(9999) %}{% set ns.x = [ns.x.count] %}{% endfor %}", "nested deeper");
  too_large("{{ range(10000000) }}", "limit");
  std::string deep(5'000, '('), chain = "{{ x";
  for (int i = 0; i < 100'000; ++i) chain += ".a";
  EXPECT_NE(message("{{ " + deep + "1" + std::string(5'000, ')') + "}}").find("nested deeper"), std::string::npos);
  EXPECT_NE(message(chain + " }}").find("nested deeper"), std::string::npos);
  std::string ifs;
  for (int i = 0; i < 5'000; ++i) ifs += "{% if 1 %}";
  EXPECT_NE(message(ifs).find("nested deeper"), std::string::npos);
  // What holds itself ends with the rendering.
  EXPECT_EQ(message("{% set ns = namespace() %}{% set ns.me = ns %}{% set ns.l = [ns] %}{{ ns.l | length }}"), "made 1");
  EXPECT_EQ(message("{% for a in [1] %}{{ loop.changed(loop) }}{% endfor %}{% macro m() %}{% endmacro %}{% set k = [m] %}"), "made 4");
}

TEST(Templates, FaultsNameTheLine) {
  const auto made = render("a\nb {{ 1 +\n}}", Value(Dict{}));
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("line 3"), std::string::npos) << made.error().message;
  const auto tag = render("\n{% include 'x' %}", Value(Dict{}));
  ASSERT_FALSE(tag);
  EXPECT_EQ(tag.error().code, Code::kUnsupported);
  EXPECT_NE(tag.error().message.find("line 2: the tag 'include'"), std::string::npos) << tag.error().message;
}

}  // namespace
}  // namespace ajar::jinja
