#include "provider/sigv4.h"

#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <map>
#include <vector>

#include "base/random.h"
#include "base/text.h"

namespace ajar {
namespace {

std::string hmac(std::string_view key, std::string_view text) {
  // Made once: OpenSSL 3 looks the algorithms up at every HMAC(), which costs more than the hash.
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  struct Context {
    Context() {
      char digest[] = "SHA256";
      const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_construct_end()};
      if (EVP_MAC_CTX_set_params(raw, params) != 1) std::abort();
    }
    ~Context() { EVP_MAC_CTX_free(raw); }
    EVP_MAC_CTX* raw = EVP_MAC_CTX_new(algorithm);
  };
  thread_local Context context;
  const auto bytes = [](std::string_view in) { return reinterpret_cast<const unsigned char*>(in.data()); };
  unsigned char out[32];
  size_t size = 0;
  if (EVP_MAC_init(context.raw, bytes(key), key.size(), nullptr) != 1 ||
      EVP_MAC_update(context.raw, bytes(text), text.size()) != 1 || EVP_MAC_final(context.raw, out, &size, sizeof out) != 1) {
    std::abort();
  }
  return {reinterpret_cast<const char*>(out), size};
}

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) out.append({kDigits[uint8_t(c) >> 4], kDigits[uint8_t(c) & 15]});
  return out;
}

std::string canonical_path(std::string_view path) {
  std::string out;
  for (const auto segment : split(path, '/')) {
    if (!out.empty() || segment.data() != path.data()) out.push_back('/');
    out += percent_encode(segment);
  }
  return out.empty() ? "/" : out;
}

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto pair : split(query, '&')) {
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    const auto encode = [](std::string_view text) { return percent_encode(percent_decode(text).value_or(std::string(text))); };
    pairs.emplace_back(encode(pair.substr(0, equals)), encode(pair.substr(std::min(equals + 1, pair.size()))));
  }
  std::ranges::sort(pairs);
  std::string out;
  for (const auto& [name, value] : pairs) out.append(out.empty() ? "" : "&").append(name).append("=").append(value);
  return out;
}

// Runs of spaces count as one.
std::string canonical_value(std::string_view value) {
  std::string out;
  for (const char c : trim(value)) {
    if (c != ' ' || !out.ends_with(' ')) out.push_back(c);
  }
  return out;
}

// Holds for a day; each thread keeps its last.
const std::string& signing_key(std::string_view secret, std::string_view day, std::string_view region, std::string_view service) {
  thread_local std::string of, key;
  std::string wanted;
  for (const auto word : {secret, day, region, service}) wanted.append(word).push_back('\n');
  if (of == wanted) return key;
  key = hmac(hmac(hmac(hmac("AWS4" + std::string(secret), day), region), service), "aws4_request");
  of = std::move(wanted);
  return key;
}

bool is_signed(std::string_view name) {
  for (const char* skipped : {"authorization", "user-agent", "accept-encoding", "connection", "expect", "content-length"}) {
    if (iequals(name, skipped)) return false;
  }
  return true;
}

class AwsAuthorizer final : public Authorizer {
 public:
  AwsAuthorizer(AwsCredentials credentials, std::string region, std::string service)
      : credentials_(std::move(credentials)), region_(std::move(region)), service_(std::move(service)) {}

  Task<Status> authorize(const Url& url, std::string_view method, std::string_view body, Headers& headers, Client&,
                         TimePoint, CancelToken&) override {
    sign_aws(credentials_, region_, service_, url, method, body, unix_seconds(), headers);
    co_return Status();
  }

 private:
  const AwsCredentials credentials_;
  const std::string region_, service_;
};

}  // namespace

void sign_aws(const AwsCredentials& credentials, std::string_view region, std::string_view service, const Url& url,
              std::string_view method, std::string_view body, int64_t unix_seconds, Headers& headers) {
  const std::time_t seconds = unix_seconds;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
  const std::string_view moment = stamp, day = moment.substr(0, 8);
  headers.set("x-amz-date", moment);
  if (!credentials.session_token.empty()) headers.set("x-amz-security-token", credentials.session_token);

  const std::string origin = url.origin();
  std::map<std::string, std::string> fields = {{"host", origin.substr(origin.find("://") + 3)}};
  for (const auto [name, value] : headers) {
    if (!is_signed(name)) continue;
    const auto [field, fresh] = fields.try_emplace(to_lower(name), canonical_value(value));
    if (!fresh) field->second.append(",").append(canonical_value(value));  // values of one name stand in one line
  }
  std::string lines, names;
  for (const auto& [name, value] : fields) {
    lines.append(name).append(":").append(value).append("\n");
    names.append(names.empty() ? "" : ";").append(name);
  }

  const std::string_view target = url.target;
  const size_t question = std::min(target.find('?'), target.size());
  std::string request(method);
  request.append("\n").append(canonical_path(target.substr(0, question))).append("\n");
  request.append(canonical_query(target.substr(std::min(question + 1, target.size())))).append("\n");
  request.append(lines).append("\n").append(names).append("\n").append(sha256_hex(body));

  const std::string scope = std::string(day) + "/" + std::string(region) + "/" + std::string(service) + "/aws4_request";
  const std::string to_sign = "AWS4-HMAC-SHA256\n" + std::string(moment) + "\n" + scope + "\n" + sha256_hex(request);
  const std::string& key = signing_key(credentials.secret_access_key, day, region, service);
  headers.set("authorization", "AWS4-HMAC-SHA256 Credential=" + credentials.access_key_id + "/" + scope +
                                   ", SignedHeaders=" + names + ", Signature=" + hex(hmac(key, to_sign)));
}

std::shared_ptr<Authorizer> new_aws_authorizer(AwsCredentials credentials, std::string region, std::string service) {
  return std::make_shared<AwsAuthorizer>(std::move(credentials), std::move(region), std::move(service));
}

}  // namespace ajar
