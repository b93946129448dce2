#pragma once
// AWS Signature Version 4 over a whole request.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

#include <string>
#include <string_view>

#include "http/client.h"
#include "provider/auth.h"

namespace ajar {

// Sets x-amz-date, x-amz-security-token and authorization. All other headers are signed, but those that proxies change.
// The path is taken as it is sent and encoded once more, as every service but S3 wants it.
void sign_aws(const AwsCredentials& credentials, std::string_view region, std::string_view service, const Url& url,
              std::string_view method, std::string_view body, int64_t unix_seconds, Headers& headers);

}  // namespace ajar
