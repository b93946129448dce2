// The signature of a request of 2 KB.
#include <benchmark/benchmark.h>

#include "provider/sigv4.h"

namespace ajar {
namespace {

void sign(benchmark::State& state) {
  const AwsCredentials credentials{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
  const Url url{.tls = true, .host = "bedrock-runtime.us-east-1.amazonaws.com", .port = 443, .target = "/model/a%3A0/converse"};
  const std::string body(2048, 'x');
  const Headers base{{"content-type", "application/json"}, {"accept-encoding", "identity"}, {"user-agent", "ajar/0.1"}};
  for (auto _ : state) {
    Headers headers = base;
    sign_aws(credentials, "us-east-1", "bedrock", url, "POST", body, 1440938160, headers);
    benchmark::DoNotOptimize(headers);
  }
}
BENCHMARK(sign);

}  // namespace
}  // namespace ajar
