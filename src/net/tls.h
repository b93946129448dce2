#pragma once
// Client-side TLS: contexts and sessions. Loop-confined.

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <unordered_map>

#include "base/error.h"
#include "net/connect.h"

namespace ajar {

class TlsContext {
 public:
  static Result<std::unique_ptr<TlsContext>> create(const TlsOptions& options);
  ~TlsContext();

  // A client SSL for one connection: SNI, hostname or IP check (unless insecure), the last session of this host.
  // The caller owns it. Its host name stays with it.
  SSL* new_client(const std::string& host, uint16_t port);

 private:
  TlsContext() = default;
  static int on_session(SSL* ssl, SSL_SESSION* session);

  SSL_CTX* context_ = nullptr;
  bool insecure_ = false;
  std::unordered_map<std::string, SSL_SESSION*> sessions_;
};

}  // namespace ajar
