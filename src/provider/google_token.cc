// Access tokens of Google service accounts: a signed assertion for a token of an hour.
// https://developers.google.com/identity/protocols/oauth2/service-account#httprest
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <mutex>

#include "base/text.h"
#include "json/read.h"
#include "json/write.h"
#include "net/loop.h"
#include "provider/auth.h"

namespace ajar {
namespace {

constexpr std::string_view kScope = "https://www.googleapis.com/auth/cloud-platform";
constexpr auto kEarly = std::chrono::minutes(5);     // before the end of a token, the next one is fetched
constexpr Millis kFetch{10'000};                     // for one token
constexpr size_t kMaxAnswer = 256 * 1024;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

std::string base64_url(std::string_view bytes) {
  std::string out = base64_encode(bytes);
  while (out.ends_with('=')) out.pop_back();
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

// RSASSA-PKCS1-v1_5 with SHA-256; empty when OpenSSL fails.
std::string sign(EVP_PKEY* key, std::string_view text) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  size_t size = 0;
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1) {
    return {};
  }
  std::string out(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes, text.size()) != 1) return {};
  out.resize(size);
  return out;
}

class GoogleAuthorizer final : public Authorizer {
 public:
  GoogleAuthorizer(Key key, std::string email, std::string key_id, std::string token_uri, Url endpoint, std::string file,
                   TlsOptions tls)
      : key_(std::move(key)), email_(std::move(email)), key_id_(std::move(key_id)), token_uri_(std::move(token_uri)),
        endpoint_(std::move(endpoint)), file_(std::move(file)), tls_(std::move(tls)) {}

  Task<Status> authorize(const Url&, std::string_view, std::string_view, Headers& headers, Client& client,
                         TimePoint deadline, CancelToken& cancel) override {
    const TimePoint patience = std::min(deadline, after(kFetch));
    for (uint64_t waited_for = 0;;) {
      switch (look(headers, waited_for)) {
        case Next::kUse: co_return Status();
        case Next::kFetch: {
          const Fetching turn(*this);
          auto fetched = co_await fetch(client, patience, cancel);
          store(fetched);
          if (fetched) break;
          // A token that still holds is better than an error.
          if (look(headers, 0, false) == Next::kUse) co_return Status();
          co_return std::unexpected(std::move(fetched).error());
        }
        case Next::kFailed: {
          std::lock_guard guard(lock_);
          co_return std::unexpected(failure_);
        }
        case Next::kWait:
          if (now() >= patience) {
            co_return fail(Code::kTimeout, "no access token for the credentials " + file_ + " came in time");
          }
          // Rare: the first calls of a process. The one that fetches may be on another loop.
          if (!co_await sleep_until(now() + Millis(10), cancel)) co_return fail(Code::kCancelled, "the client left");
      }
    }
  }

  void refused() override {
    std::lock_guard guard(lock_);
    token_.clear();
  }

 private:
  enum class Next : uint8_t { kUse, kFetch, kWait, kFailed };

  // Whose turn it is; given back when the coroutine ends, however it ends.
  struct Fetching {
    explicit Fetching(GoogleAuthorizer& authorizer) : of(authorizer) {}
    ~Fetching() {
      std::lock_guard guard(of.lock_);
      of.fetching_ = false;
    }
    GoogleAuthorizer& of;
  };

  Next look(Headers& headers, uint64_t& waited_for, bool may_fetch = true) {
    std::lock_guard guard(lock_);
    const TimePoint at = now();
    const bool holds = !token_.empty() && at < ends_;
    const bool due = !holds || at >= renew_;
    if (holds && (!due || fetching_ || !may_fetch)) {
      headers.set("authorization", "Bearer " + token_);
      return Next::kUse;
    }
    if (!may_fetch) return Next::kFailed;
    // One failure answers all that waited for it.
    if (waited_for != 0 && fetches_ >= waited_for && !holds && !fetching_ && failed_) return Next::kFailed;
    if (fetching_) {
      if (waited_for == 0) waited_for = fetches_ + 1;
      return Next::kWait;
    }
    fetching_ = true;
    return Next::kFetch;
  }
  Next look(Headers& headers, int, bool may_fetch) {
    uint64_t none = 0;
    return look(headers, none, may_fetch);
  }

  struct Token {
    std::string text;
    int64_t seconds = 0;
  };

  void store(const Result<Token>& fetched) {
    std::lock_guard guard(lock_);
    ++fetches_;
    failed_ = !fetched;
    if (!fetched) {
      failure_ = fetched.error();
      return;
    }
    token_ = fetched->text;
    const std::chrono::seconds lifetime(fetched->seconds);
    ends_ = now() + lifetime;
    renew_ = ends_ - std::min<std::chrono::nanoseconds>(kEarly, std::chrono::nanoseconds(lifetime) / 2);
  }

  std::string assertion() const {
    std::string head, claims;
    json::Writer h(head);
    h.begin_object();
    h.field("alg", "RS256");
    h.field("typ", "JWT");
    if (!key_id_.empty()) h.field("kid", key_id_);
    h.end_object();
    json::Writer c(claims);
    c.begin_object();
    c.field("iss", email_);
    c.field("scope", kScope);
    c.field("aud", token_uri_);
    c.field("iat", unix_seconds());
    c.field("exp", unix_seconds() + 3600);
    c.end_object();
    const std::string text = base64_url(head) + "." + base64_url(claims);
    return text + "." + base64_url(sign(key_.get(), text));
  }

  Task<Result<Token>> fetch(Client& client, TimePoint deadline, CancelToken& cancel) {
    const Headers headers{{"content-type", "application/x-www-form-urlencoded"},
                          {"accept-encoding", "identity"},
                          {"user-agent", "ajar/0.1"}};
    const std::string body =
        "grant_type=" + percent_encode("urn:ietf:params:oauth:grant-type:jwt-bearer") + "&assertion=" + assertion();
    const ClientRequest outgoing{.url = endpoint_, .headers = headers, .body = body, .connect_deadline = deadline,
                                 .first_byte_deadline = deadline, .tls = &tls_};
    auto response = co_await client.send(outgoing, cancel);
    if (!response) co_return std::unexpected(std::move(response.error()).in(where()));
    auto answer = co_await response->read_all(deadline, kMaxAnswer);
    if (!answer) co_return std::unexpected(std::move(answer.error()).in(where()));
    co_return read(response->status(), *answer);
  }

  std::string where() const { return "the token endpoint " + endpoint_.origin() + " of the credentials " + file_; }

  Result<Token> read(int status, std::string_view answer) const {
    json::Document document;
    const auto object = document.parse_object(answer);
    Token token;
    if (status == 200 && object) {
      token.text = json::string_or(*object, "access_token");
      token.seconds = std::clamp<int64_t>(json::int_or(*object, "expires_in", 3600), 1, 86'400);
    }
    if (!token.text.empty() && Headers::valid_value(token.text)) return token;
    // {"error":"invalid_grant","error_description":"…"}
    std::string why = "answered with status " + std::to_string(status);
    if (object) {
      const auto code = json::string_or(*object, "error"), text = json::string_or(*object, "error_description");
      if (!code.empty()) why += ": " + std::string(code);
      if (!text.empty()) why += ": " + std::string(text);
    }
    Error error{.code = status >= 500 ? Code::kUnavailable : Code::kUpstream, .message = where() + " " + why};
    error.upstream_status = status >= 400 && status < 500 ? 401 : status;  // our credentials were refused
    return std::unexpected(std::move(error));
  }

  const Key key_;
  const std::string email_, key_id_, token_uri_;
  const Url endpoint_;
  const std::string file_;
  const TlsOptions tls_;

  std::mutex lock_;  // guards what follows
  std::string token_;
  TimePoint ends_{}, renew_{};
  bool fetching_ = false, failed_ = false;
  uint64_t fetches_ = 0;  // that ended
  Error failure_;         // of the last, when it failed
};

}  // namespace

Result<std::shared_ptr<Authorizer>> new_google_authorizer(std::string_view text, std::string file, const TlsOptions& tls) {
  const auto bad = [&](const std::string& why) { return invalid("credentials", "the credentials file " + file + " " + why); };
  json::Document document;
  const auto object = document.parse_object(text);
  if (!object) return bad("is not a JSON object");
  const std::string type(json::string_or(*object, "type", "service_account"));
  if (type != "service_account") return bad("is of type '" + type + "'; the key of a service account is needed");
  const std::string pem(json::string_or(*object, "private_key")), email(json::string_or(*object, "client_email"));
  if (pem.empty()) return bad("has no private_key");
  if (email.empty()) return bad("has no client_email");
  const std::string token_uri(json::string_or(*object, "token_uri", "https://oauth2.googleapis.com/token"));
  auto endpoint = parse_url(token_uri);
  if (!endpoint) return bad("has a bad token_uri: " + endpoint.error().message);
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), int(pem.size())), BIO_free);
  // No passphrase is asked for on a terminal.
  const auto no_passphrase = [](char*, int, int, void*) { return 0; };
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free);
  if (!key || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) return bad("has a private_key that is no RSA key in PEM");
  return std::make_shared<GoogleAuthorizer>(std::move(key), email, std::string(json::string_or(*object, "private_key_id")),
                                            token_uri, std::move(*endpoint), std::move(file), tls);
}

}  // namespace ajar
