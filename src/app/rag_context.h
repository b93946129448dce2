#pragma once
// Lines of context for chunks (rag/context.h), asked of a route: inside a server through the gateway's own line, so that budgets, data
// classes and the call log hold; on the command line of a server by HTTP.

#include <string>

#include "gateway/gateway.h"
#include "net/loop.h"
#include "rag/context.h"

namespace ajar::app {

// All must outlive the writer's last call. The key that adds a document pays.
rag::ContextWriter gateway_context_writer(const std::string& route, size_t at_once, Gateway& gateway, const Tenants& tenants, Loop& loop);

// Of the server at `url`, one question at a time.
rag::ContextWriter http_context_writer(const std::string& route, const std::string& url, const std::string& key);

}  // namespace ajar::app
