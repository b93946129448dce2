#pragma once
// What the documents need of the rest: src/rag knows neither the model host nor the data folder.

#include <string>

#include "gateway/config.h"
#include "provider/model_host.h"
#include "rag/library.h"

namespace ajar::app {

// Collections in DATA/rag. `host` must outlive the library.
rag::LibraryOptions library_options(const std::string& data, const RagConfig& config, ModelHost& host);

// The embedder that the host has, loaded if need be. Texts are cut at what the model takes.
Result<rag::Embedder> host_embedder(ModelHost& host, const std::string& name);

}  // namespace ajar::app
