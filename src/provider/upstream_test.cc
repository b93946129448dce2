#include "provider/upstream.h"

#include <gtest/gtest.h>

#include "provider/remote.h"

namespace ajar {
namespace {

std::string where(const UpstreamSpec& spec) {
  const auto made = make_upstream(spec);
  if (!made) return made.error().field + ": " + made.error().message;
  return (*made)->base.origin() + (*made)->info.base_path;
}

TEST(Upstream, Addresses) {
  EXPECT_EQ(where({.preset = "openai"}), "https://api.openai.com/v1");
  EXPECT_EQ(where({.preset = "bedrock", .api_key = "k", .region = "eu-west-1"}), "https://bedrock-runtime.eu-west-1.amazonaws.com");
  EXPECT_EQ(where({.preset = "vertex", .api_key = "k", .project = "p", .location = "europe-west4"}),
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4/publishers/google");
  EXPECT_EQ(where({.preset = "vertex", .api_key = "k", .project = "p", .location = "global"}),
            "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google");
  EXPECT_EQ(where({.preset = "vertex", .api_key = "k", .location = "global"}),
            "https://aiplatform.googleapis.com/v1/publishers/google");
  EXPECT_EQ(where({.preset = "vertex-anthropic", .base_url = "http://h:1/v1beta1/", .api_key = "k", .project = "p", .location = "l"}),
            "http://h:1/v1beta1/projects/p/locations/l/publishers/anthropic");
}

TEST(Upstream, FaultsNameTheField) {
  EXPECT_EQ(where({.preset = "bedrock", .access_key_id = "a", .secret_access_key = "s"}), "region: preset 'bedrock' needs a region");
  EXPECT_EQ(where({.preset = "bedrock", .region = "r"}),
            "access_key_id: preset 'bedrock' needs access_key_id and secret_access_key, or api_key");
  EXPECT_EQ(where({.preset = "bedrock", .region = "r", .access_key_id = "a"}),
            "secret_access_key: preset 'bedrock' needs access_key_id and secret_access_key, or api_key");
  EXPECT_EQ(where({.preset = "bedrock", .base_url = "http://h", .access_key_id = "a", .secret_access_key = "s"}),
            "region: preset 'bedrock' needs a region");
  EXPECT_EQ(where({.preset = "bedrock", .api_key = "k", .region = "r/x"}),
            "region: 'r/x' has characters that cannot stand in an address");
  EXPECT_EQ(where({.preset = "vertex", .project = "p", .location = "l"}),
            "credentials: preset 'vertex' needs credentials (the key file of a service account) or api_key");
  EXPECT_EQ(where({.preset = "vertex", .project = "p", .location = "l", .credentials = "/nowhere/k.json"}),
            "credentials: the credentials file /nowhere/k.json cannot be read");
  EXPECT_EQ(where({.preset = "vertex", .location = "l", .credentials = "k"}), "project: preset 'vertex' needs a project");
  EXPECT_EQ(where({.preset = "openai", .region = "r"}), "region: preset 'openai' has no use for region");
  EXPECT_EQ(where({.preset = "openai", .project = "r"}), "project: preset 'openai' has no use for project");
}

TEST(Upstream, Credentials) {
  const auto header = [](const UpstreamSpec& spec, const char* name) { return std::string((*make_upstream(spec))->headers.get(name)); };
  EXPECT_EQ(header({.preset = "bedrock", .api_key = "k", .region = "r"}, "authorization"), "Bearer k");
  EXPECT_EQ(header({.preset = "vertex", .api_key = "k", .location = "l"}, "x-goog-api-key"), "k");
  EXPECT_EQ(header({.preset = "vertex", .api_key = "ya29.k", .location = "l"}, "authorization"), "Bearer ya29.k");
  EXPECT_EQ(header({.preset = "cohere", .api_key = "k"}, "authorization"), "Bearer k");
  const auto signed_one = *make_upstream({.preset = "bedrock", .region = "r", .access_key_id = "a", .secret_access_key = "hidden"});
  EXPECT_TRUE(signed_one->authorizer);
  Error error{.message = "you sent hidden"};
  signed_one->redact(error);
  EXPECT_EQ(error.message, "you sent ***");
  // A server of one's own address may add the credentials itself.
  EXPECT_FALSE((*make_upstream({.preset = "bedrock", .base_url = "http://h"}))->authorizer);
}

TEST(Upstream, SharedByTheTargetsOfAServer) {
  Upstreams upstreams;
  const UpstreamSpec spec{.provider = "p", .preset = "openai", .api_key = "k"};
  auto first = *upstreams.get(spec);
  EXPECT_EQ(first, *upstreams.get(spec));
  UpstreamSpec other = spec;
  other.headers = {{"x", "y"}};
  EXPECT_NE(first, *upstreams.get(other));
  const std::weak_ptr<const Upstream> gone = first;
  first.reset();
  EXPECT_TRUE(gone.expired());  // it lives as long as a target does
  EXPECT_FALSE(upstreams.get({.preset = "nonsense"}));
}

TEST(Upstream, AddressesThatAServerNames) {
  const Url base = parse_url("https://api.replicate.com/v1").value();
  for (const char* fine : {"https://api.replicate.com/v1/predictions/1", "https://stream.replicate.com/x", "https://a.b.replicate.com/"}) {
    EXPECT_TRUE(follow(base, fine)) << fine;
  }
  for (const char* bad : {"http://api.replicate.com/", "https://api.replicate.com:8443/", "https://evilreplicate.com/",
                          "https://replicate.com.evil.org/", "https://stream.replicate.com:444/", "https://127.0.0.1/", "ftp://x", ""}) {
    EXPECT_FALSE(follow(base, bad)) << bad;
  }
  const Url local = parse_url("http://127.0.0.1:8000/v1").value();
  EXPECT_TRUE(follow(local, "http://127.0.0.1:8000/x"));
  EXPECT_FALSE(follow(local, "http://10.0.0.1:8000/x"));
  EXPECT_FALSE(follow(parse_url("http://10.0.0.1/v1").value(), "http://11.0.0.1/x"));
  EXPECT_FALSE(follow(parse_url("https://example.com/v1").value(), "https://other.com/x"));  // a domain has two words
}

}  // namespace
}  // namespace ajar
