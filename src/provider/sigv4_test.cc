// AWS's published test suite for Signature Version 4 (aws-sig-v4-test-suite) and the example of its documentation.
#include "provider/sigv4.h"

#include <gtest/gtest.h>

namespace ajar {
namespace {

const AwsCredentials kCredentials{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
constexpr int64_t kMoment = 1440938160;  // 2015-08-30T12:36:00Z

std::string signature(std::string_view method, std::string_view target, std::string_view body = "", Headers headers = {},
                      const AwsCredentials& credentials = kCredentials, std::string_view host = "example.amazonaws.com",
                      std::string_view service = "service") {
  const Url url{.tls = true, .host = std::string(host), .port = 443, .target = std::string(target)};
  sign_aws(credentials, "us-east-1", service, url, method, body, kMoment, headers);
  const std::string_view value = headers.get("authorization");
  EXPECT_TRUE(value.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/")) << value;
  return std::string(value.substr(value.rfind('=') + 1));
}

TEST(SigV4, TestSuite) {
  EXPECT_EQ(signature("GET", "/"), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  EXPECT_EQ(signature("POST", "/"), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
  EXPECT_EQ(signature("GET", "/?Param2=value2&Param1=value1"),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
  EXPECT_EQ(signature("GET", "/\xe1\x88\xb4"), "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85");
  EXPECT_EQ(signature("GET", "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz="
                             "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
            "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197");
  EXPECT_EQ(signature("POST", "/", "Param1=value1", Headers{{"Content-Type", "application/x-www-form-urlencoded"}}),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
  EXPECT_EQ(signature("GET", "/", "", Headers{{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}}),
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
}

TEST(SigV4, DocumentedExample) {
  EXPECT_EQ(signature("GET", "/?Action=ListUsers&Version=2010-05-08", "",
                      Headers{{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}}, kCredentials,
                      "iam.amazonaws.com", "iam"),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

TEST(SigV4, SessionToken) {
  AwsCredentials credentials = kCredentials;
  credentials.session_token =
      "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwth"
      "Ax7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAki"
      "Y9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
  EXPECT_EQ(signature("POST", "/", "", {}, credentials),
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead");
}

// The path is encoded once more than it is sent; what proxies change is not signed; a port that is not the scheme's is
// part of the host.
TEST(SigV4, WhatIsSigned) {
  const std::string plain = signature("POST", "/model/a%3A0/converse", "{}");
  EXPECT_EQ(signature("POST", "/model/a%3A0/converse", "{}", Headers{{"user-agent", "x"}, {"accept-encoding", "y"}}), plain);
  EXPECT_NE(signature("POST", "/model/a:0/converse", "{}"), plain);
  EXPECT_NE(signature("POST", "/model/a%3A0/converse", "{} "), plain);
  EXPECT_NE(signature("POST", "/model/a%3A0/converse", "{}", Headers{{"x-amzn-bedrock-guardrail", "g"}}), plain);
  const Url url{.tls = false, .host = "127.0.0.1", .port = 8000, .target = "/"};
  Headers headers;
  sign_aws(kCredentials, "us-east-1", "bedrock", url, "POST", "", kMoment, headers);
  EXPECT_NE(headers.get("authorization").find("SignedHeaders=host;x-amz-date"), std::string_view::npos);
  EXPECT_EQ(headers.get("x-amz-date"), "20150830T123600Z");
}

}  // namespace
}  // namespace ajar
