#pragma once
// One server that has models: where it is and how it is spoken to. Made from the configuration, checked when made.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/client.h"
#include "provider/auth.h"
#include "provider/presets.h"
#include "wire/dialect.h"

namespace ajar {

struct Upstream {
  std::string provider;        // configured name, for messages
  DialectId dialect = DialectId::kOpenAiChat;
  Url base;                    // target = path prefix without a trailing slash
  Headers headers;             // fixed credentials and configured headers
  std::shared_ptr<Authorizer> authorizer;  // null: the headers are enough
  TlsOptions tls;
  std::vector<std::string> secrets;  // to be taken out of what the server says
  wire::TargetInfo info;       // model is filled per target

  // Some servers quote the credential that they refuse. It is ours, and goes to nobody.
  void redact(Error& error) const;
};

void redact(std::string& text, std::string_view secret);

// What the configuration gives to make an Upstream.
struct UpstreamSpec {
  std::string provider, preset, base_url, api_key, api_version, ca_file;
  std::vector<std::pair<std::string, std::string>> headers;
  bool keep_unknown = true;
  bool tls_insecure = false;
  std::string region, access_key_id, secret_access_key, session_token;  // AWS
  std::string project, location, credentials;                           // Google; `credentials` is a file's name
};
// kInvalid with `field` "preset", "base_url", "headers", …. Reads the credentials file.
Result<std::shared_ptr<const Upstream>> make_upstream(const UpstreamSpec& spec);

// One Upstream for all targets of a server, also over a reload that leaves it and its credentials file as they were: its
// tokens are fetched once. Not for several threads at once.
class Upstreams {
 public:
  Result<std::shared_ptr<const Upstream>> get(const UpstreamSpec& spec);

 private:
  std::map<std::string, std::weak_ptr<const Upstream>> made_;
};

}  // namespace ajar
