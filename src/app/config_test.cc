#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "app/config_file.h"
#include "app/terminal.h"
#include "gateway/route.h"

namespace ajar::app {
namespace {

std::optional<std::string> environment(std::string_view name) {
  if (name == "KEY") return "secret-value";
  if (name == "EMPTY") return "";
  return std::nullopt;
}

std::string faults_of(std::string_view text) {
  const auto config = read_config(text, "t.toml", environment);
  return config ? "" : config.error().text();
}

TEST(ConfigFile, WhatCannotBeReadIsNoEmptyFile) {
  const Environment none = [](std::string_view) { return std::nullopt; };
  const auto folder = read_config_file(AJAR_SOURCE_DIR "/examples", none);
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().lines, std::vector<std::string>{AJAR_SOURCE_DIR "/examples: cannot be read: Is a directory"});
  const auto absent = read_config_file(AJAR_SOURCE_DIR "/nosuch.toml", none);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().lines, std::vector<std::string>{AJAR_SOURCE_DIR "/nosuch.toml: cannot be read: No such file or directory"});
  EXPECT_TRUE(read_config_file("/dev/null", none));
}

TEST(ConfigFile, ReadsEverySection) {
  const auto config = read_config(R"(
[server]
listen = ["127.0.0.1:9000", "[::1]:9000"]
max_body = "1MiB"
idle_timeout = "5s"
[store]
path = "/var/lib/ajar"
keep_calls = "7d"
[limits]
reserve_output_tokens = 100
[providers.openai]
preset = "openai"
api_key = "${KEY}"
headers = { "openai-organization" = "${ORG:-none}" }
unknown_fields = "drop"
[models.m]
path = "/m.gguf"
adapters = { law = "/law.gguf", code = "/code" }
speculate = 0
kv = "q8_0"
draft = "tiny"
prefix_disk = "/var/lib/ajar/prefixes"
prefix_disk_mb = 64
[providers.openai.prices."my-model"]
input = 1.5
output = 2
[routes."gpt-*"]
strategy = "weighted"
retries = 3
hedge_after = "250ms"
fallback_on = ["timeout"]
targets = [{ provider = "openai", weight = 3 }, { provider = "openai", model = "m", weight = 1 }]
)", "t.toml", environment);
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->server.listen.size(), 2u);
  EXPECT_EQ(config->server.max_body_bytes, 1 << 20);
  EXPECT_EQ(config->server.idle_timeout, Millis(5000));
  EXPECT_EQ(config->store.keep_calls, Millis(7LL * 86'400'000));
  EXPECT_EQ(config->limits.reserve_output_tokens, 100);
  const auto& provider = config->providers.at(0);
  EXPECT_EQ(provider.api_key, "secret-value");
  EXPECT_EQ(provider.headers.at("openai-organization"), "none");
  EXPECT_FALSE(provider.keep_unknown);
  EXPECT_DOUBLE_EQ(provider.prices.at("my-model").base.input, 1.5);
  const std::map<std::string, std::string> adapters{{"law", "/law.gguf"}, {"code", "/code"}};
  EXPECT_EQ(config->models.at(0).adapters, adapters);
  EXPECT_EQ(config->models.at(0).speculate, 0);
  EXPECT_EQ(config->models.at(0).kv, "q8_0");
  EXPECT_EQ(config->models.at(0).draft, "tiny");
  EXPECT_EQ(config->models.at(0).prefix_disk, "/var/lib/ajar/prefixes");
  EXPECT_EQ(config->models.at(0).prefix_disk_mb, 64);
  const auto& route = config->routes.at(0);
  EXPECT_EQ(route.strategy, Strategy::kWeighted);
  EXPECT_EQ(route.hedge_after, Millis(250));
  EXPECT_EQ(route.targets.at(0).weight, 3);
  EXPECT_EQ(route.targets.at(1).model, "m");
}

TEST(ConfigFile, FaultsCarryFileLineAndColumn) {
  EXPECT_EQ(faults_of("[server]\nlisten = 5"), "t.toml:2:10: 'server.listen' must be an array of strings");
  EXPECT_EQ(faults_of("[server]\nlistn = \"x\""), "t.toml:2:1: unknown key 'listn' (did you mean 'listen'?)");
  EXPECT_EQ(faults_of("[models.m]\npath = \"p\"\nadapters = 5"), "t.toml:3:12: 'models.m.adapters' must be a table of strings");
  EXPECT_EQ(faults_of("[models.m]\npath = \"p\"\nadapters = { \"a:b\" = \"x\" }"),
            "t.toml:3:22: the name of an adapter must not be empty or have a colon");
  EXPECT_EQ(faults_of("[servers]\n"), "t.toml:1:2: unknown key 'servers' (did you mean 'server'?)");
  EXPECT_TRUE(faults_of("[server\n").starts_with("t.toml:1:8: ")) << faults_of("[server\n");
  EXPECT_EQ(faults_of("[server]\nidle_timeout = 5"),
            "t.toml:2:16: 'server.idle_timeout' must be a duration such as \"250ms\", \"30s\", \"5m\" or \"2h\"");
  EXPECT_EQ(faults_of("[providers.p]\nbase_url = \"http://x\"\n[[routes.r.targets]]\nprovider = \"q\""),
            "t.toml:4:12: routes.r.targets[0].provider: there is no provider 'q'");
  EXPECT_EQ(faults_of("[providers.p]\nprices = { m = { inptu = 1 } }"),
            "t.toml:2:26: unknown price 'inptu'");
}

TEST(ConfigFile, EveryFaultIsReported) {
  const std::string faults = faults_of("[server]\na = 1\nb = 2\n[routes.r]\nstrategy = \"best\"");
  EXPECT_EQ(std::ranges::count(faults, '\n'), 2) << faults;
}

TEST(ConfigFile, SecretsComeFromTheEnvironmentOnly) {
  EXPECT_EQ(faults_of("[providers.p]\napi_key = \"sk-123\""),
            "t.toml:2:11: 'providers.p.api_key' is a secret: write it as \"${NAME}\" and put it into the environment");
  EXPECT_EQ(faults_of("[providers.p]\napi_key = \"${NOPE}\""), "t.toml:2:11: the environment variable NOPE is not set");
  EXPECT_EQ(faults_of("[providers.p]\nbase_url = \"${OPEN\""), "t.toml:2:12: '${' without '}'");
}

TEST(ConfigFile, TheReferenceInDocsIsThatOfTheCode) {
  std::ifstream file(AJAR_SOURCE_DIR "/docs/configuration.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), config_reference()) << "run: build/ajar check --reference > docs/configuration.md";
}

TEST(ConfigFile, TheExamplesAreGood) {
  for (const char* name : {"minimal", "fallback", "local-models", "team", "clouds", "ladder"}) {
    const auto any = [](std::string_view) { return std::optional<std::string>("value"); };
    const auto config = read_config_file(AJAR_SOURCE_DIR "/examples/" + std::string(name) + ".toml", any);
    EXPECT_TRUE(config) << config.error().text();
  }
}

TEST(DefaultConfig, UsesTheKeysThatAreThere) {
  const auto with = default_config([](std::string_view name) {
    return name == "ANTHROPIC_API_KEY" ? std::optional<std::string>("k") : std::nullopt; }, "");
  ASSERT_EQ(with.providers.size(), 2u);
  EXPECT_EQ(with.providers[0].name, "anthropic");
  EXPECT_EQ(with.providers[1].preset, "task");
  for (const auto& provider : with.providers) EXPECT_FALSE(provider.simulator);
  EXPECT_TRUE(check_config(with).empty());
  const auto without = default_config([](std::string_view) { return std::optional<std::string>(); }, "http://x");
  for (const auto& provider : without.providers) EXPECT_TRUE(provider.simulator || provider.preset == "task");
  EXPECT_TRUE(check_config(without).empty());
}

TEST(Terminal, TablesAlign) {
  EXPECT_EQ(table({"name", "n"}, {{"é", "1"}, {"long", "1,000"}}), "name  n\né         1\nlong  1,000\n");
  EXPECT_EQ(count(-1234567), "-1,234,567");
  EXPECT_EQ(dollars(0.000123), "$0.000123");
}

}  // namespace
}  // namespace ajar::app
