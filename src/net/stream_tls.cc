// Stream over TLS: OpenSSL reads and writes the socket itself; it never blocks.

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <cerrno>
#include <cstring>

#include "net/stream_impl.h"

namespace ajar {
namespace {

constexpr size_t kRecord = 16 * 1024;

Io from_ssl(SSL* ssl, int n, int saved_errno) {
  switch (SSL_get_error(ssl, n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return {.kind = Io::Kind::kWouldBlock};
    case SSL_ERROR_ZERO_RETURN: return {.kind = Io::Kind::kEnd};
    case SSL_ERROR_SYSCALL:
      return {.kind = Io::Kind::kFailed, .error = saved_errno ? saved_errno : EPROTO};
    default: ERR_clear_error(); return {.kind = Io::Kind::kFailed, .error = EPROTO};
  }
}

std::string tls_error(SSL* ssl) {
  long verify = SSL_get_verify_result(ssl);
  if (verify != X509_V_OK) {
    ERR_clear_error();
    return std::string("certificate verification failed: ") + X509_verify_cert_error_string(verify);
  }
  std::string text = "TLS handshake failed";
  if (unsigned long code = ERR_get_error()) {
    if (const char* reason = ERR_reason_error_string(code)) text += std::string(": ") + reason;
  }
  ERR_clear_error();
  return text;
}

}  // namespace

Io Stream::try_read_tls(std::span<char> into) {
  ERR_clear_error();
  errno = 0;
  int n = SSL_read(impl_->ssl, into.data(), int(std::min<size_t>(into.size(), 1 << 30)));
  if (n > 0) return {.bytes = size_t(n)};
  if (SSL_want_read(impl_->ssl)) impl_->would_block(kRead);
  return from_ssl(impl_->ssl, n, errno);
}

// One record at most: small buffers are gathered, so that a head and its body share one. A repeated attempt after
// kWouldBlock gathers the same bytes again, as SSL_write demands.
Io Stream::try_write_tls(std::span<const iovec> from) {
  static thread_local char gathered[kRecord];
  const char* bytes = static_cast<const char*>(from[0].iov_base);
  size_t size = std::min(from[0].iov_len, kRecord);
  if (from.size() > 1 && size < kRecord) {
    size = 0;
    for (const iovec& buffer : from) {
      size_t take = std::min(buffer.iov_len, kRecord - size);
      std::memcpy(gathered + size, buffer.iov_base, take);
      size += take;
    }
    bytes = gathered;
  }
  if (size == 0) return {};
  ERR_clear_error();
  errno = 0;
  int n = SSL_write(impl_->ssl, bytes, int(size));
  if (n > 0) return {.bytes = size_t(n)};
  if (SSL_want_write(impl_->ssl)) impl_->would_block(kWrite);
  return from_ssl(impl_->ssl, n, errno);
}

Task<Status> Stream::handshake(ssl_st* ssl, TimePoint deadline) {
  if (!is_open()) {
    SSL_free(ssl);
    co_return fail(Code::kCancelled, "the connection was closed");
  }
  impl_->ssl = ssl;
  SSL_set_fd(ssl, impl_->fd);
  SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                        SSL_MODE_RELEASE_BUFFERS);
  SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
  for (;;) {
    ERR_clear_error();
    errno = 0;
    int n = SSL_do_handshake(ssl);
    if (n == 1) co_return Status{};
    int why = SSL_get_error(ssl, n);
    if (why == SSL_ERROR_SYSCALL && errno != 0)
      co_return fail(Code::kUnavailable, "TLS handshake failed: " + errno_text(errno));
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
      co_return fail(Code::kUnavailable, tls_error(ssl));
    int direction = why == SSL_ERROR_WANT_READ ? kRead : kWrite;
    impl_->would_block(direction);
    Wake wake = co_await ready(direction, deadline);
    if (wake == Wake::kTimeout) co_return fail(Code::kTimeout, "TLS handshake timed out");
    if (wake == Wake::kClosed) co_return fail(Code::kCancelled, "the connection was closed");
  }
}

}  // namespace ajar
