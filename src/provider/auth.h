#pragma once
// How a request proves whose it is, where a fixed header cannot: signatures over the request, tokens that expire.

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/client.h"
#include "net/cancel.h"

namespace ajar {

// One upstream's credentials. Shared by all loops.
class Authorizer {
 public:
  virtual ~Authorizer() = default;

  // Adds what proves the request, which is otherwise final. May ask a token endpoint through `client`, the calling loop's
  // own, until the deadline. Errors name the credentials by their file, never by what is in them.
  virtual Task<Status> authorize(const Url& url, std::string_view method, std::string_view body, Headers& headers,
                                 Client& client, TimePoint deadline, CancelToken& cancel) = 0;
  // The server refused what authorize() last gave: nothing of it is kept.
  virtual void refused() {}
};

// AWS Signature Version 4. An empty session token is none.
struct AwsCredentials {
  std::string access_key_id, secret_access_key, session_token;
};
std::shared_ptr<Authorizer> new_aws_authorizer(AwsCredentials credentials, std::string region, std::string service);

// A Google service account: `json` is the text of its key file, `file` its name for messages. kInvalid with the field
// "credentials" when it is no key of a service account, or when OpenSSL cannot read the key.
Result<std::shared_ptr<Authorizer>> new_google_authorizer(std::string_view json, std::string file, const TlsOptions& tls);

}  // namespace ajar
