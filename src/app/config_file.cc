#include "app/config_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "app/config_table.h"
#include "app/rag_parts.h"
#include "base/text.h"
#include "gateway/prices_toml.h"
#include "gateway/route.h"

namespace ajar::app {
namespace {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t up = row[j];
      row[j] = std::min({up + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = up;
    }
  }
  return row[b.size()];
}

// Reads one file; gathers faults with their places.
class Reader {
 public:
  Reader(const std::string& file, const Environment& environment)
      : file_(file), environment_(environment) {}

  std::expected<Config, ConfigFaults> read(std::string_view text) {
    const toml::parse_result parsed = toml::parse(text, file_);
    if (!parsed) {
      fault(parsed.error().source().begin, std::string(parsed.error().description()));
      return std::unexpected(std::move(faults_));
    }
    Config config;
    config.file = file_;
    read_root(parsed.table(), config);
    if (faults_.lines.empty()) {
      for (const Error& error : check_config(config)) {
        fault(place_of(error.field), error.message);
      }
      if (!config.rag.store.empty() && std::ranges::find(config.vector_stores, config.rag.store, &VectorStoreConfig::name) == config.vector_stores.end()) {
        fault(place_of("rag.store"), "there is no [vector_stores." + config.rag.store + "]");
      }
    }
    if (!faults_.lines.empty()) return std::unexpected(std::move(faults_));
    return config;
  }

 private:
  void fault(const toml::source_position& at, const std::string& message) {
    faults_.lines.push_back(file_ + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " +
                            message);
  }
  void fault(const toml::node& node, const std::string& message) { fault(node.source().begin, message); }
  void fault(const toml::key& key, const std::string& message) { fault(key.source().begin, message); }

  // Where a dotted path stands: itself, or the nearest thing around it that was written.
  toml::source_position place_of(std::string path) const {
    for (;;) {
      if (const auto found = places_.find(path); found != places_.end()) return found->second;
      const size_t dot = path.find_last_of(".[");
      if (dot == path.npos) return {1, 1};
      path.resize(dot);
    }
  }

  void read_root(const toml::table& root, Config& config) {
    for (const auto& [key, node] : root) {
      const toml::table* table = node.as_table();
      const std::string name(key.str());
      static const std::vector<std::string_view> kSections = {"server", "store", "limits", "cache", "privacy", "rag", "vector_stores", "data_classes", "batches", "responses", "providers", "routes",
                                                              "tokenizers", "engine", "models", "tasks", "policies"};
      if (std::ranges::find(kSections, name) == kSections.end()) {
        unknown(key, name, kSections);
      } else if (!table) {
        fault(node, "'" + name + "' must be a table: [" + name + "]");
      } else if (name == "server") {
        read_section<ServerConfig>(*table, name, server_keys(), config.server);
      } else if (name == "store") {
        read_section<StoreConfig>(*table, name, store_keys(), config.store);
      } else if (name == "limits") {
        read_section<LimitsConfig>(*table, name, limits_keys(), config.limits);
      } else if (name == "cache") {
        read_section<CacheConfig>(*table, name, cache_keys(), config.cache);
      } else if (name == "privacy") {
        read_section<PrivacyConfig>(*table, name, privacy_keys(), config.privacy);
      } else if (name == "rag") {
        read_section<RagConfig>(*table, name, rag_keys(), config.rag);
      } else if (name == "batches") {
        read_section<BatchesConfig>(*table, name, batches_keys(), config.batches);
      } else if (name == "responses") {
        read_section<ResponsesConfig>(*table, name, responses_keys(), config.responses);
      } else if (name == "engine") {
        read_section<EngineConfig>(*table, name, engine_keys(), config.engine);
      } else {
        for (const auto& [entry_key, entry] : *table) {
          const std::string entry_name(entry_key.str());
          const std::string path = name + "." + entry_name;
          places_[path] = entry_key.source().begin;
          const toml::table* fields = entry.as_table();
          if (!fields) {
            fault(entry, "'" + path + "' must be a table: [" + path + "]");
          } else if (name == "providers") {
            ProviderConfig& provider = config.providers.emplace_back();
            provider.name = entry_name;
            read_section<ProviderConfig>(*fields, path, provider_keys(), provider);
          } else if (name == "vector_stores") {
            VectorStoreConfig& store = config.vector_stores.emplace_back();
            store.name = entry_name;
            read_section<VectorStoreConfig>(*fields, path, vector_store_keys(), store);
            check_vector_store(path, store);
          } else if (name == "data_classes") {
            auto known = std::ranges::find(config.data_classes, entry_name, &DataClassConfig::name);
            if (known == config.data_classes.end()) known = config.data_classes.insert(known, DataClassConfig{.name = entry_name});
            read_section<DataClassConfig>(*fields, path, data_class_keys(), *known);
          } else if (name == "tokenizers") {
            TokenizerConfig& tokenizer = config.tokenizers.emplace_back();
            tokenizer.name = entry_name;
            read_section<TokenizerConfig>(*fields, path, tokenizer_keys(), tokenizer);
          } else if (name == "models") {
            ModelConfigEntry& model = config.models.emplace_back();
            model.name = entry_name;
            read_section<ModelConfigEntry>(*fields, path, model_keys(), model);
          } else if (name == "policies") {
            PolicyConfigEntry& policy = config.policies.emplace_back();
            policy.name = entry_name;
            read_section<PolicyConfigEntry>(*fields, path, policy_keys(), policy);
          } else if (name == "tasks") {
            TaskConfig& task = config.tasks.emplace_back();
            task.name = entry_name;
            read_section<TaskConfig>(*fields, path, task_keys(), task);
          } else {
            RouteConfig& route = config.routes.emplace_back();
            route.name = entry_name;
            read_section<RouteConfig>(*fields, path, route_keys(), route);
          }
        }
      }
    }
  }

  void unknown(const toml::key& key, const std::string& name, const std::vector<std::string_view>& known) {
    std::string hint;
    size_t best = 4;
    for (const auto candidate : known) {
      const size_t distance = edit_distance(name, candidate);
      if (distance < best) {
        best = distance;
        hint = " (did you mean '" + std::string(candidate) + "'?)";
      }
    }
    fault(key, "unknown key '" + name + "'" + hint);
  }

  template <class T>
  void read_section(const toml::table& table, const std::string& path, std::span<const Key<T>> keys, T& into) {
    for (const auto& [key, node] : table) {
      const auto found =
          std::ranges::find_if(keys, [&](const Key<T>& known) { return known.name == key.str(); });
      if (found == keys.end()) {
        std::vector<std::string_view> known;
        for (const auto& k : keys) known.push_back(k.name);
        unknown(key, std::string(key.str()), known);
        continue;
      }
      const std::string here = path + "." + std::string(key.str());
      places_[here] = node.source().begin;
      std::visit([&](const auto& how) { read_value(node, here, how, into); }, found->value);
    }
  }

  // "${NAME}" and "${NAME:-otherwise}" inside a string.
  std::optional<std::string> expand(const toml::node& node, const std::string& text) {
    std::string out;
    for (size_t at = 0;;) {
      const size_t open = text.find("${", at);
      out += text.substr(at, open - at);
      if (open == text.npos) return out;
      const size_t close = text.find('}', open);
      if (close == text.npos) {
        fault(node, "'${' without '}'");
        return std::nullopt;
      }
      const std::string inside = text.substr(open + 2, close - open - 2);
      const size_t dash = inside.find(":-");
      const std::string name = inside.substr(0, dash);
      if (const auto value = environment_(name); value && !value->empty()) {
        out += *value;
      } else if (dash != inside.npos) {
        out += inside.substr(dash + 2);
      } else {
        fault(node, "the environment variable " + name + " is not set");
        return std::nullopt;
      }
      at = close + 1;
    }
  }

  std::optional<std::string> text_of(const toml::node& node, const std::string& path) {
    const auto text = node.value_exact<std::string>();
    if (!text) {
      fault(node, "'" + path + "' must be a string");
      return std::nullopt;
    }
    return expand(node, *text);
  }

  template <class T>
  void read_value(const toml::node& node, const std::string& path, const Text<T>& how, T& into) {
    if (auto text = text_of(node, path)) into.*how.member = std::move(*text);
  }
  template <class T>
  void read_value(const toml::node& node, const std::string& path, const Secret<T>& how, T& into) {
    const auto written = node.value_exact<std::string>();
    if (written && !written->empty() && (!written->starts_with("${") || !written->ends_with("}"))) {
      fault(node, "'" + path + "' is a secret: write it as \"${NAME}\" and put it into the environment");
      return;
    }
    if (auto text = text_of(node, path)) into.*how.member = std::move(*text);
  }
  template <class T>
  void read_value(const toml::node& node, const std::string& path, const Whole<T>& how, T& into) {
    const auto number = node.value_exact<int64_t>();
    if (!number || *number < how.low || *number > how.high) {
      fault(node, "'" + path + "' must be a whole number from " + std::to_string(how.low) + " to " +
                      std::to_string(how.high));
      return;
    }
    into.*how.member = *number;
  }
  template <class T>
  void read_value(const toml::node& node, const std::string& path, const Real<T>& how, T& into) {
    const auto number = node.value<double>();
    if (!number || !(*number >= how.low && *number <= how.high)) {
      return fault(node, "'" + path + "' must be a number from " + number_text(how.low) + " to " + number_text(how.high));
    }
    into.*how.member = *number;
  }
  template <class T>
  void read_value(const toml::node& node, const std::string& path, const Flag<T>& how, T& into) {
    const auto flag = node.value_exact<bool>();
    if (!flag) return fault(node, "'" + path + "' must be true or false");
    into.*how.member = *flag;
  }
  template <class T>
  void read_value(const toml::node& node, const std::string& path, const Duration<T>& how, T& into) {
    const auto text = node.value_exact<std::string>();
    const auto ms = text ? parse_duration_ms(*text) : std::nullopt;
    if (!ms) return fault(node, "'" + path + "' must be a duration such as \"250ms\", \"30s\", \"5m\" or \"2h\"");
    into.*how.member = Millis(*ms);
  }
  template <class T>
  void read_value(const toml::node& node, const std::string& path, const Bytes<T>& how, T& into) {
    const auto text = node.value_exact<std::string>();
    const auto bytes = text ? parse_bytes(*text) : node.value_exact<int64_t>();
    if (!bytes || *bytes < 1) return fault(node, "'" + path + "' must be a size such as \"32MiB\"");
    into.*how.member = *bytes;
  }
  template <class T>
  void read_value(const toml::node& node, const std::string& path, const Texts<T>& how, T& into) {
    std::vector<std::string> texts;
    if (const auto single = node.value_exact<std::string>()) {
      if (auto text = expand(node, *single)) texts.push_back(std::move(*text));
    } else if (const toml::array* array = node.as_array()) {
      for (const auto& item : *array) {
        if (auto text = text_of(item, path)) texts.push_back(std::move(*text));
      }
    } else {
      return fault(node, "'" + path + "' must be an array of strings");
    }
    into.*how.member = std::move(texts);
  }
  template <class T>
  void read_value(const toml::node& node, const std::string& path, const Special<T>&, T& into) {
    read_special(node, path, into);
  }

  template <class T>
  void read_special(const toml::node&, const std::string&, T&) {}  // these sections have none

  void read_special(const toml::node& node, const std::string& path, ProviderConfig& provider) {
    if (path.ends_with(".unknown_fields")) {
      const auto text = text_of(node, path);
      if (!text) return;
      if (*text != "pass" && *text != "drop") return fault(node, "'" + path + "' must be \"pass\" or \"drop\"");
      provider.keep_unknown = *text == "pass";
    } else if (path.ends_with(".free")) {
      const auto flag = node.value_exact<bool>();
      if (!flag) return fault(node, "'" + path + "' must be true or false");
      provider.free = *flag;
    } else if (path.ends_with(".headers")) {
      const toml::table* table = node.as_table();
      if (!table) return fault(node, "'" + path + "' must be a table of strings");
      for (const auto& [name, value] : *table) {
        if (auto text = text_of(value, path)) provider.headers[std::string(name.str())] = std::move(*text);
      }
    } else if (path.ends_with(".prices")) {
      const toml::table* table = node.as_table();
      if (!table) return fault(node, "'" + path + "' must be a table of models");
      for (const auto& [model, value] : *table) {
        const toml::table* rates = value.as_table();
        if (!rates) {
          fault(value, "a price is a table such as { input = 0.5, output = 1.5 }");
          continue;
        }
        auto price = read_price(*rates, file_);
        if (price) provider.prices[std::string(model.str())] = *price;
        else faults_.lines.push_back(price.error().message);
      }
    }
  }

  // Finds the key, and says what does not hold together.
  void check_vector_store(const std::string& path, VectorStoreConfig& store) {
    const std::string& prefix = store.collection_prefix;
    if (prefix.empty() || prefix.size() > 24 || prefix[0] < 'a' || prefix[0] > 'z' ||
        !std::ranges::all_of(prefix, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; })) {
      fault(place_of(path + ".collection_prefix"), "'" + path + ".collection_prefix' must be 1 to 24 small letters, digits and _, a letter first");
    }
    if (!store.api_key_env.empty()) {
      const auto key = environment_(store.api_key_env);
      if (key && !key->empty()) store.api_key = *key;
      else fault(place_of(path + ".api_key_env"), "the environment variable " + store.api_key_env + " is not set");
    }
    if (const auto fine = vectors::check_options(store_options(store)); !fine) fault(place_of(path + "." + fine.error().field), path + ": " + fine.error().message);
  }

  void read_special(const toml::node& node, const std::string& path, ModelConfigEntry& model) {  // kv, adapters
    if (path.ends_with(".kv")) return read_choice<std::string>(node, path, {{"f16", "f16"}, {"q8_0", "q8_0"}}, model.kv);
    const toml::table* table = node.as_table();
    if (!table) return fault(node, "'" + path + "' must be a table of strings");
    for (const auto& [name, value] : *table) {
      const std::string adapter(name.str());
      if (adapter.empty() || adapter.find(':') != std::string::npos) fault(value, "the name of an adapter must not be empty or have a colon");
      else if (auto text = text_of(value, path)) model.adapters[adapter] = std::move(*text);
    }
  }

  static std::string number_text(double number) {
    std::ostringstream out;
    out << number;
    return out.str();
  }

  // A word out of a few, and what each means.
  template <class E>
  void read_choice(const toml::node& node, const std::string& path, std::initializer_list<std::pair<std::string_view, E>> words, E& into) {
    const auto text = text_of(node, path);
    if (!text) return;
    std::string known;
    for (const auto& [word, value] : words) {
      if (word == *text) {
        into = value;
        return;
      }
      known += (known.empty() ? "" : ", ") + std::string(word);
    }
    fault(node, "'" + path + "' must be one of " + known);
  }

  void read_special(const toml::node& node, const std::string& path, DataClassConfig& data) {  // site, masked
    read_choice<Site>(node, path, {{"local", Site::kLocal}, {"own", Site::kOwn}, {"outside", Site::kOutside}},
                      path.ends_with(".masked") ? data.masked : data.site);
  }

  // The keys of a rung stand beside those of the target that it is.
  void read_special(const toml::node& node, const std::string& path, TargetConfig& target) {
    static const Key<RungConfig> kKeys[] = {
        {"accept", "", Real<RungConfig>{&RungConfig::accept, 0, 1}, ""},
        {"calibration", "", Text<RungConfig>{&RungConfig::calibration}, ""},
        {"score", "", Text<RungConfig>{&RungConfig::score}, ""},
        {"checks", "", Texts<RungConfig>{&RungConfig::checks}, ""},
        {"hold_tokens", "", Whole<RungConfig>{&RungConfig::hold_tokens, 0, 1'000'000}, ""},
        {"samples", "", Whole<RungConfig>{&RungConfig::samples, 2, 16}, ""},
        {"max_wait", "", Duration<RungConfig>{&RungConfig::max_wait}, ""},
    };
    if (path.ends_with(".confidence")) {
      using Source = ConfidenceSource;
      return read_choice<Source>(node, path, {{"none", Source::kNone}, {"own", Source::kOwn}, {"margin", Source::kMargin},
                                              {"logprob", Source::kLogprob}, {"agree", Source::kAgree}, {"learned", Source::kLearned}}, target.rung.confidence);
    }
    for (const auto& key : kKeys) {
      if (!path.ends_with("." + std::string(key.name))) continue;
      std::visit([&](const auto& how) { read_value(node, path, how, target.rung); }, key.value);
    }
  }

  template <class C>
  void read_candidate(const toml::node& node, const std::string& path, std::span<const Key<C>> keys, C& into) {
    const toml::table* table = node.as_table();
    if (!table) return fault(node, "'" + path + "' must be a table: [" + path + "]");
    read_section<C>(*table, path, keys, into);
    if (!into.there()) fault(node, "'" + path + ".target' must name a provider, such as { provider = \"openai\", model = \"gpt-4o-mini\" }");
  }
  void read_special(const toml::node& node, const std::string& path, CanaryConfig& canary) { read_candidate_target(node, path, canary.target); }
  void read_special(const toml::node& node, const std::string& path, ShadowConfig& shadow) { read_candidate_target(node, path, shadow.target); }
  void read_candidate_target(const toml::node& node, const std::string& path, TargetConfig& target) {
    const toml::table* table = node.as_table();
    if (!table) return fault(node, "'" + path + "' is a table such as { provider = \"openai\", model = \"gpt-4o-mini\" }");
    read_section<TargetConfig>(*table, path, target_keys(), target);
  }

  void read_special(const toml::node& node, const std::string& path, RouteConfig& route) {
    if (path.ends_with(".canary")) return read_candidate<CanaryConfig>(node, path, canary_keys(), route.canary);
    if (path.ends_with(".shadow")) return read_candidate<ShadowConfig>(node, path, shadow_keys(), route.shadow);
    if (path.ends_with(".strategy")) {
      return read_choice<Strategy>(node, path, {{"priority", Strategy::kPriority}, {"weighted", Strategy::kWeighted},
                                                {"least_latency", Strategy::kLeastLatency}, {"cheapest", Strategy::kCheapest},
                                                {"ladder", Strategy::kLadder}}, route.strategy);
    }
    if (path.ends_with(".on_doubt")) {
      return read_choice<bool>(node, path, {{"climb", false}, {"stay", true}}, route.doubt_stays);
    }
    if (path.ends_with(".cache")) {
      return read_choice<CacheMode>(node, path, {{"off", CacheMode::kOff}, {"exact", CacheMode::kExact}, {"semantic", CacheMode::kSemantic}}, route.cache);
    }
    if (path.ends_with(".cache_scope")) {
      return read_choice<CacheScope>(node, path, {{"team", CacheScope::kTeam}, {"key", CacheScope::kKey}, {"route", CacheScope::kRoute}},
                                     route.cache_scope);
    }
    const toml::array* array = node.as_array();
    if (!array) return fault(node, "'" + path + "' must be an array of tables: [[" + path + "]]");
    for (const auto& item : *array) {
      const std::string here = path + "[" + std::to_string(route.targets.size()) + "]";
      places_[here] = item.source().begin;
      const toml::table* table = item.as_table();
      if (!table) {
        fault(item, "a target is a table such as { provider = \"openai\", model = \"gpt-4o-mini\" }");
        continue;
      }
      TargetConfig& target = route.targets.emplace_back();
      read_section<TargetConfig>(*table, here, target_keys(), target);
      if (target.provider.empty()) fault(item, "'" + here + ".provider' is missing");
    }
  }

  const std::string& file_;
  const Environment& environment_;
  ConfigFaults faults_;
  std::map<std::string, toml::source_position> places_;
};

}  // namespace

std::string ConfigFaults::text() const {
  std::string out;
  for (const auto& line : lines) out += (out.empty() ? "" : "\n") + line;
  return out;
}

std::expected<Config, ConfigFaults> read_config(std::string_view text, const std::string& file,
                                                const Environment& environment) {
  return Reader(file, environment).read(text);
}

std::expected<Config, ConfigFaults> read_config_file(const std::string& path,
                                                     const Environment& environment) {
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  std::string text;
  char piece[16 << 10];
  while (stream.read(piece, sizeof piece) || stream.gcount() > 0) text.append(piece, static_cast<size_t>(stream.gcount()));
  // Opening a folder goes well, reading it does not.
  if (!stream.eof()) return std::unexpected(ConfigFaults{{path + ": cannot be read" + (errno != 0 ? std::string(": ") + std::strerror(errno) : "")}});
  return read_config(text, path, environment);
}

}  // namespace ajar::app
