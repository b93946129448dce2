// TLS against a blocking OpenSSL server with a certificate authority made here.

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>

#include "net/connect.h"
#include "net/testing.h"

namespace ajar {
namespace {

using testing::RawServer;
using testing::RawSocket;
using testing::run_on;
using ::testing::HasSubstr;

void extend(X509* cert, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  X509_add_ext(cert, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* make_certificate(EVP_PKEY* key, const char* name, X509* issuer, EVP_PKEY* issuer_key, const char* alt) {
  X509* cert = X509_new();
  X509_set_version(cert, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), issuer ? 2 : 1);
  X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
  X509_set_pubkey(cert, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert));
  extend(cert, issuer ? issuer : cert, NID_basic_constraints, issuer ? "CA:FALSE" : "critical,CA:TRUE");
  if (alt) extend(cert, issuer, NID_subject_alt_name, alt);
  X509_sign(cert, issuer_key ? issuer_key : key, EVP_sha256());
  return cert;
}

// An authority, a certificate for "localhost" only, and a server that answers each connection with "pong".
struct TlsServer {
  TlsServer() : ca_key(EVP_EC_gen("P-256")), key(EVP_EC_gen("P-256")) {
    ca = make_certificate(ca_key, "Test CA", nullptr, nullptr, nullptr);
    cert = make_certificate(key, "leaf", ca, ca_key, "DNS:localhost");
    ca_file = ::testing::TempDir() + "/ajar-ca-" + std::to_string(getpid()) + ".pem";
    FILE* file = fopen(ca_file.c_str(), "w");
    PEM_write_X509(file, ca);
    fclose(file);
    context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context, cert);
    SSL_CTX_use_PrivateKey(context, key);
  }
  ~TlsServer() {
    server.reset();
    SSL_CTX_free(context);
    X509_free(ca);
    X509_free(cert);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
    std::remove(ca_file.c_str());
  }
  void start() {
    server = std::make_unique<RawServer>([this](RawSocket socket, int) { serve(socket); });
  }
  void serve(RawSocket& socket) {
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, socket.fd());
    if (SSL_accept(ssl) == 1) {
      resumed += SSL_session_reused(ssl);
      std::string all;
      char buffer[4096];
      while (!all.ends_with("ping")) {
        int n = SSL_read(ssl, buffer, sizeof buffer);
        if (n <= 0) break;
        all.append(buffer, size_t(n));
      }
      received += all.size();
      SSL_write(ssl, "pong", 4);
      if (clean_end) SSL_shutdown(ssl);
    }
    SSL_free(ssl);
  }
  EVP_PKEY *ca_key, *key;
  X509 *ca, *cert;
  SSL_CTX* context;
  std::string ca_file;
  std::atomic<int> resumed{0};
  std::atomic<size_t> received{0};
  std::atomic<bool> clean_end{true};
  std::unique_ptr<RawServer> server;
};

struct Client {
  explicit Client(ProxyConfig proxy = {}) : group(1) {
    run_on(group[0], [&]() -> Task<> {
      connector = *Connector::create(group[0], std::move(proxy));
      co_return;
    });
  }
  ~Client() {
    run_on(group[0], [&]() -> Task<> {
      connector.reset();
      co_return;
    });
  }
  // Sends "ping" and returns what comes back to the end, or the error.
  std::string talk(std::string host, uint16_t port, TlsOptions tls, size_t padding = 0, Millis patience = Millis(20'000)) {
    std::string out;
    run_on(group[0], [&]() -> Task<> {
      CancelToken token;
      Endpoint to{.host = host, .port = port, .tls = true};
      auto stream = co_await connector->connect(to, tls, after(patience), token);
      if (!stream) {
        out = std::string(code_name(stream.error().code)) + ": " + stream.error().message;
        co_return;
      }
      std::string text = std::string(padding, '.') + "ping";
      iovec parts[2] = {{text.data(), text.size() - 4}, {text.data() + text.size() - 4, 4}};
      if (!co_await stream->write_rest(parts, 0, Millis(20'000))) co_return;
      char buffer[100];
      for (;;) {
        auto n = co_await stream->read_some(buffer, now() + Millis(20'000));
        if (!n) out += " then " + std::string(code_name(n.error().code));
        if (!n || *n == 0) co_return;
        out.append(buffer, *n);
      }
    });
    return out;
  }
  LoopGroup group;
  std::unique_ptr<Connector> connector;
};

TEST(Tls, VerifiesAndResumes) {
  TlsServer server;
  server.start();
  Client client;
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(client.talk("localhost", server.server->port(), {.ca_file = server.ca_file}), "pong");
  EXPECT_EQ(server.resumed, 2);
}

TEST(Tls, LargeWrites) {
  TlsServer server;
  server.start();
  Client client;
  EXPECT_EQ(client.talk("localhost", server.server->port(), {.ca_file = server.ca_file}, 5'000'000), "pong");
  EXPECT_EQ(server.received, 5'000'004u);
}

TEST(Tls, RefusesWhatItCannotVerify) {
  TlsServer server;
  server.start();
  uint16_t port = server.server->port();
  Client client;
  std::string unknown = client.talk("localhost", port, {});
  EXPECT_THAT(unknown, HasSubstr("unavailable: localhost:" + std::to_string(port)));
  EXPECT_THAT(unknown, HasSubstr("certificate"));
  EXPECT_THAT(client.talk("127.0.0.1", port, {.ca_file = server.ca_file}), HasSubstr("IP address mismatch"));
  EXPECT_THAT(client.talk("localhost", port, {.ca_file = "/does/not/exist"}), HasSubstr("cannot read CA"));
  EXPECT_EQ(client.talk("127.0.0.1", port, {.insecure = true}), "pong");
}

TEST(Tls, AnEndWithoutCloseNotifyIsACut) {
  TlsServer server;
  server.clean_end = false;
  server.start();
  Client client;
  EXPECT_THAT(client.talk("localhost", server.server->port(), {.ca_file = server.ca_file}), "pong then cut");
}

TEST(Tls, APlainServerAndASilentOne) {
  RawServer plain([](RawSocket socket, int) { socket.send("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  Client client;
  EXPECT_THAT(client.talk("localhost", plain.port(), {.insecure = true}), HasSubstr("unavailable: "));
  RawServer silent([](RawSocket socket, int) { socket.read_all(); });
  EXPECT_THAT(client.talk("localhost", silent.port(), {.insecure = true}, 0, Millis(100)), HasSubstr("timeout: "));
}

TEST(Tls, ThroughAConnectProxy) {
  TlsServer server;
  server.start();
  std::string head;
  RawServer proxy([&](RawSocket socket, int) {
    head = socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.1 200 Connection established\r\n\r\n");
    server.serve(socket);
  });
  std::string at = "127.0.0.1:" + std::to_string(proxy.port());
  Client client({.https_proxy = "http://user:pass@" + at});
  EXPECT_EQ(client.talk("localhost", 4443, {.ca_file = server.ca_file}), "pong");
  EXPECT_EQ(head, "CONNECT localhost:4443 HTTP/1.1\r\nHost: localhost:4443\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n");

  RawServer refusing([](RawSocket socket, int) {
    socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
  });
  Client refused({.https_proxy = "http://127.0.0.1:" + std::to_string(refusing.port())});
  EXPECT_THAT(refused.talk("localhost", 4443, {.insecure = true}), HasSubstr("407"));
}

}  // namespace
}  // namespace ajar
