#pragma once
// Who scores what a search of documents has found: a route of this server, of another process's server, or a model of the data folder.

#include "gateway/gateway.h"
#include "net/loop.h"
#include "provider/model_host.h"
#include "rag/rerank.h"

namespace ajar::app {

// Asks routes on the request line, so that keys, budgets and data classes hold: the passages are of rag.data_class, whoever asks. For
// threads other than the loop's. All must outlive it.
rag::Score gateway_score(Gateway& gateway, const Tenants& tenants, Metrics& metrics, Loop& loop);
// The cross-encoder of that name where the host knows one, otherwise a route of the server at `url`.
rag::Score local_score(ModelHost& host, const std::string& url, const std::string& key);

}  // namespace ajar::app
