#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

namespace ajar {
namespace {

// The SSL's key into sessions_, freed with it.
void free_key(void*, void* key, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<std::string*>(key);
}
int key_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_key);
  return index;
}
constexpr size_t kMaxSessions = 256;

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::create(const TlsOptions& options) {
  std::unique_ptr<TlsContext> tls(new TlsContext);
  tls->insecure_ = options.insecure;
  tls->context_ = SSL_CTX_new(TLS_client_method());
  if (!tls->context_) return fail(Code::kInternal, "SSL_CTX_new failed");
  SSL_CTX* context = tls->context_;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, options.insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_read_ahead(context, 1);
  static const unsigned char kAlpn[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context, kAlpn, sizeof kAlpn - 1);
  if (!options.insecure) {
    int ok = options.ca_file.empty()
                 ? SSL_CTX_set_default_verify_paths(context)
                 : SSL_CTX_load_verify_locations(context, options.ca_file.c_str(), nullptr);
    ERR_clear_error();
    if (!ok)
      return fail(Code::kUnavailable, "cannot read CA certificates from " +
                                          (options.ca_file.empty() ? "the system" : options.ca_file));
  }
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_app_data(context, tls.get());
  SSL_CTX_sess_set_new_cb(context, &TlsContext::on_session);
  return tls;
}

TlsContext::~TlsContext() {
  for (auto& [key, session] : sessions_) SSL_SESSION_free(session);
  // Connections may outlive us and still receive tickets.
  if (context_) SSL_CTX_sess_set_new_cb(context_, nullptr);
  SSL_CTX_free(context_);
}

int TlsContext::on_session(SSL* ssl, SSL_SESSION* session) {
  auto* tls = static_cast<TlsContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  auto* key = static_cast<std::string*>(SSL_get_ex_data(ssl, key_index()));
  if (!key || !SSL_SESSION_is_resumable(session)) return 0;
  if (tls->sessions_.size() >= kMaxSessions && !tls->sessions_.contains(*key)) return 0;
  SSL_SESSION*& slot = tls->sessions_[*key];
  SSL_SESSION_free(slot);
  slot = session;
  return 1;  // we keep the reference
}

SSL* TlsContext::new_client(const std::string& host, uint16_t port) {
  SSL* ssl = SSL_new(context_);
  if (!ssl) return nullptr;
  SSL_set_connect_state(ssl);
  unsigned char scratch[sizeof(in6_addr)];
  bool is_ip = inet_pton(AF_INET, host.c_str(), scratch) == 1 ||
               inet_pton(AF_INET6, host.c_str(), scratch) == 1;
  if (!is_ip) SSL_set_tlsext_host_name(ssl, host.c_str());  // RFC 6066: no literal addresses
  if (!insecure_) {
    X509_VERIFY_PARAM* param = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    int ok = is_ip ? X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str())
                   : X509_VERIFY_PARAM_set1_host(param, host.data(), host.size());
    if (!ok) {
      SSL_free(ssl);
      return nullptr;
    }
  }
  auto* key = new std::string(host + ':' + std::to_string(port));
  SSL_set_ex_data(ssl, key_index(), key);
  // A TLS 1.3 ticket is used once (RFC 8446 appendix C.4).
  if (auto it = sessions_.find(*key); it != sessions_.end()) {
    SSL_set_session(ssl, it->second);
    SSL_SESSION_free(it->second);
    sessions_.erase(it);
  }
  return ssl;
}

}  // namespace ajar
