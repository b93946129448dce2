#pragma once
// What the documents need of the rest: src/rag knows neither the model host nor the data folder.

#include <string>

#include "gateway/config.h"
#include "net/connect.h"
#include "provider/model_host.h"
#include "rag/library.h"
#include "vectors/stores.h"

namespace ajar::app {

vectors::StoreOptions store_options(const VectorStoreConfig& config);

// Collections in DATA/rag, their vectors here or in one of `stores`. `host` must outlive the library.
rag::LibraryOptions library_options(const std::string& data, const RagConfig& config, const std::vector<VectorStoreConfig>& stores, ProxyConfig proxy, ModelHost& host);

// The embedder that the host has, loaded if need be. Texts are cut at what the model takes.
Result<rag::Embedder> host_embedder(ModelHost& host, const std::string& name);

}  // namespace ajar::app
