#pragma once
// What the documents need of the rest: src/rag knows neither the model host nor the data folder.

#include <string>

#include "gateway/config.h"
#include "core/documents.h"
#include "guard/injection.h"
#include "net/blocking.h"
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

// Collections as the request line asks them: the caller's owner's, else the server's own. What reads like an instruction to a model
// is not handed to one. Both must outlive it.
class LibraryDocuments final : public Documents {
 public:
  LibraryDocuments(const std::unique_ptr<rag::Library>& library, BlockingPool& pool) : library_(library), pool_(pool) {}
  Task<Result<Grounds>> look_up(const std::string& collection, const Caller& caller, std::string question) const override;
  Task<Result<std::vector<Claim>>> bear_out(const std::string& collection, const Caller& caller, std::string answer,
                                            std::vector<Passage> passages) const override;

 private:
  const std::unique_ptr<rag::Library>& library_;  // opened before the first call
  BlockingPool& pool_;
  const guard::InjectionDetector detector_;
};

}  // namespace ajar::app
