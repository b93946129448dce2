#pragma once
// The table behind the configuration file: for each section its keys, types, defaults and meaning. The reader and the
// reference in docs/ both come from it.

#include <span>
#include <string_view>
#include <variant>

#include "gateway/config.h"

namespace ajar::app {

// How a value is written in the file, and where it goes.
template <class T>
struct Text { std::string T::* member; };            // "string", with ${ENV}
template <class T>
struct Secret { std::string T::* member; };          // "${ENV}" only
template <class T>
struct Whole { int64_t T::* member; int64_t low, high; };
template <class T>
struct Real { double T::* member; double low, high; };
template <class T>
struct Flag { bool T::* member; };
template <class T>
struct Duration { Millis T::* member; };             // "250ms", "30s", "5m", "2h", "90d"
template <class T>
struct Bytes { int64_t T::* member; };               // "32MiB" or a number
template <class T>
struct Texts { std::vector<std::string> T::* member; };
template <class T>
struct Special { std::string_view type; };           // read by hand in config_file.cc

template <class T>
struct Key {
  std::string_view name;
  std::string_view fallback;  // the default, as it would be written
  std::variant<Text<T>, Secret<T>, Whole<T>, Real<T>, Flag<T>, Duration<T>, Bytes<T>, Texts<T>, Special<T>> value;
  std::string_view doc;
};

std::span<const Key<ServerConfig>> server_keys();
std::span<const Key<StoreConfig>> store_keys();
std::span<const Key<LimitsConfig>> limits_keys();
std::span<const Key<CacheConfig>> cache_keys();
std::span<const Key<PrivacyConfig>> privacy_keys();
std::span<const Key<PolicyConfigEntry>> policy_keys();
std::span<const Key<RagConfig>> rag_keys();
std::span<const Key<VectorStoreConfig>> vector_store_keys();
std::span<const Key<DataClassConfig>> data_class_keys();
std::span<const Key<BatchesConfig>> batches_keys();
std::span<const Key<ResponsesConfig>> responses_keys();
std::span<const Key<ProviderConfig>> provider_keys();
std::span<const Key<RouteConfig>> route_keys();
std::span<const Key<TargetConfig>> target_keys();
std::span<const Key<CanaryConfig>> canary_keys();
std::span<const Key<ShadowConfig>> shadow_keys();
std::span<const Key<TokenizerConfig>> tokenizer_keys();
std::span<const Key<EngineConfig>> engine_keys();
std::span<const Key<ModelConfigEntry>> model_keys();
std::span<const Key<TaskConfig>> task_keys();

}  // namespace ajar::app
