// docs/configuration.md, from the table.
#include "app/config_file.h"
#include "app/config_table.h"

namespace ajar::app {
namespace {

template <class T>
std::string_view type_of(const Key<T>& key) {
  struct Name {
    std::string_view operator()(const Text<T>&) const { return "string"; }
    std::string_view operator()(const Secret<T>&) const { return "secret"; }
    std::string_view operator()(const Whole<T>&) const { return "integer"; }
    std::string_view operator()(const Real<T>&) const { return "number"; }
    std::string_view operator()(const Flag<T>&) const { return "boolean"; }
    std::string_view operator()(const Duration<T>&) const { return "duration"; }
    std::string_view operator()(const Bytes<T>&) const { return "size"; }
    std::string_view operator()(const Texts<T>&) const { return "strings"; }
    std::string_view operator()(const Special<T>& special) const { return special.type; }
  };
  return std::visit(Name(), key.value);
}

template <class T>
void section(std::string& out, std::string_view title, std::string_view intro, std::span<const Key<T>> keys) {
  out += "\n## " + std::string(title) + "\n\n" + std::string(intro) + "\n\n";
  out += "| key | type | default | meaning |\n|---|---|---|---|\n";
  for (const auto& key : keys) {
    out += "| `" + std::string(key.name) + "` | " + std::string(type_of(key)) + " | ";
    const bool literal = key.fallback.find_first_of("\"[{0123456789") == 0 || key.fallback == "true" ||
                         key.fallback == "false";
    out += literal ? "`" + std::string(key.fallback) + "`" : std::string(key.fallback);
    out += " | " + std::string(key.doc) + " |\n";
  }
}

}  // namespace

std::string config_reference() {
  std::string out =
      "# Configuration\n\n"
      "<!-- Made by `ajar check --reference`; a test compares. Edit src/app/config_table.cc instead. -->\n\n"
      "One TOML file, given as `ajar serve --config FILE`. `ajar check FILE` reads it without serving and prints every "
      "fault as `file:line:column: message`. Unknown keys are faults. SIGHUP or `POST /admin/reload` reads it again: "
      "a good file holds for new requests at once, a bad one is refused and the old one stays. Listening addresses, "
      "threads, the store and the server's limits are read at start only.\n\n"
      "Any string may hold `${NAME}` or `${NAME:-otherwise}` from the environment. Secrets must: they are never "
      "written in the file. Durations are strings such as `\"250ms\"`, `\"30s\"`, `\"5m\"`, `\"2h\"`, `\"90d\"`; sizes "
      "are strings such as `\"32MiB\"`.\n";
  section<ServerConfig>(out, "[server]", "The listening side.", server_keys());
  section<StoreConfig>(out, "[store]", "What survives a restart.", store_keys());
  section<LimitsConfig>(out, "[limits]", "How calls are counted against keys and teams.", limits_keys());
  section<CacheConfig>(out, "[cache]", "Answers that are given again, on routes that say so (`cache`).", cache_keys());
  section<PrivacyConfig>(out, "[privacy]", "Personal data in requests.", privacy_keys());
  section<RagConfig>(out, "[rag]", "Documents that can be asked (docs/rag.md).", rag_keys());
  section<VectorStoreConfig>(out, "[vector_stores.NAME]", "A store that searches the vectors of documents instead of Ajar itself (docs/rag.md). Read at start.", vector_store_keys());
  section<DataClassConfig>(out, "[data_classes.NAME]",
                           "What may be done with data of a class. `public` and `internal` may go anywhere, `confidential` stays on own machines, "
                           "`restricted` on this one; each can be set otherwise, and others added.",
                           data_class_keys());
  section<BatchesConfig>(out, "[batches]", "Files that clients upload, and batches (`/v1/files`, `/v1/batches`).",
                         batches_keys());
  section<ResponsesConfig>(out, "[responses]", "What Ajar keeps for the Responses API.", responses_keys());
  section<ProviderConfig>(out, "[providers.NAME]", "A server that has models.", provider_keys());
  section<RouteConfig>(out, "[routes.NAME]",
                       "A public model name, and what it means. A name that ends in `*` matches every model that "
                       "begins so and has no route of its own; the longest such name wins.",
                       route_keys());
  section<TargetConfig>(out, "[[routes.NAME.targets]]", "One model that can answer.", target_keys());
  section<CanaryConfig>(out, "[routes.NAME.canary]", "A candidate for the route's first choice, tried on a share of its requests (docs/ladder.md).", canary_keys());
  section<ShadowConfig>(out, "[routes.NAME.shadow]", "A candidate that is asked beside the route and compared with the answers that were given (docs/ladder.md).", shadow_keys());
  section<TokenizerConfig>(out, "[tokenizers.NAME]", "A vocabulary file, to count tokens as the model does.",
                           tokenizer_keys());
  section<EngineConfig>(out, "[engine]", "The embedded engine, for targets of a provider with `preset = \"local\"`.", engine_keys());
  section<ModelConfigEntry>(out, "[models.NAME]",
                            "A model for the embedded engine, by the name that targets use. Models that `ajar pull` brought need "
                            "no entry: they go by their own names.",
                            model_keys());
  section<TaskConfig>(out, "[tasks.NAME]", "A task model: text to label (docs/task-models.md). A target of a provider with preset \"task\" names it.",
                      task_keys());
  section<PolicyConfigEntry>(out, "[policies.NAME]", "A guardrail, for the routes that name it (docs/guardrails.md).", policy_keys());
  return out;
}

}  // namespace ajar::app
