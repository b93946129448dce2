// Service accounts against a token endpoint on this machine, which checks every assertion by the public key.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <mutex>

#include "base/text.h"
#include "json/read.h"
#include "json/write.h"
#include "net/testing.h"
#include "provider/auth.h"

namespace ajar {
namespace {

using testing::RawServer;
using testing::RawSocket;
using testing::run_on;

EVP_PKEY* key() {
  static EVP_PKEY* const made = EVP_RSA_gen(2048);
  return made;
}

std::string pem() {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key(), nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string out(data, size_t(size));
  BIO_free(bio);
  return out;
}

std::string file_text(const std::string& token_uri) {
  std::string out;
  json::Writer w(out);
  w.begin_object();
  w.field("type", "service_account");
  w.field("client_email", "ajar@project.iam.gserviceaccount.com");
  w.field("private_key_id", "kid1");
  w.field("private_key", pem());
  w.field("token_uri", token_uri);
  w.end_object();
  return out;
}

bool verifies(std::string_view text, std::string_view signature) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key());
  const int ok = EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                                  reinterpret_cast<const unsigned char*>(text.data()), text.size());
  EVP_MD_CTX_free(context);
  return ok == 1;
}

// A token endpoint: `answers` in order, the last again and again.
class Endpoint {
 public:
  explicit Endpoint(std::vector<std::string> answers)
      : answers_(std::move(answers)), server_([this](RawSocket socket, int) { serve(socket); }) {}
  std::string uri() const { return "http://127.0.0.1:" + std::to_string(server_.port()) + "/token"; }
  int fetches() const { return fetches_; }
  std::string faults() {
    std::lock_guard guard(lock_);
    return faults_;
  }

 private:
  void serve(RawSocket& socket) {
    const std::string head = socket.read_until("\r\n\r\n");
    const size_t at = head.find("content-length: ");
    if (at == std::string::npos) return;
    check(head, socket.read_exactly(size_t(std::stoul(head.substr(at + 16)))));
    const int n = fetches_++;
    socket.send(answers_[std::min(size_t(n), answers_.size() - 1)]);
  }
  void check(const std::string& head, const std::string& body) {
    std::lock_guard guard(lock_);
    const auto need = [&](bool fine, const char* what) {
      if (!fine) faults_ += std::string(what) + "; ";
    };
    need(head.starts_with("POST /token HTTP/1.1\r\n"), "path");
    need(head.find("application/x-www-form-urlencoded") != std::string::npos, "content type");
    constexpr std::string_view kGrant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    need(body.starts_with(kGrant), "grant");
    const auto parts = split(std::string_view(body).substr(std::min(kGrant.size(), body.size())), '.');
    need(parts.size() == 3, "three parts");
    if (parts.size() != 3) return;
    const std::string signed_text = std::string(parts[0]) + "." + std::string(parts[1]);
    need(verifies(signed_text, base64_decode(parts[2]).value_or("")), "signature");
    json::Document a, b;
    const auto header = a.parse_object(base64_decode(parts[0]).value_or(""));
    const auto claims = b.parse_object(base64_decode(parts[1]).value_or(""));
    need(header && json::string_or(*header, "alg") == "RS256" && json::string_or(*header, "kid") == "kid1", "header");
    need(claims && json::string_or(*claims, "iss") == "ajar@project.iam.gserviceaccount.com" &&
             json::string_or(*claims, "scope") == "https://www.googleapis.com/auth/cloud-platform" &&
             json::string_or(*claims, "aud") == uri_for_check_ && json::int_or(*claims, "exp") - json::int_or(*claims, "iat") == 3600,
         "claims");
  }

 public:
  std::string uri_for_check_;

 private:
  const std::vector<std::string> answers_;
  std::atomic<int> fetches_ = 0;
  std::mutex lock_;
  std::string faults_;
  RawServer server_;
};

std::string answer(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}
std::string token(const std::string& text, int seconds) {
  return answer(200, R"({"access_token":")" + text + R"(","token_type":"Bearer","expires_in":)" + std::to_string(seconds) + "}");
}

struct Asker {
  Asker() : group(2) {
    for (size_t i = 0; i < 2; ++i) {
      run_on(group[i], [&]() -> Task<> {
        clients[i] = *Client::create(group[i], {});
        co_return;
      });
    }
  }
  ~Asker() {
    for (size_t i = 0; i < 2; ++i) {
      run_on(group[i], [&]() -> Task<> {
        clients[i].reset();
        co_return;
      });
    }
  }
  // The authorization header, or the error's message.
  Task<std::string> ask(Authorizer& authorizer, size_t loop, Millis patience = Millis(20'000)) {
    Headers headers;
    CancelToken cancel;
    const Url url;
    const Status done = co_await authorizer.authorize(url, "POST", "", headers, *clients[loop], after(patience), cancel);
    co_return done ? std::string(headers.get("authorization")) : "error: " + done.error().message;
  }
  std::string ask_on(Authorizer& authorizer, size_t loop = 0) {
    std::string out;
    run_on(group[loop], [&]() -> Task<> { out = co_await ask(authorizer, loop); });
    return out;
  }
  LoopGroup group;
  std::unique_ptr<Client> clients[2];
};

std::shared_ptr<Authorizer> account(Endpoint& endpoint) {
  endpoint.uri_for_check_ = endpoint.uri();
  return *new_google_authorizer(file_text(endpoint.uri()), "/etc/key.json", {});
}

TEST(GoogleToken, FetchedOnceAndKept) {
  Endpoint endpoint({token("one", 3600)});
  const auto authorizer = account(endpoint);
  Asker asker;
  EXPECT_EQ(asker.ask_on(*authorizer), "Bearer one");
  EXPECT_EQ(asker.ask_on(*authorizer, 1), "Bearer one");
  EXPECT_EQ(endpoint.fetches(), 1);
  EXPECT_EQ(endpoint.faults(), "");
}

TEST(GoogleToken, OneFetchForAllThatWait) {
  Endpoint endpoint({token("one", 3600)});
  const auto authorizer = account(endpoint);
  Asker asker;
  std::atomic<int> right = 0, asked = 0;
  for (int i = 0; i < 40; ++i) {
    asker.group[size_t(i % 2)].spawn([](Asker& asker, Authorizer& authorizer, size_t loop, std::atomic<int>& right,
                                        std::atomic<int>& asked) -> Task<> {
      right += co_await asker.ask(authorizer, loop) == "Bearer one";
      ++asked;
    }(asker, *authorizer, size_t(i % 2), right, asked));
  }
  EXPECT_TRUE(testing::eventually([&] { return asked == 40; }));
  EXPECT_EQ(right, 40);
  EXPECT_EQ(endpoint.fetches(), 1);
}

TEST(GoogleToken, RenewedBeforeItEndsAndWhenRefused) {
  Endpoint endpoint({token("one", 1), token("two", 3600), token("three", 3600)});
  const auto authorizer = account(endpoint);
  Asker asker;
  EXPECT_EQ(asker.ask_on(*authorizer), "Bearer one");
  EXPECT_TRUE(testing::eventually([&] { return asker.ask_on(*authorizer) == "Bearer two"; }));
  authorizer->refused();
  EXPECT_EQ(asker.ask_on(*authorizer), "Bearer three");
  EXPECT_EQ(endpoint.fetches(), 3);
}

// While a token still holds, an endpoint that is down is no error.
TEST(GoogleToken, OldTokenServesWhileTheEndpointFails) {
  Endpoint endpoint({token("one", 2), answer(500, "oops")});
  const auto authorizer = account(endpoint);
  Asker asker;
  EXPECT_EQ(asker.ask_on(*authorizer), "Bearer one");
  const bool tried = testing::eventually([&] {
    const std::string got = asker.ask_on(*authorizer);
    return endpoint.fetches() > 1 && got == "Bearer one";
  });
  EXPECT_TRUE(tried);
}

TEST(GoogleToken, ErrorsNameTheFileAndNoSecret) {
  Endpoint endpoint({answer(400, R"({"error":"invalid_grant","error_description":"Invalid JWT Signature."})"),
                     answer(200, R"({"token_type":"Bearer"})"), answer(503, "<html>busy</html>")});
  const auto authorizer = account(endpoint);
  Asker asker;
  const std::string origin = endpoint.uri().substr(0, endpoint.uri().rfind('/'));
  EXPECT_EQ(asker.ask_on(*authorizer), "error: the token endpoint " + origin + " of the credentials /etc/key.json answered "
                                       "with status 400: invalid_grant: Invalid JWT Signature.");
  EXPECT_NE(asker.ask_on(*authorizer).find("status 200"), std::string::npos);
  EXPECT_NE(asker.ask_on(*authorizer).find("status 503"), std::string::npos);
}

TEST(GoogleToken, EndpointDown) {
  uint16_t port;
  {
    RawServer gone([](RawSocket, int) {});
    port = gone.port();
  }
  const auto authorizer = *new_google_authorizer(file_text("http://127.0.0.1:" + std::to_string(port) + "/t"), "k.json", {});
  Asker asker;
  const std::string said = asker.ask_on(*authorizer);
  EXPECT_TRUE(said.starts_with("error: the token endpoint http://127.0.0.1:")) << said;
  EXPECT_NE(said.find("k.json"), std::string::npos);
}

TEST(GoogleToken, BadFiles) {
  const auto fault = [](std::string_view text) {
    const auto made = new_google_authorizer(text, "k.json", {});
    if (made) return std::string("made");
    EXPECT_EQ(made.error().field, "credentials");
    EXPECT_TRUE(made.error().message.starts_with("the credentials file k.json ")) << made.error().message;
    return made.error().message.substr(28);
  };
  EXPECT_EQ(fault("nonsense"), "is not a JSON object");
  EXPECT_EQ(fault(R"({"type":"authorized_user"})"), "is of type 'authorized_user'; the key of a service account is needed");
  EXPECT_EQ(fault(R"({"type":"service_account"})"), "has no private_key");
  EXPECT_EQ(fault(R"({"private_key":"x"})"), "has no client_email");
  EXPECT_EQ(fault(R"({"private_key":"SECRET","client_email":"e"})"), "has a private_key that is no RSA key in PEM");
  EXPECT_TRUE(fault(R"({"private_key":"x","client_email":"e","token_uri":"ftp://x"})").starts_with("has a bad token_uri"));
}

}  // namespace
}  // namespace ajar
